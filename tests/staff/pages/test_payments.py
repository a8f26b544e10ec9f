"""The operators' pages of payments, refunds and disputes: what is found, and what is told."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from django.db import connection, transaction
from django.test import Client
from django.utils import timezone

from accounts.models import Account
from credits import ledger
from payments import attention
from payments.models import BillingProfile, Payment, StripeEvent
from payments.models.states import State
from staff import audit
from tests.support.people import Person, inside, make_person, make_staff
from tests.support.purchases import a_dispute, a_payment, a_reversal, more_like

PAYMENTS = "/admin/payments/payment/"
REVERSALS = "/admin/payments/reversal/"


@pytest.fixture
def browser() -> Client:
    return inside(make_staff("support"))


def listed(browser: Client, query: str, path: str = PAYMENTS) -> list[object]:
    return [row.pk for row in browser.get(f"{path}?{query}").context["cl"].result_list]


def test_the_list_shows_the_newest_with_what_became_of_them(browser: Client, alice: Person) -> None:
    old = a_payment(alice)
    a_reversal(old, 500, 500)
    new = a_payment(alice, State.OPEN, last_error="no answer within 8 s")
    assert listed(browser, "") == [new.pk, old.pk]
    text = browser.get(PAYMENTS).text
    for shown in ("alice", "credits_2500: 2,500 credits", "25.00 USD", "no answer within 8 s"):
        assert shown in text
    row = text[text.rindex(str(old.pk)) :]
    assert re.search(r"field-taken_back[^>]*>\s*(<[^>]*>\s*)*500", row)


def test_what_a_person_should_look_at(browser: Client, alice: Person, settings: Any) -> None:
    settings.STRIPE_SECRET_KEY = "rk_live_x"
    long_ago = timezone.now() - timedelta(seconds=601)
    fine = a_payment(alice, livemode=True)
    stuck = a_payment(alice, State.OPEN, next_attempt_at=long_ago, livemode=True)
    late = a_payment(alice, State.EXPIRED, next_attempt_at=long_ago, livemode=True)
    due = timezone.now() - timedelta(seconds=30)
    a_payment(alice, State.PROCESSING, next_attempt_at=due, livemode=True)
    differs = a_payment(alice, State.MISMATCH, livemode=True)
    disputed = a_payment(alice, livemode=True)
    tried = a_payment(alice, State.OPEN, next_attempt_at=long_ago)  # in the other mode: let alone
    a_dispute(disputed)
    a_reversal(fine, 1, 1)
    assert set(listed(browser, "look=stuck")) == {stuck.pk, late.pk}
    assert listed(browser, "look=mismatched") == [differs.pk]
    assert listed(browser, "look=disputed") == [disputed.pk]
    assert listed(browser, "look=test") == [tried.pk]
    assert len(listed(browser, "look=another")) == 7
    settings.STRIPE_SECRET_KEY = ""
    assert listed(browser, "look=stuck") == []


@pytest.mark.parametrize("state", list(State))
def test_a_state_is_a_filter(state: State, browser: Client, alice: Person) -> None:
    rows = {each: a_payment(alice, each).pk for each in State}
    for narrow in ("", "&q=alice@example.com", f"&account__id__exact={alice.account.pk}"):
        assert listed(browser, f"state={state}{narrow}") == [rows[state]]


def test_each_way_to_search_is_exact(browser: Client, alice: Person, bob: Person) -> None:
    mine, other = a_payment(alice), a_payment(bob, livemode=True)
    refund, dispute = a_reversal(mine, 100, 100), a_dispute(other)
    BillingProfile.objects.create(account=alice.account, livemode=False, customer_id="cus_Alice")
    for term in (
        *(mine.session_id, mine.intent_id, mine.charge_id, refund.provider_id, mine.pk),
        *("alice@example.com", "alice", alice.account.pk, "cus_Alice", f" {mine.pk} "),
    ):
        assert listed(browser, f"q={term}") == [mine.pk], term
        accounts = browser.get(f"/admin/accounts/account/?q={term}").context["cl"].result_list
        assert [account.pk for account in accounts] == [alice.account.pk], term
    for term in (
        str(mine.session_id)[:-1],
        "cs_",
        "cs_test_%",
        "cus_Bob",
        "re_x",
        "pi_" + "x" * 97,
    ):
        assert listed(browser, f"q={term}") == [], term
    assert listed(browser, f"q={dispute.provider_id}", REVERSALS) == [dispute.pk]
    assert listed(browser, f"q={dispute.pk}", REVERSALS) == [dispute.pk]
    for term in (mine.intent_id, mine.pk, "alice@example.com"):
        assert listed(browser, f"q={term}", REVERSALS) == [refund.pk], term


def test_who_is_called_like_an_id_of_stripes_is_still_found(browser: Client) -> None:
    person = make_person("re_max")
    bought = a_payment(person)
    assert listed(browser, "q=re_max") == [bought.pk]


def test_a_payment_tells_all_that_happened_in_its_order(browser: Client, alice: Person) -> None:
    facts = {"session": {"payment_status": "paid", "custom": None}, "disputes": [{"id": "du_1"}]}
    bought = a_payment(alice, facts=facts, fetched_at=timezone.now())
    refund = a_reversal(bought, 1000, 1000)
    for event, about in (("evt_1", bought.session_id), ("evt_2", refund.provider_id)):
        StripeEvent.objects.create(
            event_id=event, type=f"type.of.{event}", livemode=False, object_id=str(about)
        )
    StripeEvent.objects.create(event_id="evt_3", type="other", livemode=False, object_id="cs_x")
    with transaction.atomic():
        audit.record(alice.user, "grant_credits", bought, reason="so it is")
    page = browser.get(f"{PAYMENTS}{bought.pk}/change/")
    told = [moment.what for moment in page.context["timeline"]]
    assert told[0] == "Ordered"
    assert {
        *("Ended as paid", "Stripe was asked last", "purchase +2,500 credits"),
        *("Refund of 10.00 USD", "reversal -1,000 credits", "alice: grant_credits"),
        *("Stripe sent type.of.evt_1", "Stripe sent type.of.evt_2"),
    } == set(told[1:])
    times = [moment.at for moment in page.context["timeline"]]
    assert times == sorted(times)
    assert page.context["facts"] == [
        ("disputes.1.id", "du_1"),
        ("session.custom", "–"),
        ("session.payment_status", "paid"),
    ]
    for shown in ("test mode", "so it is", "balance 3,500", str(bought.intent_id)):
        assert shown in page.text
    assert "evt_3" not in page.text
    assert browser.post(f"{PAYMENTS}{bought.pk}/change/", {"state": "paid"}).status_code == 403


def test_a_payment_that_is_worked_on_says_when_stripe_is_asked(
    browser: Client, alice: Person
) -> None:
    soon = a_payment(alice, State.CREATED, session_id=None, url="")
    text = browser.get(f"{PAYMENTS}{soon.pk}/change/").text
    assert "Stripe is asked next" in text
    assert "Stripe was not asked yet." in text
    Payment.objects.filter(pk=soon.pk).update(next_attempt_at=timezone.now() - timedelta(hours=1))
    assert "due since 36" in browser.get(f"{PAYMENTS}{soon.pk}/change/").text


def test_disputes_with_the_day_on_which_they_are_lost(browser: Client, alice: Person) -> None:
    later, sooner = (
        a_dispute(a_payment(alice), due_by=timezone.now() + timedelta(days=days, minutes=1))
        for days in (9, 2)
    )
    over = a_dispute(a_payment(alice), due_by=timezone.now() - timedelta(days=1))
    decided = a_dispute(a_payment(alice), status="lost")
    refund = a_reversal(a_payment(alice), 1, 1)
    assert listed(browser, "kind=answer", REVERSALS) == [over.pk, sooner.pk, later.pk]
    assert set(listed(browser, "kind=dispute", REVERSALS)) == {
        *(later.pk, sooner.pk, over.pk, decided.pk)
    }
    assert listed(browser, "kind=refund", REVERSALS) == [refund.pk]
    text = browser.get(f"{REVERSALS}?kind=answer").text
    for shown in ("in 2\xa0days", "in 1\xa0week", "which is over", "-2,500"):
        assert shown in text
    page = browser.get(f"{REVERSALS}{decided.pk}/change/").text
    assert "lost" in page
    assert f"/admin/payments/payment/{decided.payment_id}/change/" in page
    assert "which is over" not in page


def test_an_account_says_whether_it_may_buy(browser: Client, alice: Person) -> None:
    path = f"/admin/accounts/account/{alice.account.pk}/change/"
    a_payment(alice)
    text = browser.get(path).text
    assert f"{PAYMENTS}?account__id__exact={alice.account.pk}" in text
    assert "on hold since" not in text
    Account.objects.filter(pk=alice.account.pk).update(
        payment_hold_at=timezone.now(), payment_hold_reason="du_1 was opened"
    )
    text = browser.get(path).text
    assert "no, on hold since" in text
    assert "du_1 was opened" in text


def test_the_ledger_and_its_payments_lead_to_each_other(browser: Client, alice: Person) -> None:
    bought = a_payment(alice)
    a_payment(alice)
    refund = a_reversal(bought, 1000, 1000)
    entries = "/admin/credits/ledgerentry/"
    for term in (bought.pk, bought.intent_id, refund.provider_id):
        assert set(listed(browser, f"q={term}", entries)) == {bought.purchase_id, refund.entry_id}
    assert len(listed(browser, "q=alice", entries)) == 4
    text = browser.get(f"{entries}?q={bought.pk}").text
    assert f'href="{PAYMENTS}{bought.pk}/change/"' in text
    assert f'href="{REVERSALS}{refund.pk}/change/"' in text
    # references that others gave
    ledger.grant(alice.account.pk, 5, description="x", reference=f"voucher:spring:{bought.pk}")
    ledger.purchase(alice.account.pk, 5, description="x", reference="stripe:bill-1")
    assert len(listed(browser, "q=alice", entries)) == 6


def planned(rows: Any) -> str:
    """How PostgreSQL would read the rows if the tables were large."""
    with connection.cursor() as cursor, transaction.atomic():
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("SET LOCAL enable_sort = off")
        plan: str = rows[:50].explain()
        return plan


@pytest.mark.parametrize(
    ("query", "index"),
    [
        ("", "payment_newest"),
        ("look=mismatched", "payment_mismatched"),
        ("look=disputed", "reversal_disputes"),
        ("look=test", "payment_of_test_mode"),
        ("state=mismatch", "payment_mismatched"),
        ("state=failed", "payment_newest"),
        ("account__id__exact=0190a1b2-0000-7000-8000-000000000000", "payment_history"),
    ],
)
def test_each_filter_is_an_index_away(
    query: str, index: str, browser: Client, alice: Person, settings: Any
) -> None:
    settings.STRIPE_SECRET_KEY = "rk_live_x"
    a_dispute(a_payment(alice))
    assert index in planned(browser.get(f"{PAYMENTS}?{query}").context["cl"].queryset)


@pytest.mark.parametrize("query", ["look=stuck", "state=open"])
def test_what_is_due_is_found_among_all(
    query: str,
    browser: Client,
    alice: Person,
    admin_connection: psycopg.Connection,
    settings: Any,
) -> None:
    """Of a table of one row every index is as good as any other: this one is full."""
    settings.STRIPE_SECRET_KEY = "rk_live_x"
    a_payment(alice, State.OPEN, next_attempt_at=timezone.now() - timedelta(days=1))
    over = a_payment(alice, State.FAILED)
    more_like(over, [timezone.now()] * 3_000)
    admin_connection.execute("ANALYZE payments_payment")
    # due is so little that PostgreSQL sorts it
    plan = browser.get(f"{PAYMENTS}?{query}").context["cl"].queryset[:50].explain()
    assert "payment_due" in plan


@pytest.mark.parametrize(
    ("query", "index"),
    [("", "reversal_newest"), ("kind=dispute", "reversal_disputes")],
)
def test_each_list_of_reversals_is_an_index_away(
    query: str, index: str, browser: Client, alice: Person
) -> None:
    a_dispute(a_payment(alice))
    assert index in planned(browser.get(f"{REVERSALS}?{query}").context["cl"].queryset)


def test_disputes_to_answer_are_an_index_away(alice: Person) -> None:
    """In the order of their last days, which no other index has. The page asks by them, too."""
    a_dispute(a_payment(alice))
    assert "dispute_to_answer" in planned(attention.to_answer())
