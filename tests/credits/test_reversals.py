"""A payment that is taken back: the one thing that leaves a balance below 0, and what lifts it."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from functools import partial

import pytest
from django.db import IntegrityError, transaction

from credits import ledger
from credits.books import check_ledger
from credits.ledger import LedgerRefusal
from credits.models import Wallet
from tests.credits.test_constraints import charge
from tests.credits.test_ledger import refusal, sums_up
from tests.support.people import Person
from tests.support.racing import race


def reverse(person: Person, amount: int, reversal: uuid.UUID | None = None) -> ledger.Posted:
    named = reversal or uuid.uuid4()
    return ledger.reverse(
        person.account.pk, amount, reversal_id=named, description="Payment refunded"
    )


def reinstate(person: Person, amount: int, reversal: uuid.UUID) -> ledger.Posted:
    return ledger.reinstate(
        person.account.pk, amount, reversal_id=reversal, description="Payment reinstated"
    )


def reversed_of(person: Person) -> int:
    return Wallet.objects.get(account=person.account).reversed


@pytest.fixture
def owing(alice: Person) -> Person:
    """Alice, at -760: of her 1,000 credits 760 were spent when all 1,000 were taken back."""
    for _ in range(2):
        charge(alice, 380)
    reverse(alice, 1000)
    assert alice.balance == -760
    return alice


def test_a_reversal_may_take_more_than_is_there(owing: Person) -> None:
    entry = owing.entries[-1]
    assert (entry.kind, entry.amount, entry.balance_after) == ("reversal", -1000, -760)
    assert (entry.reverses, entry.generation_id, entry.created_by) == (None, None, None)
    assert (entry.reference or "").startswith("reversal:")
    assert reversed_of(owing) == 1000
    assert sums_up(owing)


@pytest.mark.parametrize(
    "verb",
    [
        lambda who: ledger.purchase(who.account.pk, 500, reference="stripe:2", description="d"),
        lambda who: ledger.grant(who.account.pk, 500, description="d"),
    ],
)
def test_what_is_given_counts_below_zero(
    verb: Callable[[Person], ledger.Posted], owing: Person
) -> None:
    assert verb(owing).balance == owing.balance == -260
    assert reversed_of(owing) == 1000
    assert sums_up(owing)


def test_a_reinstatement_counts_below_zero(alice: Person) -> None:
    first, second = uuid.uuid4(), uuid.uuid4()
    reverse(alice, 1500, first)
    reverse(alice, 500, second)
    assert reinstate(alice, 500, second).balance == alice.balance == -500
    entry = alice.entries[-1]
    assert (entry.kind, entry.amount, entry.reference) == (
        "reinstated",
        500,
        f"reversal:{second}",
    )
    assert reversed_of(alice) == 2000  # what was ever taken; it does not shrink
    assert reinstate(alice, 1500, first).balance == 1000
    assert sums_up(alice)


def test_a_failed_generation_is_refunded_below_zero(alice: Person) -> None:
    work = charge(alice)
    reverse(alice, 1000)
    ledger.refund(work["charge"], "it failed")
    assert alice.balance == 0
    work = charge(alice, 1)
    assert work["balance"] is None
    assert sums_up(alice)


def test_a_refund_and_its_grant_go_back_below_zero(alice: Person) -> None:
    """The house paid for a retry that fails: the customer owes as much as before both."""
    given = ledger.grant(alice.account.pk, 240, description="retry", created_by=alice.user.pk)
    work = charge(alice)
    reverse(alice, 1500)
    assert alice.balance == -500
    with transaction.atomic():
        ledger.refund(work["charge"], "it failed")
        ledger.take_back(given.entry_id, work["generation"], "its grant goes back")
    assert alice.balance == -500
    assert sums_up(alice)


@pytest.mark.parametrize("amount", [-1, 1, 759])
def test_an_adjustment_never_ends_below_zero(amount: int, owing: Person) -> None:
    """Not even one that gives: to forgive a debt, staff give a grant."""
    with pytest.raises(LedgerRefusal):
        ledger.adjust(owing.account.pk, amount, description="d", created_by=owing.user.pk)
    assert owing.balance == -760


def test_an_adjustment_may_end_at_zero(owing: Person) -> None:
    ledger.adjust(owing.account.pk, 760, description="d", created_by=owing.user.pk)
    assert owing.balance == 0
    assert sums_up(owing)


def test_who_owes_is_not_charged(owing: Person) -> None:
    assert charge(owing, 1)["balance"] is None
    assert owing.balance == -760


def test_a_wallet_without_a_reversal_is_never_below_zero(alice: Person, bob: Person) -> None:
    reverse(bob, 1)
    with pytest.raises(IntegrityError) as caught:
        Wallet.objects.filter(account=alice.account).update(balance=-1)
    assert refusal(caught) == "wallet_negative_only_after_a_reversal"


@pytest.mark.parametrize("amount", [0, -5])
def test_a_reversal_only_takes_and_a_reinstatement_only_gives(amount: int, alice: Person) -> None:
    known = uuid.uuid4()
    reverse(alice, 100, known)
    for verb in (partial(reverse, alice, amount), partial(reinstate, alice, amount, known)):
        with pytest.raises(IntegrityError) as caught:
            verb()
        assert refusal(caught) == "ledger_sign_follows_kind"
    assert (alice.balance, reversed_of(alice)) == (900, 100)


def test_a_reversal_takes_once_and_is_reinstated_once(alice: Person, bob: Person) -> None:
    known = uuid.uuid4()
    reverse(alice, 100, known)
    for verb in (partial(reverse, alice, 100, known), partial(reverse, bob, 100, known)):
        with pytest.raises(IntegrityError) as caught:
            verb()
        assert refusal(caught) == "ledger_reference_credits_once"
    reinstate(alice, 60, known)
    with pytest.raises(IntegrityError) as caught:
        reinstate(alice, 40, known)
    assert refusal(caught) == "ledger_reference_credits_once"
    assert (alice.balance, bob.balance) == (960, 1000)
    assert (reversed_of(alice), reversed_of(bob)) == (100, 0)


def test_only_what_was_taken_is_reinstated(alice: Person, bob: Person) -> None:
    known = uuid.uuid4()
    reverse(alice, 100, known)
    for verb in (
        partial(reinstate, alice, 101, known),  # more than it took
        partial(reinstate, bob, 100, known),  # somebody else's
        partial(reinstate, alice, 100, uuid.uuid4()),  # no reversal at all
    ):
        with pytest.raises(LedgerRefusal):
            verb()
    assert (alice.balance, bob.balance) == (900, 1000)
    assert sums_up(alice)


def test_nobody_without_a_wallet_is_taken_from() -> None:
    with pytest.raises(LedgerRefusal):
        ledger.reverse(uuid.uuid4(), 5, reversal_id=uuid.uuid4(), description="d")


def test_one_reversal_that_races_with_itself_takes_once(alice: Person) -> None:
    known = uuid.uuid4()
    results = race([partial(reverse, alice, 1500, known)] * 20)
    assert sum(isinstance(result, ledger.Posted) for result in results) == 1
    assert (alice.balance, reversed_of(alice)) == (-500, 1500)
    results = race([partial(reinstate, alice, 1500, known)] * 20)
    assert sum(isinstance(result, ledger.Posted) for result in results) == 1
    assert (alice.balance, reversed_of(alice)) == (1000, 1500)
    assert sums_up(alice)


def test_reversals_that_race_with_all_else_add_up(alice: Person, bob: Person) -> None:
    """Charges stop where the reversals have left nothing; the rest is counted, in any order."""
    calls: list[Callable[[], object]] = []
    for number in range(10):
        calls += [
            partial(charge, alice, 90),
            partial(reverse, alice, 150),
            partial(ledger.purchase, alice.account.pk, 5, reference=f"p{number}", description="d"),
            partial(reverse, bob, 30),
        ]
    results = race(calls)
    assert not [result for result in results if isinstance(result, BaseException)]
    charged = [
        result for result in results if isinstance(result, dict) and result["balance"] is not None
    ]
    assert alice.balance == 1000 - 90 * len(charged) - 1500 + 50
    assert (reversed_of(alice), reversed_of(bob), bob.balance) == (1500, 300, 700)
    assert sums_up(alice)
    assert sums_up(bob)
    assert check_ledger().differences == []
