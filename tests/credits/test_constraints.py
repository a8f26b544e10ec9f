"""Every rule that the tables of credits and accounts hold, broken on purpose, by its name."""

from __future__ import annotations

import uuid
from typing import Any

import psycopg
import pytest
from django.db import connection
from django.db.utils import ProgrammingError
from django.utils import timezone

from accounts.models import User
from credits import ledger
from credits.models import LedgerEntry
from credits.statements import CHARGE
from tests.support.people import Person, make_person
from tests.support.provoke import Breach


def entry(**changes: str) -> str:
    """INSERT one entry, a valid grant but for ``changes`` (SQL)."""
    columns = {
        "id": "gen_random_uuid()",
        "wallet_id": "%(alice)s",
        "sequence": "99",
        "kind": "'grant'",
        "amount": "5",
        "balance_after": "5",
        "description": "'why'",
    } | changes
    return (
        f"INSERT INTO credits_ledgerentry ({', '.join(columns)})"
        f" VALUES ({', '.join(columns.values())})"
    )


def refund(**changes: str) -> str:
    """INSERT a refund of Alice's open charge of 240, whole but for ``changes``."""
    whole = {
        "kind": "'refund'",
        "amount": "240",
        "generation_id": "%(work)s",
        "reverses": "%(charge)s",
    }
    return entry(**(whole | changes))


WALLET = "UPDATE credits_wallet SET {} WHERE account_id = %(alice)s"
ACCOUNT = "UPDATE accounts_account SET {} WHERE id = %(alice)s"
KEY = "UPDATE accounts_apikey SET {} WHERE account_id = %(alice)s"
MEMBER = "UPDATE accounts_membership SET {} WHERE account_id = %(alice)s"
USER = "UPDATE accounts_user SET {} WHERE id = %(bob_user)s"
SIGN = "ledger_sign_follows_kind"
REVERSAL = uuid.uuid4()
OVERDRAWN = "ledger_only_a_reversal_overdraws"
WHOLE = "ledger_refund_is_of_a_whole_charge"
AUTHOR = "ledger_adjustment_has_author_and_reason"
NAMED = "ledger_charge_names_its_generation"
REVERSES = "ledger_refund_reverses_a_charge"

CREDITS = [
    Breach("wallet_negative_only_after_a_reversal", WALLET.format("balance = -1")),
    Breach("wallet_open_charges_not_negative", WALLET.format("open_charges = -1")),
    Breach("credits_wallet_max_open_charges_check", WALLET.format("max_open_charges = -1")),
    Breach("ledger_sequence_unique_in_wallet", entry(sequence="1")),
    Breach("ledger_reference_credits_once", entry(reference="'payment-1'", kind="'purchase'")),
    Breach(
        "ledger_reference_credits_once",
        entry(kind="'reversal'", amount="-5", reference=f"'reversal:{REVERSAL}'"),
    ),
    Breach("ledger_kind_is_known", entry(kind="'gift'")),
    Breach(OVERDRAWN, entry(kind="'adjustment'", created_by_id="%(user)s", balance_after="-1")),
    Breach(
        OVERDRAWN,
        entry(kind="'charge'", amount="-5", generation_id="%(work)s", balance_after="-1"),
    ),
    Breach(SIGN, entry(amount="0")),
    Breach(SIGN, entry(amount="-5")),
    Breach(SIGN, entry(kind="'purchase'", amount="-5")),
    Breach(SIGN, entry(kind="'charge'", amount="5", generation_id="%(work)s")),
    Breach(SIGN, entry(kind="'reversal'", amount="5")),
    Breach(SIGN, entry(kind="'reversal'", amount="0")),
    Breach(SIGN, entry(kind="'reinstated'", amount="-5")),
    Breach(SIGN, refund(amount="-240")),
    Breach(SIGN, entry(kind="'adjustment'", amount="0", created_by_id="%(user)s")),
    Breach(REVERSES, entry(reverses="%(charge)s")),
    Breach(REVERSES, entry(kind="'reversal'", amount="-5", reverses="%(charge)s")),
    Breach(REVERSES, refund(reverses="NULL")),
    Breach(AUTHOR, entry(kind="'adjustment'")),
    Breach(AUTHOR, entry(kind="'adjustment'", created_by_id="%(user)s", description="''")),
    Breach(NAMED, entry(kind="'charge'", amount="-5")),
    Breach(NAMED, refund(generation_id="NULL")),
    Breach(
        "ledger_charge_refunded_once",
        refund(reverses="%(refunded)s", generation_id="%(refunded_work)s"),
    ),
    Breach(WHOLE, refund(amount="239")),
    Breach(WHOLE, refund(wallet_id="%(bob)s")),
    Breach(WHOLE, refund(generation_id="gen_random_uuid()")),
    Breach(WHOLE, refund(reverses="%(grant)s")),
    Breach(WHOLE, refund(reverses="gen_random_uuid()")),
    # exists as the target of the composite keys; the primary key would speak first
    Breach(
        "ledger_entry_as_a_whole",
        "INSERT INTO credits_ledgerentry (id, wallet_id, sequence, kind, amount, balance_after,"
        " generation_id, description) SELECT id, wallet_id, 98, kind, amount, balance_after,"
        " generation_id, description FROM credits_ledgerentry WHERE id = %(charge)s",
        without=("credits_ledgerentry_pkey",),
    ),
    Breach("ledger_is_append_only", "UPDATE credits_ledgerentry SET description = 'x'"),
    Breach("ledger_is_append_only", "DELETE FROM credits_ledgerentry"),
    Breach(
        "ledger_is_not_truncated",
        "TRUNCATE credits_ledgerentry CASCADE",
        raised="ledger_is_append_only",
        as_owner=True,
    ),
]
ACCOUNTS = [
    Breach("accounts_user_username_key", USER.format("username = 'alice'")),
    Breach("user_name_unique_whatever_the_case", USER.format("username = 'ALICE'")),
    Breach("user_email_unique_whatever_the_case", USER.format("email = 'Alice@Example.com'")),
    Breach(
        "user_changed_email_is_unverified",
        "UPDATE accounts_user SET email = 'other@example.com' WHERE id = %(verified_user)s",
    ),
    Breach("accounts_account_creates_per_minute_check", ACCOUNT.format("creates_per_minute = -1")),
    *(
        breach
        for what in ("output", "prompt")
        for breach in (
            Breach(
                f"accounts_account_{what}_retention_days_check",
                ACCOUNT.format(f"{what}_retention_days = -1"),
            ),
            Breach(
                f"account_{what}_retention_at_most_a_century",
                ACCOUNT.format(f"{what}_retention_days = 36501"),
            ),
        )
    ),
    Breach("accounts_account_reads_per_minute_check", ACCOUNT.format("reads_per_minute = -1")),
    Breach(
        "member_once_an_account",
        "INSERT INTO accounts_membership (user_id, account_id, role)"
        " VALUES (%(user)s, %(alice)s, 'member')",
    ),
    Breach("user_origin_is_known", "UPDATE accounts_user SET origin = 'out of the blue'"),
    Breach("membership_role_is_known", MEMBER.format("role = 'king'")),
    Breach("api_key_kind_is_known", KEY.format("kind = 'spell'")),
    Breach("accounts_apikey_spend_limit_check", KEY.format("spend_limit = -1")),
    Breach(
        "api_key_digest_unique",
        KEY.format(
            "digest = (SELECT digest FROM accounts_apikey WHERE account_id = %(bob)s LIMIT 1)"
        ),
    ),
]
BREACHES = CREDITS + ACCOUNTS


def charge(person: Person, price: int = 240) -> dict[str, Any]:
    """Charge without a generation, which only ``generation`` could make."""
    values: dict[str, Any] = {
        "account": person.account.pk,
        "price": price,
        "charge": uuid.uuid4(),
        "generation": uuid.uuid4(),
        "description": "work",
        "created_by": person.user.pk,
        "open_limit": 50,
        "refund_lead": ledger.refund_lead(),
    }
    with connection.cursor() as cursor:
        cursor.execute(f"WITH {CHARGE.format(when='')} SELECT balance_after FROM entry", values)
        found = cursor.fetchone()
    return values | {"balance": None if found is None else found[0]}


@pytest.fixture
def values(alice: Person, bob: Person) -> dict[str, Any]:
    """A grant, a payment, an open charge and a refunded one of Alice's, a reversal of Bob's."""
    posted = ledger.purchase(alice.account.pk, 7, reference="payment-1", description="paid")
    work, over = charge(alice), charge(alice)
    ledger.refund(over["charge"], "it failed")
    verified = make_person("verified").user
    User.objects.filter(pk=verified.pk).update(email_verified_at=timezone.now())
    ledger.reverse(bob.account.pk, 5, reversal_id=REVERSAL, description="Payment refunded")
    return {
        "alice": alice.account.pk,
        "bob": bob.account.pk,
        "user": alice.user.pk,
        "bob_user": bob.user.pk,
        "verified_user": verified.pk,
        "grant": alice.entries[0].pk,
        "purchase": posted.entry_id,
        "charge": work["charge"],
        "work": work["generation"],
        "refunded": over["charge"],
        "refunded_work": over["generation"],
    }


def test_every_rule_refuses(values: dict[str, Any], admin_connection: psycopg.Connection) -> None:
    """One test for all of them, since a refused statement leaves everything as it was."""
    for breach in BREACHES:
        refused_by = breach.provoke(values, admin_connection)
        assert refused_by == (breach.raised or breach.rule), breach


def test_the_whole_refund_is_what_is_allowed(values: dict[str, Any], alice: Person) -> None:
    with connection.cursor() as cursor:
        cursor.execute(refund(), values)
    assert LedgerEntry.objects.filter(reverses=values["charge"]).count() == 1


@pytest.mark.parametrize(
    "sql",
    [
        "TRUNCATE credits_ledgerentry CASCADE",
        "ALTER TABLE credits_ledgerentry DISABLE TRIGGER ledger_is_append_only",
        "DROP TRIGGER ledger_is_append_only ON credits_ledgerentry",
        "ALTER TABLE credits_wallet DROP CONSTRAINT wallet_negative_only_after_a_reversal",
        "SET session_replication_role = replica",
    ],
)
def test_the_applications_role_cannot_go_round_the_rules(sql: str, alice: Person) -> None:
    with pytest.raises(ProgrammingError) as caught, connection.cursor() as cursor:
        cursor.execute(sql)
    assert isinstance(caught.value.__cause__, psycopg.errors.InsufficientPrivilege)
