"""Every rule that the tables of payments hold, broken on purpose, by its name."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from django.db import connection
from django.utils import timezone

from common import ids
from credits import ledger
from payments.models import BillingProfile, Payment, Reversal, StripeEvent
from tests.support.people import Person
from tests.support.provoke import Breach


def inserted(table: str, columns: dict[str, str]) -> str:
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join(columns.values())})"


def payment(**changes: str) -> str:
    """INSERT one payment of Alice's, whole and open but for ``changes`` (SQL)."""
    columns = {
        "id": "gen_random_uuid()",
        "account_id": "%(alice)s",
        "kind": "'checkout'",
        "credits": "500",
        "amount_minor": "500",
        "currency": "'usd'",
        "livemode": "false",
        "state": "'created'",
        "expires_at": "now()",
        "next_attempt_at": "now()",
    } | changes
    return inserted("payments_payment", columns)


def reversal(**changes: str) -> str:
    """INSERT one refund of Alice's payment, whole but for ``changes`` (SQL)."""
    columns = {
        "id": "gen_random_uuid()",
        "payment_id": "%(paid)s",
        "kind": "'refund'",
        "amount_minor": "1",
        "status": "'pending'",
    } | changes
    return inserted("payments_reversal", columns)


def pack(**changes: str) -> str:
    """INSERT one pack, whole but for ``changes`` (SQL)."""
    columns = {"name": "'another'", "credits": "1", "amount_minor": "1"} | changes
    return inserted("payments_creditpack", columns)


def row(rule: str, which: str, sets: str, **how: Any) -> Breach:
    """UPDATE of the payment that is in the state ``which``."""
    sql = f"UPDATE payments_payment SET {sets} WHERE id = %({which})s"
    return Breach(rule, sql, **how)


FORWARD, FROZEN = "payment_only_goes_forward", "payment_terms_are_frozen"
AS_SOLD, THEIRS = "payment_is_credited_as_sold", "reversal_entries_are_its_own"
AT_MOST = "payment_reversed_at_most_its_credits"
SELLS, PACK_SELLS = "payment_sells_for_something", "pack_sells_for_something"
AMOUNTS = ("paid_minor", "tax_minor", "discount_minor", "reversed_credits", "strikes")
PAID = "state = 'paid', paid_minor = 500, finished_at = now()"
OVER = "finished_at = now(), next_attempt_at = NULL"
NO_KEY = "idempotency_key = NULL, request_sha256 = NULL"
AGAIN = "finished_at = NULL, next_attempt_at = now(), purchase_id = NULL"

PAYMENTS = [
    Breach("payment_state_is_known", payment(state="'lost'", finished_at="now()")),
    Breach("payment_kind_is_known", payment(kind="'gift'")),
    Breach(SELLS, payment(credits="0")),
    Breach(SELLS, payment(amount_minor="0")),
    *(
        Breach(
            f"payments_payment_{column}_check",
            payment(**{column: "-1"}),
            without=(SELLS, AT_MOST),
        )
        for column in ("credits", "amount_minor")
    ),
    *(Breach(f"payments_payment_{column}_check", payment(**{column: "-1"})) for column in AMOUNTS),
    row("payment_paid_iff_credited", "open", PAID),
    row("payment_paid_iff_credited", "open", "purchase_id = %(open_purchase)s"),
    row("payment_paid_says_how_much", "paid", "paid_minor = NULL"),
    row("payment_open_is_scheduled", "open", "next_attempt_at = NULL"),
    Breach("payment_open_is_scheduled", payment(next_attempt_at="NULL")),
    row("payment_open_is_scheduled", "processing", "next_attempt_at = NULL"),
    row("payment_finished_iff_over", "open", "state = 'expired'"),
    row("payment_finished_iff_over", "open", "finished_at = now()"),
    row("payment_finished_iff_over", "paid", "finished_at = NULL"),
    Breach("payment_open_has_its_link", payment(state="'open'", session_id="'cs_3'")),
    Breach("payment_open_has_its_link", payment(state="'open'", url="'https://pay.test/'")),
    row(AT_MOST, "paid", "reversed_credits = 501"),
    Breach("payment_key_has_its_request", payment(idempotency_key="'x'")),
    Breach(
        "payment_idempotency_key_unique",
        payment(idempotency_key="'key-1'", request_sha256="'\\x00'"),
    ),
    Breach("auto_top_up_one_open", payment(kind="'auto'")),
    Breach("payments_payment_session_id_key", payment(session_id="'cs_1'")),
    Breach("payments_payment_intent_id_key", payment(intent_id="'pi_1'")),
    Breach("payments_payment_charge_id_key", payment(charge_id="'ch_1'")),
    # the trigger would speak first: an entry names its payment
    Breach(
        "payments_payment_purchase_id_key",
        payment(
            state="'paid'", paid_minor="500", finished_at="now()", purchase_id="%(its_purchase)s"
        ),
        without=(AS_SOLD,),
    ),
    row(AS_SOLD, "open", f"{PAID}, purchase_id = %(entry)s"),
    row(AS_SOLD, "open", f"{PAID}, purchase_id = %(its_purchase)s"),
    row(AS_SOLD, "open", f"{PAID}, purchase_id = %(bobs)s"),
    row(AS_SOLD, "open", f"{PAID}, purchase_id = gen_random_uuid()"),
    Breach(
        AS_SOLD,
        payment(
            id="%(too_little_for)s",
            state="'paid'",
            paid_minor="500",
            finished_at="now()",
            purchase_id="%(too_little)s",
        ),
    ),
    *(
        row(FORWARD, which, sets, raised=raised)
        for raised, cases in (
            (
                FORWARD,
                (
                    ("open", "state = 'created'"),
                    ("processing", "state = 'open'"),
                    ("paid", f"state = 'open', {AGAIN}"),
                    ("paid", "state = 'mismatch', purchase_id = NULL"),
                    ("paid", "state = 'failed', purchase_id = NULL"),
                    ("paid", "purchase_id = NULL"),
                    ("expired", f"state = 'open', {AGAIN}"),
                    ("expired", "state = 'failed'"),
                    ("failed", f"state = 'processing', {AGAIN}"),
                    ("mismatch", "state = 'expired'"),
                ),
            ),
            (
                FROZEN,
                (
                    *(
                        ("open", sets)
                        for sets in (
                            "id = gen_random_uuid()",
                            "account_id = %(bob)s",
                            "created_by_id = NULL",
                            "kind = 'auto'",
                            "pack_id = NULL",
                            "credits = 501",
                            "amount_minor = 501",
                            "currency = 'eur'",
                            "livemode = true",
                            "created_at = now()",
                            "idempotency_key = NULL",
                            "request_sha256 = '\\x01'",
                        )
                    ),
                    ("keyed", "idempotency_key = 'other'"),
                    ("keyed", "request_sha256 = '\\x01'"),
                    ("linked", NO_KEY),
                ),
            ),
        )
        for which, sets in cases
    ),
]
REST = [
    Breach(PACK_SELLS, pack(credits="0")),
    Breach(PACK_SELLS, pack(amount_minor="0")),
    *(
        Breach(f"payments_creditpack_{column}_check", pack(**{column: "-1"}), without=(PACK_SELLS,))
        for column in ("credits", "amount_minor")
    ),
    Breach("payments_creditpack_position_check", pack(position="-1")),
    Breach("pack_currency_is_a_code", pack(currency="'USD'")),
    Breach("pack_currency_is_a_code", pack(currency="'us'")),
    Breach(
        "billing_profile_once_a_mode",
        "INSERT INTO payments_billingprofile (account_id, livemode) VALUES (%(alice)s, false)",
    ),
    Breach(
        "payments_billingprofile_customer_id_key",
        "INSERT INTO payments_billingprofile (account_id, livemode, customer_id)"
        " VALUES (%(alice)s, true, 'cus_1')",
    ),
    Breach("reversal_kind_is_known", reversal(kind="'theft'")),
    Breach("payments_reversal_provider_id_key", reversal(provider_id="'re_1'")),
    Breach("payments_reversal_amount_minor_check", reversal(amount_minor="-1")),
    # the trigger would speak first here, too
    Breach(
        "reversal_reinstates_what_it_took", reversal(reinstated_id="%(entry)s"), without=(THEIRS,)
    ),
    *(
        Breach(f"payments_reversal_{which}_id_key", f"{insert}, {more}", without=(THEIRS,))
        for which, insert, more in (
            (
                "entry",
                reversal(entry_id="%(entry)s"),
                "(gen_random_uuid(), %(paid)s, 'refund', 1, '', %(entry)s)",
            ),
            (
                "reinstated",
                reversal(entry_id="%(bobs)s", reinstated_id="%(entry)s"),
                "(gen_random_uuid(), %(paid)s, 'refund', 1, '', %(its_purchase)s, %(entry)s)",
            ),
        )
    ),
    Breach(THEIRS, reversal(entry_id="%(entry)s")),
    Breach(THEIRS, reversal(entry_id="gen_random_uuid()")),
    Breach(THEIRS, "UPDATE payments_reversal SET entry_id = %(its_purchase)s"),
    Breach(THEIRS, "UPDATE payments_reversal SET reinstated_id = %(entry)s"),
    Breach(
        "payments_stripeevent_deliveries_check", "UPDATE payments_stripeevent SET deliveries=-1"
    ),
    Breach("stripe_mark_is_known", "INSERT INTO payments_stripemark VALUES ('gifts', now())"),
]
BREACHES = PAYMENTS + REST


def made(person: Person, state: str, **more: Any) -> Payment:
    over = {} if state in {"created", "open", "processing"} else {"finished_at": timezone.now()}
    values: dict[str, Any] = {
        "account": person.account,
        "created_by": person.user,
        "pack_id": "credits_500",
        "credits": 500,
        "amount_minor": 500,
        "currency": "usd",
        "livemode": False,
        "state": state,
        "created_at": timezone.now() - timedelta(hours=1),
        "expires_at": timezone.now(),
        "next_attempt_at": None if over else timezone.now(),
    }
    return Payment.objects.create(**values | over | more)


def bought(person: Person, amount: int = 500) -> tuple[uuid.UUID, uuid.UUID]:
    """The id of a payment to be, and an entry that credits it."""
    payment_id = ids.new()
    reference = f"stripe:{payment_id}"
    posted = ledger.purchase(person.account.pk, amount, reference=reference, description="paid")
    return payment_id, posted.entry_id


@pytest.fixture
def values(alice: Person, bob: Person) -> dict[str, Any]:
    """One payment of Alice's in every state, what is unique of each kind, and foreign entries."""
    open_id, open_purchase = bought(alice)
    opened = made(
        alice,
        "open",
        id=open_id,
        session_id="cs_1",
        url="https://pay.test/1",
        idempotency_key="key-1",
        request_sha256=b"\0",
    )
    made(alice, "created", kind=Payment.Kind.AUTO)
    paid_id, its_purchase = bought(alice)
    paid = made(
        alice,
        "paid",
        id=paid_id,
        purchase_id=its_purchase,
        paid_minor=500,
        intent_id="pi_1",
        charge_id="ch_1",
    )
    keyed = made(alice, "failed", idempotency_key="key-2", request_sha256=b"\0")
    linked = made(alice, "failed", session_id="cs_2", idempotency_key="key-3", request_sha256=b"\0")
    others = ("processing", "expired", "failed", "mismatch")
    too_little_for, too_little = bought(alice, 499)
    Reversal.objects.create(
        payment=paid, provider_id="re_1", kind="refund", amount_minor=1, status="pending"
    )
    BillingProfile.objects.create(account=alice.account, livemode=False, customer_id="cus_1")
    StripeEvent.objects.create(event_id="evt_1", type="x", livemode=False, object_id="cs_1")
    return {
        **{state: made(alice, state).pk for state in others},
        "open": opened.pk,
        "keyed": keyed.pk,
        "linked": linked.pk,
        "paid": paid.pk,
        "alice": alice.account.pk,
        "bob": bob.account.pk,
        "entry": alice.entries[0].pk,
        "bobs": bob.entries[0].pk,
        "open_purchase": open_purchase,
        "its_purchase": its_purchase,
        "too_little_for": too_little_for,
        "too_little": too_little,
    }


def test_every_rule_refuses(values: dict[str, Any], admin_connection: psycopg.Connection) -> None:
    """One test for all of them, since a refused statement leaves everything as it was."""
    for breach in BREACHES:
        refused_by = breach.provoke(values, admin_connection)
        assert refused_by == (breach.raised or breach.rule), breach


def test_what_is_whole_is_not_refused(values: dict[str, Any], bob: Person) -> None:
    """The statements that the breaches change; and money that comes after the end counts."""
    late, entry = bought(bob)
    with connection.cursor() as cursor:
        cursor.execute(payment(), values)
        cursor.execute(reversal(), values)
        cursor.execute(pack(), values)
        cursor.execute(f"UPDATE payments_payment SET {NO_KEY} WHERE id = %(keyed)s", values)
    row = made(bob, "expired", id=late)
    row.state, row.purchase_id, row.paid_minor = "paid", entry, 500
    row.save()
    assert Payment.objects.get(pk=late).state == "paid"
