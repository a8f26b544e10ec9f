"""Refunds and disputes take credits back: pro rata, cumulatively, once each, even below 0."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

import pytest
from django.db.utils import IntegrityError

from accounts.models import Account
from credits import ledger
from credits.models import Wallet
from payments import interventions, reversals, settling, stage
from payments.models import Payment, Reversal
from payments.models.states import State
from payments.stripe.facts import DisputeFact, RefundFact
from payments.stripe.refunds import Made
from tests.payments.test_settling import claimed, fetched
from tests.support.paying import Till
from tests.support.people import Person, make_staff


def give_back(till: Till, payment: Payment, amount: int, **more: Any) -> str:
    """In Stripe's dashboard."""
    params: Any = {"payment_intent": payment.intent_id, "amount": amount, **more}
    return till.stripe.sdk.v1.refunds.create(params).id


def spend(person: Person, amount: int) -> None:
    """As an adjustment: a charge needs a generation."""
    ledger.adjust(person.account.pk, -amount, description="spent", created_by=person.user.pk)


def taken(person: Person) -> list[tuple[str, int]]:
    kinds = ("reversal", "reinstated")
    return [(each.kind, each.amount) for each in person.entries if each.kind in kinds]


def test_three_thirds_take_exactly_all(till: Till, alice: Person) -> None:
    payment = till.bought(alice, "credits_500")
    for amount in (167, 167, 166):
        give_back(till, payment, amount)
        till.settled(payment)
    assert taken(alice) == [("reversal", -167), ("reversal", -167), ("reversal", -166)]
    assert payment.reversed_credits == payment.credits
    assert alice.balance == 1000
    assert payment.state == State.PAID
    assert payment.next_attempt_at is None


def test_parts_that_round_are_in_the_next_one(till: Till, alice: Person) -> None:
    """10,000 credits for $95.00: what is taken is a share of the sum, not a sum of shares."""
    payment = till.bought(alice, "credits_10000")
    shares = [3167, 3167, 3166]
    for count, amount in enumerate(shares, start=1):
        give_back(till, payment, amount)
        till.settled(payment)
        assert payment.reversed_credits == 10_000 * sum(shares[:count]) // 9500
    assert payment.reversed_credits == 10_000


def test_several_refunds_that_were_seen_together_are_an_entry_each(
    till: Till, alice: Person
) -> None:
    payment = till.bought(alice)
    for amount in (100, 50, 25):
        give_back(till, payment, amount)
    till.settled(payment)
    assert sorted(taken(alice)) == [("reversal", -100), ("reversal", -50), ("reversal", -25)]
    for _ in range(2):
        till.settled(payment)
    assert payment.reversed_credits == 175


def test_a_full_refund_after_spending_leaves_a_debt_that_a_purchase_pays(
    till: Till, alice: Person
) -> None:
    payment = till.bought(alice, "credits_2500")
    spend(alice, 3400)
    give_back(till, payment, 2500)
    till.settled(payment)
    assert alice.balance == -2400
    assert Wallet.objects.get(account=alice.account).reversed == 2500
    till.bought(alice, "credits_500")
    assert alice.balance == -1900
    till.bought(alice, "credits_2500")
    assert alice.balance == 600
    with pytest.raises((IntegrityError, ledger.LedgerRefusal)):
        spend(alice, 601)


def test_a_refund_that_was_told_before_the_purchase_comes_after_it(
    till: Till, alice: Person
) -> None:
    payment = till.order(alice, scenario="disorder", told=True)
    till.pay(payment)
    till.until(payment, State.PAID)
    till.settled(payment)
    kinds = [each.kind for each in alice.entries]
    assert kinds == ["grant", "purchase", "reversal"]
    assert alice.balance == 1000


def test_a_refund_that_fails_afterwards_is_reinstated(till: Till, alice: Person) -> None:
    payment = till.bought(alice)
    refund_id = give_back(till, payment, 200)
    till.settled(payment)
    till.stripe.control("refund-fails", str(payment.pk))  # the rest of it, and then it fails
    for _ in range(200):
        if till.settled(payment) and any(kind == "reinstated" for kind, _ in taken(alice)):
            break
    row = Reversal.objects.get(provider_id=refund_id)
    assert row.entry is not None
    assert taken(alice) == [("reversal", -200), ("reversal", -300), ("reinstated", 300)]
    assert payment.reversed_credits == 200
    give_back(till, payment, 300)
    till.settled(payment)
    assert payment.reversed_credits == 500


def test_a_dispute_takes_all_and_holds_the_account(till: Till, alice: Person) -> None:
    payment = till.bought(alice)
    give_back(till, payment, 100)
    till.settled(payment)
    till.stripe.control("dispute", str(payment.pk)).raise_for_status()
    till.settled(payment)
    assert taken(alice) == [("reversal", -100), ("reversal", -400)]
    assert payment.reversed_credits == 500
    account = Account.objects.get(pk=alice.account.pk)
    assert account.payment_hold_at
    assert str(payment.pk) in account.payment_hold_reason
    row = Reversal.objects.get(kind="dispute")
    assert row.due_by
    assert payment.next_attempt_at is not None  # an end may come that nobody tells us of


def test_a_released_hold_stays_released_until_the_next_dispute(till: Till, alice: Person) -> None:
    payment = till.bought(alice)
    till.stripe.control("dispute", str(payment.pk)).raise_for_status()
    till.settled(payment)
    interventions.release_hold(alice.account)
    till.settled(payment)
    assert Account.objects.get(pk=alice.account.pk).payment_hold_at is None
    with pytest.raises(interventions.NotAllowed):
        interventions.release_hold(alice.account)
    other = till.bought(alice)
    till.stripe.control("dispute", str(other.pk)).raise_for_status()
    till.settled(other)
    assert Account.objects.get(pk=alice.account.pk).payment_hold_at


def test_a_dispute_that_is_won_gives_back_and_the_hold_stays(till: Till, alice: Person) -> None:
    payment = till.bought(alice)
    till.stripe.control("dispute-won", str(payment.pk)).raise_for_status()
    till.settled(payment)
    for _ in range(200):
        if till.settled(payment) and payment.reversed_credits == 0:
            break
    assert taken(alice) == [("reversal", -500), ("reinstated", 500)]
    assert alice.balance == 1500
    assert Account.objects.get(pk=alice.account.pk).payment_hold_at
    assert payment.next_attempt_at is None


def test_an_inquiry_moves_no_credits(till: Till, alice: Person) -> None:
    payment = till.order(alice)
    till.pay(payment, card="4000 0000 0000 1976")
    till.settled(payment)
    row = Reversal.objects.get(payment=payment)
    assert row.status == "warning_needs_response"
    assert (row.entry, payment.reversed_credits, alice.balance) == (None, 0, 1500)
    assert Account.objects.get(pk=alice.account.pk).payment_hold_at is None


def rows(payment: Payment, *made: tuple[str, str, int]) -> list[Reversal]:
    """Reversals of a kind, a status and an amount, in this order."""
    return [
        Reversal.objects.create(
            payment=payment, kind=kind, status=status, amount_minor=amount, provider_id=f"x_{name}"
        )
        for name, (kind, status, amount) in zip(itertools.count(), made, strict=False)
    ]


def test_a_refund_that_comes_back_during_a_dispute_waits_for_its_end(
    till: Till, alice: Person
) -> None:
    payment = till.bought(alice)
    refund, dispute = rows(payment, ("refund", "pending", 200), ("dispute", "needs_response", 500))
    payment.reversed_credits = reversals.post(payment, [refund, dispute])
    assert payment.reversed_credits == 500
    refund.status = "failed"
    assert reversals.post(payment, [refund, dispute]) == 500
    dispute.status = "won"
    assert reversals.post(payment, [refund, dispute]) == 0


@pytest.mark.parametrize("first_kind", ["refund", "dispute"])
def test_a_refund_that_found_nothing_to_take_takes_its_share_when_the_other_comes_back(
    till: Till, alice: Person, first_kind: str
) -> None:
    """And all is given back when it comes back, too: nothing stays with nobody."""
    payment = till.bought(alice)
    is_refund = first_kind == "refund"
    begun, ended = ("pending", "failed") if is_refund else ("needs_response", "won")
    first, second, third = rows(
        payment, (first_kind, begun, 500), ("refund", "canceled", 200), ("refund", "canceled", 1)
    )
    payment.reversed_credits = reversals.post(payment, [first, second, third])
    assert payment.reversed_credits == 500
    first.status, second.status, third.status = ended, "pending", "pending"
    payment.reversed_credits = reversals.post(payment, [first, second, third])
    assert payment.reversed_credits == 201
    second.status = "failed"
    payment.reversed_credits = reversals.post(payment, [first, second, third])
    assert payment.reversed_credits == 1
    third.status = "failed"
    assert reversals.post(payment, [first, second, third]) == 0
    assert alice.balance == 1500


def test_a_word_that_nobody_knows_changes_nothing(till: Till, alice: Person) -> None:
    payment = till.bought(alice)
    facts = fetched(till, payment)
    strange = replace(
        facts,
        refunds=(RefundFact("re_1", 1, 500, "half_done", ""),),
        disputes=(DisputeFact("du_1", 1, 500, "in_orbit", None),),
    )
    settling.settle(claimed(payment), strange)
    payment.refresh_from_db()
    assert (payment.reversed_credits, alice.balance) == (0, 1500)
    assert not payment.reversals.exists()


def test_a_refund_of_what_a_dispute_has_taken_takes_nothing_more(till: Till, alice: Person) -> None:
    payment = till.bought(alice)
    (dispute,) = rows(payment, ("dispute", "needs_response", 500))
    payment.reversed_credits = reversals.post(payment, [dispute])
    refund = Reversal.objects.create(
        payment=payment, kind="refund", status="succeeded", amount_minor=500, provider_id="re_late"
    )
    assert reversals.post(payment, [dispute, refund]) == 500
    assert refund.entry is None
    assert alice.balance == 1000


def test_an_answer_to_our_order_that_nobody_knows_changes_nothing(
    till: Till, alice: Person
) -> None:
    payment = till.bought(alice)
    (row,) = rows(payment, ("refund", "ordered", 500))
    reversals.write_answer(row, Made("re_new", "half_done"))
    row.refresh_from_db()
    assert (row.status, row.provider_id) == ("ordered", "x_0")


# --- what operators do ---


def test_an_operator_s_refund_takes_credits_first_and_money_second(
    till: Till, alice: Person
) -> None:
    payment, staff = till.bought(alice, "credits_2500"), make_staff()
    spend(alice, 1500)
    assert interventions.default_refund(payment) == 2000
    ordered = interventions.refund(payment, 1000, by=staff)
    payment.refresh_from_db()
    assert payment.reversed_credits == 1000
    assert alice.balance == 1000
    assert ordered.provider_id is None
    till.settle()  # asks, and orders
    till.settle()  # asks again
    ordered.refresh_from_db()
    assert (ordered.status, ordered.created_by) == ("succeeded", staff)
    [refund] = till.objects(payment, "refund")
    assert (refund["id"], refund["amount"]) == (ordered.provider_id, 1000)
    assert taken(alice) == [("reversal", -1000)]
    payment.refresh_from_db()
    assert payment.next_attempt_at is None


@pytest.mark.parametrize("before_answer", [True, False])
def test_a_worker_that_dies_while_refunding_gives_back_once(
    till: Till, alice: Person, before_answer: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    payment = till.bought(alice)
    ordered = interventions.refund(payment, 500, by=make_staff())

    def die(*args: object) -> None:
        raise RuntimeError

    with monkeypatch.context() as dying:
        if before_answer:
            dying.setattr(stage.SettleStage, "_refund", die)
        else:
            dying.setattr(stage, "_write_refund", die)
        till.settled(payment)
    assert len(till.objects(payment, "refund")) == (not before_answer)
    for _ in range(2):
        till.settled(payment)
    ordered.refresh_from_db()
    assert ordered.status == "succeeded"
    assert len(till.objects(payment, "refund")) == 1
    assert taken(alice) == [("reversal", -500)]


def test_a_refund_that_stripe_refuses_is_reinstated(till: Till, alice: Person) -> None:
    payment = till.bought(alice)
    give_back(till, payment, 400)  # in the dashboard, and we do not know it yet
    ordered = interventions.refund(payment, 300, by=make_staff())
    assert alice.balance == 1200
    for _ in range(3):
        till.settled(payment)
    ordered.refresh_from_db()
    assert ordered.status == reversals.REFUSED
    assert ordered.reinstated is not None
    assert ordered.reinstated.amount == 100
    assert payment.reversed_credits == 400
    assert alice.balance == 1100


def test_two_operators_give_back_no_more_than_was_paid(till: Till, alice: Person) -> None:
    payment, staff = till.bought(alice), make_staff()
    interventions.refund(payment, 300, by=staff)
    for amount in (201, 0, -5):
        with pytest.raises(interventions.NotAllowed):
            interventions.refund(payment, amount, by=staff)
    interventions.refund(payment, 200, by=staff)
    for _ in range(3):
        till.settled(payment)
    assert sorted(each["amount"] for each in till.objects(payment, "refund")) == [200, 300]
    assert payment.reversed_credits == 500


def test_a_disputed_payment_is_refunded_by_nobody(till: Till, alice: Person) -> None:
    payment = till.bought(alice)
    till.stripe.control("dispute", str(payment.pk)).raise_for_status()
    till.settled(payment)
    with pytest.raises(interventions.NotAllowed):
        interventions.refund(payment, 100, by=make_staff())


def test_a_mismatch_is_credited_by_a_person(till: Till, alice: Person) -> None:
    payment = till.order(alice, scenario="wrong-amount")
    with pytest.raises(interventions.NotAllowed):
        interventions.credit(payment)
    till.pay(payment)
    assert till.settled(payment).state == State.MISMATCH
    interventions.credit(payment)
    with pytest.raises(interventions.NotAllowed):
        interventions.credit(payment)
    payment.refresh_from_db()
    assert (payment.state, alice.balance) == (State.PAID, 1500)
    give_back(till, payment, payment.paid_minor or 0)
    till.settled(payment)
    assert (payment.reversed_credits, alice.balance) == (500, 1000)


def test_a_mismatch_is_given_back_by_a_person(till: Till, alice: Person) -> None:
    payment = till.order(alice, scenario="wrong-amount")
    till.pay(payment)
    till.settled(payment)
    interventions.refund(payment, 0, by=make_staff())
    for _ in range(3):
        till.settled(payment)
    assert payment.state == State.FAILED
    [refund] = till.objects(payment, "refund")
    assert refund["amount"] == till.objects(payment, "charge")[0]["amount"]
    assert [each.kind for each in alice.entries] == ["grant"]
    assert payment.next_attempt_at is None


def test_a_mismatch_whose_refund_stripe_refuses_is_one_again(till: Till, alice: Person) -> None:
    payment = till.order(alice, scenario="wrong-amount")
    till.pay(payment)
    till.settled(payment)
    interventions.refund(payment, 0, by=make_staff())
    give_back(till, payment, 1)  # so that all of it is more than is left
    for _ in range(3):
        till.settled(payment)
    assert payment.state == State.MISMATCH
    assert "give back" in payment.last_error


def test_verbs_need_a_key_of_the_payment_s_mode(till: Till, alice: Person) -> None:
    live = till.row(alice, livemode=True)
    with pytest.raises(interventions.NotAllowed):
        interventions.ask_again(live)
    with pytest.raises(interventions.NotAllowed):
        interventions.refund(live, 1, by=make_staff())
    ours = till.order(alice)
    interventions.ask_again(ours)
    assert till.settle() == 1
