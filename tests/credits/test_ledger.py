"""The ledger's verbs on a real database, alone and many at once."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from functools import partial
from itertools import pairwise

import psycopg
import pytest
from django.db import IntegrityError, transaction

from credits import ledger
from credits.models import LedgerEntry, Wallet
from tests.credits.test_constraints import charge
from tests.support.people import Person
from tests.support.racing import race


def sums_up(person: Person) -> bool:
    """Whether the entries explain the balance, one by one and without a gap."""
    entries = person.entries
    assert [entry.sequence for entry in entries] == list(range(1, len(entries) + 1))
    for older, newer in pairwise(entries):
        assert newer.balance_after == older.balance_after + newer.amount
    wallet = Wallet.objects.get(account=person.account)
    assert wallet.sequence == len(entries)
    return wallet.balance == sum(entry.amount for entry in entries) == entries[-1].balance_after


def refusal(error: pytest.ExceptionInfo[IntegrityError]) -> str | None:
    """The name of the rule that refused."""
    cause = error.value.__cause__
    assert isinstance(cause, psycopg.Error)
    return cause.diag.constraint_name


def test_a_new_wallet_is_empty(alice: Person) -> None:
    wallet = Wallet.objects.get(account=alice.account)
    assert str(wallet) == f"1000 credits of {alice.account.pk}"
    assert (wallet.balance, wallet.sequence, wallet.open_charges) == (1000, 1, 0)


@pytest.mark.parametrize(
    ("verb", "kind"),
    [
        (lambda who: ledger.grant(who.account.pk, 5, description="d", reference="r"), "grant"),
        (
            lambda who: ledger.purchase(who.account.pk, 5, reference="r", description="d"),
            "purchase",
        ),
        (
            lambda who: ledger.adjust(who.account.pk, 5, description="d", created_by=who.user.pk),
            "adjustment",
        ),
    ],
)
def test_verbs_that_give(verb: Callable[[Person], ledger.Posted], kind: str, alice: Person) -> None:
    posted = verb(alice)
    assert posted.balance == alice.balance == 1005
    entry = alice.entries[-1]
    assert entry.pk == posted.entry_id
    assert (entry.kind, entry.amount, entry.balance_after, entry.sequence) == (kind, 5, 1005, 2)
    assert str(entry) == f"#2 {kind} +5"
    assert sums_up(alice)


def test_an_adjustment_may_take_but_not_below_zero(alice: Person) -> None:
    ledger.adjust(alice.account.pk, -1000, description="mistake", created_by=alice.user.pk)
    with pytest.raises(ledger.LedgerRefusal):
        ledger.adjust(alice.account.pk, -1, description="mistake", created_by=alice.user.pk)
    assert alice.balance == 0
    assert sums_up(alice)


def test_long_descriptions_are_cut(alice: Person) -> None:
    ledger.grant(alice.account.pk, 1, description="x" * 300)
    assert alice.entries[-1].description == "x" * 200


def test_nobody_without_a_wallet_gets_credits(alice: Person) -> None:
    with pytest.raises(ledger.LedgerRefusal):
        ledger.grant(uuid.uuid4(), 5, description="d")
    assert LedgerEntry.objects.count() == 1


@pytest.mark.parametrize("amount", [0, -5])
def test_a_grant_or_purchase_only_gives(amount: int, alice: Person) -> None:
    with pytest.raises(IntegrityError) as caught:
        ledger.grant(alice.account.pk, amount, description="d")
    assert refusal(caught) == "ledger_sign_follows_kind"
    with pytest.raises(IntegrityError):
        ledger.purchase(alice.account.pk, amount, reference="r", description="d")
    assert alice.balance == 1000
    assert sums_up(alice)


def test_a_reference_counts_once_for_everybody(alice: Person, bob: Person) -> None:
    ledger.purchase(alice.account.pk, 5, reference="payment-1", description="d")
    for person in (alice, bob):
        with pytest.raises(IntegrityError) as caught:
            ledger.purchase(person.account.pk, 5, reference="payment-1", description="d")
        assert refusal(caught) == "ledger_reference_credits_once"
    ledger.grant(bob.account.pk, 5, reference="payment-1", description="another kind of thing")
    assert (alice.balance, bob.balance) == (1005, 1005)


def test_a_refund_gives_the_whole_charge_back(alice: Person) -> None:
    work = charge(alice)
    assert (work["balance"], alice.balance) == (760, 760)
    refund_id = ledger.refund(work["charge"], "Refund: " + "x" * 300)
    entry = LedgerEntry.objects.get(pk=refund_id)
    assert (entry.kind, entry.amount, entry.balance_after) == ("refund", 240, 1000)
    assert (entry.reverses, entry.generation_id) == (work["charge"], work["generation"])
    assert len(entry.description) == 200
    assert Wallet.objects.get(account=alice.account).open_charges == 0
    assert sums_up(alice)


def test_a_second_refund_is_refused_and_changes_nothing(alice: Person) -> None:
    first, _ = charge(alice), charge(alice)
    ledger.refund(first["charge"], "once")
    with pytest.raises(IntegrityError) as caught:
        ledger.refund(first["charge"], "twice")
    assert refusal(caught) == "ledger_charge_refunded_once"
    assert Wallet.objects.get(account=alice.account).open_charges == 1
    assert alice.balance == 760
    assert sums_up(alice)


def test_only_charges_can_be_refunded(alice: Person) -> None:
    for entry_id in (uuid.uuid4(), alice.entries[0].pk):
        with pytest.raises(ledger.LedgerRefusal, match=str(entry_id)):
            ledger.refund(entry_id, "nothing")
    assert alice.balance == 1000


def test_settling_frees_a_place_and_costs_nothing(alice: Person) -> None:
    charge(alice)
    ledger.settle(alice.account.pk)
    assert Wallet.objects.get(account=alice.account).open_charges == 0
    assert alice.balance == 760
    with pytest.raises(IntegrityError) as caught:
        ledger.settle(alice.account.pk)
    assert refusal(caught) == "wallet_open_charges_not_negative"


def test_what_is_rolled_back_left_no_gap(alice: Person) -> None:
    @transaction.atomic
    def grant_and_fail() -> None:
        ledger.grant(alice.account.pk, 5, description="taken back")
        ledger.refund(uuid.uuid4(), "no such charge")

    with pytest.raises(ledger.LedgerRefusal):
        grant_and_fail()
    ledger.grant(alice.account.pk, 5, description="kept")
    assert alice.balance == 1005
    assert sums_up(alice)


def test_racing_charges_stop_at_zero(alice: Person) -> None:
    results = race([lambda: charge(alice, 100)] * 40)
    balances = sorted(result["balance"] for result in results if result["balance"] is not None)  # type: ignore[index]
    assert balances == list(range(0, 1000, 100))
    assert alice.balance == 0
    assert sums_up(alice)


def test_racing_refunds_of_one_charge_give_it_back_once(alice: Person) -> None:
    work = charge(alice)
    charge(alice)
    results = race([lambda: ledger.refund(work["charge"], "again")] * 40)
    assert sum(isinstance(result, uuid.UUID) for result in results) == 1
    assert sum(isinstance(result, IntegrityError) for result in results) == 39
    assert alice.balance == 760
    assert sums_up(alice)


def test_racing_payments_with_one_reference_count_once(alice: Person) -> None:
    results = race(
        [lambda: ledger.purchase(alice.account.pk, 9, reference="p", description="d")] * 20
    )
    assert sum(isinstance(result, ledger.Posted) for result in results) == 1
    assert alice.balance == 1009
    assert sums_up(alice)


def test_a_mix_of_racing_verbs_adds_up(alice: Person, bob: Person) -> None:
    charges = [charge(alice, 10)["charge"] for _ in range(10)]
    calls: list[Callable[[], object]] = [partial(ledger.refund, made, "r") for made in charges]
    for _ in range(10):
        calls += [
            partial(charge, alice, 7),
            partial(ledger.grant, alice.account.pk, 3, description="g"),
            partial(ledger.grant, bob.account.pk, 3, description="g"),
        ]
    results = race(calls)
    assert not [result for result in results if isinstance(result, BaseException)]
    assert (alice.balance, bob.balance) == (1000 - 70 + 30, 1030)
    assert sums_up(alice)
    assert sums_up(bob)


def test_who_got_nothing_back_today_waits_for_nothing(alice: Person) -> None:
    assert ledger.refund_wait(Wallet.objects.get(account_id=alice.account.pk)) == 0
