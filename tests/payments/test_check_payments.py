"""Whether Stripe and we agree: each kind of difference is found, and nothing else is."""

from __future__ import annotations

import json
from datetime import timedelta
from io import StringIO
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.utils import timezone

from credits import ledger
from credits.models import BooksCheck
from payments import daily, interventions
from payments.books import check_payments
from payments.models import Payment, Reversal, StripeMark
from payments.models.states import State
from payments.stripe.connection import connect
from payments.tasks import daily as daily_task
from tests.payments.test_reversals import give_back
from tests.support.paying import Till
from tests.support.people import Person, make_staff


def checked() -> tuple[int, list[str]]:
    """The exit code of the command and what it says of each difference."""
    out = StringIO()
    try:
        call_command("check_payments", "--json", stdout=out)
    except SystemExit as ended:
        code = int(str(ended.code))
    else:
        code = 0
    return code, [each["problem"] for each in json.loads(out.getvalue())["differences"]]


def wrecked(admin: psycopg.Connection, statement: str, *values: Any) -> None:
    """Change what no code of ours can."""
    with admin.transaction():
        admin.execute("SET LOCAL session_replication_role = replica")
        assert admin.execute(statement, values).rowcount == 1


def test_it_agrees_with_whatever_may_happen(till: Till, alice: Person, bob: Person) -> None:
    staff = make_staff()
    till.bought(alice, "credits_2500")
    refunded, disputed, given = till.bought(alice), till.bought(bob), till.bought(bob)
    give_back(till, refunded, 200)
    till.stripe.control("dispute", str(disputed.pk)).raise_for_status()
    interventions.refund(given, 100, by=staff)
    mismatched, returned = (till.order(alice, scenario="wrong-amount") for _ in range(2))
    unpaid, open_still = till.order(bob), till.order(bob)
    for payment in (mismatched, returned, open_still):
        till.pay(payment)
    till.stripe.sdk.v1.checkout.sessions.expire(unpaid.session_id or "")
    till.settled(returned)
    interventions.refund(returned, 0, by=staff)
    for payment in (refunded, disputed, given, mismatched, unpaid, returned):
        for _ in range(3):
            till.settled(payment)
    Payment.objects.filter(pk=open_still.pk, state=State.OPEN).update(
        next_attempt_at=timezone.now()
    )
    assert checked() == (0, [])
    [row] = BooksCheck.objects.filter(command="check_payments")
    assert row.differences == 0
    assert row.looked_at["payments"] >= 4


def test_another_amount_at_stripe(till: Till, alice: Person) -> None:
    payment = till.bought(alice)
    till.stripe.control("wrong-amount", str(payment.pk)).raise_for_status()
    code, [problem] = checked()
    assert code == 1
    assert str(payment.pk) in problem
    assert "Stripe took" in problem


def test_what_stripe_forgot(till: Till, alice: Person) -> None:
    payment = till.bought(alice)
    give_back(till, payment, 100)
    till.settled(payment)
    Reversal.objects.update(created_at=timezone.now() - timedelta(seconds=1))
    till.stripe.http.post("/emulator/reset")
    code, problems = checked()
    assert code == 1
    assert "Stripe took nothing for it" in problems[0]
    assert "Stripe does not know it" in problems[1]


def test_what_was_paid_and_never_credited(
    till: Till, alice: Person, admin_connection: psycopg.Connection
) -> None:
    payment = till.order(alice)
    till.pay(payment)
    assert checked() == (0, [])  # it is under way
    Payment.objects.filter(pk=payment.pk).update(
        state=State.FAILED, finished_at=timezone.now(), next_attempt_at=None
    )
    assert checked()[0] == 1
    assert till.settled(payment).state == State.PAID
    assert checked() == (0, [])


def test_a_refund_that_was_never_taken_back(
    till: Till, alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    payment = till.bought(alice)
    refund_id = give_back(till, payment, 100)
    assert checked() == (0, [])  # the daily look has its time
    monkeypatch.setattr(settings, "TIME_SCALE", 1e-9)  # a day is 86 µs: what was done is older
    code, [problem] = checked()
    assert code == 1
    assert f"{refund_id} is succeeded at Stripe and unknown here" in problem


def test_a_refund_whose_end_was_missed(
    till: Till, alice: Person, admin_connection: psycopg.Connection
) -> None:
    payment = till.bought(alice)
    give_back(till, payment, 100)
    till.settled(payment)
    wrecked(admin_connection, "UPDATE payments_reversal SET status = 'failed'")
    code, [problem] = checked()
    assert code == 1
    assert "succeeded at Stripe and failed here" in problem


def test_entries_that_no_payment_stands_for(
    till: Till, alice: Person, admin_connection: psycopg.Connection
) -> None:
    payment = till.bought(alice)
    give_back(till, payment, 100)
    till.settled(payment)
    assert checked() == (0, [])
    ledger.purchase(alice.account.pk, 7, reference="stripe:of-nobody", description="forged")
    assert "is of no payment" in checked()[1][0]
    wrecked(admin_connection, "DELETE FROM credits_ledgerentry WHERE amount = 7")
    assert checked() == (0, [])
    wrecked(admin_connection, "UPDATE payments_payment SET reversed_credits = 99")
    assert "counts 99 credits as taken back, its entries 100" in checked()[1][0]
    wrecked(admin_connection, "DELETE FROM payments_reversal")
    found = " ".join(checked()[1])
    assert "is of no refund and no dispute" in found


def test_without_a_key_or_an_answer_there_is_no_verdict(
    till: Till, alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    till.bought(alice)
    with monkeypatch.context() as away:
        away.setattr(settings, "STRIPE_BASE_URL", "http://127.0.0.1:9")
        with pytest.raises(CommandError, match="did not answer"):
            call_command("check_payments")
    monkeypatch.setattr(settings, "STRIPE_SECRET_KEY", "")
    with pytest.raises(CommandError, match="STRIPE_SECRET_KEY"):
        call_command("check_payments")
    assert not BooksCheck.objects.exists()


def test_other_shops_and_other_modes_are_no_difference(till: Till, alice: Person) -> None:
    session = till.stripe.order("order-7 of another shop")
    till.stripe.pay(session)
    till.row(alice, livemode=True)
    assert checked() == (0, [])


def test_a_payment_that_a_restored_backup_does_not_have(
    till: Till, alice: Person, admin_connection: psycopg.Connection
) -> None:
    payment = till.bought(alice)
    wrecked(admin_connection, "DELETE FROM payments_payment")
    wrecked(admin_connection, "DELETE FROM credits_ledgerentry WHERE kind = 'purchase'")
    code, [problem] = checked()
    assert code == 1
    assert problem == f"Stripe took 500 for payment {payment.pk}, which we do not have"


# --- the daily look ---


def test_the_daily_look_finds_what_nobody_told(till: Till, alice: Person, bob: Person) -> None:
    refunded, disputed, quiet = till.bought(alice), till.bought(bob), till.bought(alice)
    give_back(till, refunded, 100)
    till.stripe.control("dispute", str(disputed.pk)).raise_for_status()
    client = connect(till.worker.http)
    assert daily.look(client) == 2
    assert till.settle() == 2
    for payment, taken in ((refunded, 100), (disputed, 500), (quiet, 0)):
        payment.refresh_from_db()
        assert payment.reversed_credits == taken
    assert set(StripeMark.objects.values_list("object", flat=True)) == {"refunds", "disputes"}
    give_back(till, quiet, 50)
    assert daily.look(client) == 0  # not again on the same day
    StripeMark.objects.update(seen_until=timezone.now() - timedelta(days=1, minutes=1))
    assert daily.look(client) == 1
    assert daily.look(client) == 0


def test_the_task_looks_and_checks_once_a_night(till: Till, alice: Person) -> None:
    till.bought(alice)
    for _ in range(2):
        daily_task()
    assert BooksCheck.objects.filter(command="check_payments").count() == 1
    assert StripeMark.objects.count() == 2


def test_nothing_was_sold_yet(till: Till, alice: Person) -> None:
    result = check_payments(connect(till.worker.http))
    assert result.differences == []
    assert result.counts == {"sessions": 0, "refunds and disputes": 0, "payments": 0}
