"""What operators do to a payment, in the browser, with Stripe's emulator behind it."""

from __future__ import annotations

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Account
from credits import ledger
from payments.models import Payment, Reversal, StripeEvent
from payments.models.states import State
from staff import payments
from staff.models import AuditEntry
from tests.support.paying import Till
from tests.support.people import Person, inside, make_staff
from tests.support.purchases import a_dispute, a_payment, a_reversal
from tests.support.racing import race
from tests.support.stripe_works import until

WHY = {"reason": "a good reason"}


@pytest.fixture
def browser() -> Client:
    return inside(make_staff("billing"))


def path_of(payment: Payment, verb: str) -> str:
    return f"/admin/payments/payment/{payment.pk}/{verb}/"


def filled(browser: Client, payment: Payment, amount_minor: int | None = None) -> dict[str, str]:
    """The form of a refund as the page shows it, with a reason and perhaps another amount."""
    form = browser.get(path_of(payment, "refund")).context["form"]
    shown = {name: str(form[name].value()) for name in ("amount_minor", "reversals")}
    return shown | WHY | ({} if amount_minor is None else {"amount_minor": str(amount_minor)})


def only_entry() -> AuditEntry:
    entry = AuditEntry.objects.get()
    assert entry.reason == WHY["reason"]
    return entry


def test_asking_again_finds_what_was_paid(browser: Client, till: Till, alice: Person) -> None:
    payment = till.order(alice)
    till.pay(payment)
    assert alice.balance == 1000
    assert browser.post(path_of(payment, "ask"), WHY).status_code == 302
    payment.refresh_from_db()
    assert payment.next_attempt_at is not None
    assert payment.next_attempt_at <= timezone.now()
    till.settle()
    payment.refresh_from_db()
    assert (payment.state, alice.balance) == (State.PAID, 1500)
    entry = only_entry()
    assert (entry.action, entry.changes) == ("ask_stripe", {"state": "open"})
    assert (entry.target_id, entry.account_id) == (str(payment.pk), alice.account.pk)


def test_a_refund_gives_back_what_is_unspent(browser: Client, till: Till, alice: Person) -> None:
    payment = till.bought(alice, "credits_2500")
    ledger.adjust(alice.account.pk, -2000, description="spent", created_by=alice.user.pk)
    form = filled(browser, payment)
    assert form["amount_minor"] == "1500"  # 1,500 of 3,500 are left, at a cent each
    assert "15.00 USD is unspent" in browser.get(path_of(payment, "refund")).text
    assert browser.post(path_of(payment, "refund"), form).status_code == 302
    assert alice.balance == 0
    payment.refresh_from_db()
    assert payment.reversed_credits == 1500
    till.settle(payment)
    [refunded] = till.objects(payment, "refund")
    assert refunded["amount"] == 1500
    [reversal] = Reversal.objects.all()
    assert (reversal.provider_id, reversal.created_by_id) == (
        refunded["id"],
        browser.get("/admin/").context["user"].pk,
    )
    entry = only_entry()
    assert entry.action == "refund_payment"
    assert entry.changes == {
        "amount_minor": 1500,
        "currency": "usd",
        "reversed_credits": [0, 1500],
        "reversal": str(reversal.pk),
    }


def test_a_form_that_is_sent_twice_refunds_once(browser: Client, till: Till, alice: Person) -> None:
    payment = till.bought(alice)
    form = filled(browser, payment, 100)
    for told in ("100 credits are taken back", "Nothing was refunded this time"):
        page = browser.post(path_of(payment, "refund"), form, follow=True)
        assert told in page.text
    assert alice.balance == 1400
    assert Reversal.objects.count() == 1
    assert AuditEntry.objects.count() == 1
    assert (
        browser.post(path_of(payment, "refund"), filled(browser, payment, 100)).status_code == 302
    )
    assert alice.balance == 1300


def test_two_clicks_at_once_refund_once(browser: Client, till: Till, alice: Person) -> None:
    payment = till.bought(alice)
    form = filled(browser, payment, 200)
    path = path_of(payment, "refund")
    answers = race([lambda: browser.post(path, form).status_code for _ in range(5)], 5)
    assert answers == [302] * 5
    assert alice.balance == 1300
    assert Reversal.objects.count() == 1
    assert AuditEntry.objects.count() == 1


def test_two_colleagues_decide_about_a_mismatch_once(till: Till, alice: Person) -> None:
    payment = till.order(alice, scenario="wrong-amount")
    till.pay(payment)
    till.settled(payment)
    carol, dave = (inside(make_staff("billing", name)) for name in ("carol", "dave"))
    answers = race(
        [
            lambda: carol.post(path_of(payment, "credit"), WHY).status_code,
            lambda: dave.post(path_of(payment, "refund-mismatch"), WHY).status_code,
        ],
        2,
    )
    assert set(answers) == {302, 409}
    payment.refresh_from_db()
    credited = payment.state == State.PAID
    assert alice.balance == (1500 if credited else 1000)
    assert Reversal.objects.count() == (0 if credited else 1)
    assert AuditEntry.objects.count() == 1


def test_a_webhook_is_in_the_payments_history(browser: Client, till: Till, alice: Person) -> None:
    payment = till.order(alice, told=True)
    till.pay(payment)
    until(lambda: StripeEvent.objects.filter(object_id=payment.session_id).exists())
    till.until(payment, State.PAID)
    page = browser.get(path_of(payment, "change"))
    told = [moment.what for moment in page.context["timeline"]]
    assert "Stripe sent checkout.session.completed" in told
    assert "purchase +500 credits" in told
    facts = dict(page.context["facts"])
    assert facts["payment_status"] == "paid"
    assert facts["amount_total"] == "500"


@pytest.mark.parametrize("amount", ["0", "-1", "501", "5.00", "", "99999999999999999999"])
def test_no_more_than_was_paid_goes_back(
    amount: str, browser: Client, till: Till, alice: Person
) -> None:
    payment = till.bought(alice)
    form = filled(browser, payment) | {"amount_minor": amount}
    answer = browser.post(path_of(payment, "refund"), form)
    assert answer.status_code == 200
    assert answer.context["form"].errors
    assert (alice.balance, Reversal.objects.count()) == (1500, 0)
    assert not AuditEntry.objects.exists()


def test_a_refund_may_overdraw(browser: Client, till: Till, alice: Person) -> None:
    payment = till.bought(alice)
    ledger.adjust(alice.account.pk, -1500, description="spent", created_by=alice.user.pk)
    form = filled(browser, payment)
    assert form["amount_minor"] == "None"  # nothing is unspent: the operator says how much
    assert (
        browser.post(path_of(payment, "refund"), form | {"amount_minor": "500"}).status_code == 302
    )
    assert alice.balance == -500
    assert "-500" in browser.get(f"/admin/accounts/account/{alice.account.pk}/change/").text


def test_a_mismatch_is_credited_with_what_was_sold(
    browser: Client, till: Till, alice: Person
) -> None:
    payment = till.order(alice, scenario="wrong-amount")
    till.pay(payment)
    assert till.settled(payment).state == State.MISMATCH
    page = browser.get(path_of(payment, "credit"))
    assert "500 credits that were sold for 5.00 USD" in page.text
    took = f"{payment.facts['amount_total'] / 100:.2f} USD"
    assert took != "5.00 USD"
    for path in (path_of(payment, "credit"), path_of(payment, "refund-mismatch")):
        assert took in browser.get(path).text
    assert took in browser.get(path_of(payment, "change")).text
    assert "amount_subtotal" in page.text
    assert browser.post(path_of(payment, "credit"), WHY).status_code == 302
    payment.refresh_from_db()
    assert (payment.state, alice.balance) == (State.PAID, 1500)
    entry = only_entry()
    assert entry.action == "credit_payment"
    assert entry.changes == {
        "state": ["mismatch", "paid"],
        "credits": 500,
        "ledger_entry": str(payment.purchase_id),
    }
    again = browser.post(path_of(payment, "credit"), WHY)
    assert again.status_code == 409
    assert (alice.balance, AuditEntry.objects.count()) == (1500, 1)


def test_a_mismatch_is_given_back_whole(browser: Client, till: Till, alice: Person) -> None:
    payment = till.order(alice, scenario="wrong-amount")
    till.pay(payment)
    till.settled(payment)
    assert browser.post(path_of(payment, "refund-mismatch"), WHY).status_code == 302
    payment.refresh_from_db()
    assert (payment.state, alice.balance) == (State.FAILED, 1000)
    till.settle(payment)
    [refunded] = till.objects(payment, "refund")
    entry = only_entry()
    assert entry.action == "refund_payment"
    assert entry.changes["amount_minor"] == refunded["amount"] == payment.facts["amount_total"]
    assert entry.changes["state"] == ["mismatch", "failed"]
    again = browser.post(path_of(payment, "refund-mismatch"), WHY)
    assert again.status_code == 409
    assert Reversal.objects.count() == 1


def test_a_hold_is_lifted_by_a_person(browser: Client, till: Till, alice: Person) -> None:
    Account.objects.filter(pk=alice.account.pk).update(
        payment_hold_at=timezone.now(), payment_hold_reason="payment 1 is disputed"
    )
    held = Account.objects.get(pk=alice.account.pk)
    path = f"/admin/accounts/account/{alice.account.pk}/release/"
    assert "payment 1 is disputed" in browser.get(path).text
    assert browser.post(path, WHY).status_code == 302
    account = Account.objects.get(pk=alice.account.pk)
    assert (account.payment_hold_at, account.payment_hold_reason) == (None, "")
    entry = only_entry()
    assert entry.action == "release_payment_hold"
    assert entry.changes["payment_hold_reason"] == ["payment 1 is disputed", ""]
    assert held.payment_hold_at is not None
    assert entry.changes["payment_hold_at"][1] is None
    again = browser.post(path, WHY)
    assert (again.status_code, AuditEntry.objects.count()) == (409, 1)


@pytest.mark.parametrize("state", list(State))
def test_a_button_is_there_for_the_states_that_allow_it(
    state: State, browser: Client, till: Till, alice: Person
) -> None:
    payment = a_payment(alice, state)
    page = browser.get(f"/admin/payments/payment/{payment.pk}/change/").text
    shown = {
        name
        for name in ("ask", "refund", "credit", "refund-mismatch")
        if path_of(payment, name) in page
    }
    more = {State.PAID: {"refund"}, State.MISMATCH: {"credit", "refund-mismatch"}}
    assert shown == {"ask"} | more.get(state, set())
    for verb in ("refund", "credit", "refund-mismatch"):
        if verb not in shown:
            sent = WHY | {"amount_minor": "1", "reversals": "0"}
            answer = browser.post(path_of(payment, verb), sent)
            assert answer.status_code in (200, 409), verb
    assert not AuditEntry.objects.exists()
    assert not Reversal.objects.exists()


def test_what_is_given_back_already_or_disputed_is_not_refunded(
    browser: Client, till: Till, alice: Person
) -> None:
    whole, disputed = a_payment(alice), a_payment(alice)
    a_reversal(whole, 2500, 2500)
    a_dispute(disputed)
    assert "the payment is disputed" in browser.get(path_of(disputed, "refund")).text
    for payment in (whole, disputed):
        assert path_of(payment, "refund") not in browser.get(path_of(payment, "change")).text
    for payment, status in ((whole, 200), (disputed, 409)):
        form = WHY | {"amount_minor": "1", "reversals": "1"}
        assert browser.post(path_of(payment, "refund"), form).status_code == status
    assert not AuditEntry.objects.exists()


def test_without_a_key_of_its_mode_nothing_is_done(browser: Client, alice: Person) -> None:
    paid, differs = a_payment(alice), a_payment(alice, State.MISMATCH)
    for payment, verb in ((paid, "ask"), (paid, "refund"), (differs, "refund-mismatch")):
        form = WHY | {"amount_minor": "1", "reversals": "0"}
        answer = browser.post(path_of(payment, verb), form)
        assert answer.status_code == 409
        assert "no key for payments of this mode" in answer.text
    assert not AuditEntry.objects.exists()
    assert not Reversal.objects.exists()


def test_the_audit_entry_tells_what_was_seen_under_the_lock(till: Till, alice: Person) -> None:
    payment = a_payment(alice)
    stale = Payment.objects.get(pk=payment.pk)
    a_reversal(payment, 500, 500)
    values = WHY | {"amount_minor": 1000, "reversals": 1}
    assert payments.refund(make_staff(), stale, values).changed
    assert AuditEntry.objects.get().changes["reversed_credits"] == [500, 1500]
    assert stale.reversed_credits == 0
