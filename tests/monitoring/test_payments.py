"""The gauges of payments, as a scrape of the web shows them."""

from __future__ import annotations

from datetime import datetime, timedelta

import psycopg
import pytest
from django.db import connection, transaction
from django.utils import timezone

from monitoring import payments
from payments.models import StripeEvent
from payments.models.reversal import TO_ANSWER
from payments.models.states import State
from tests.support.people import Person
from tests.support.purchases import a_dispute, a_payment, a_reversal, more_like


def shown() -> dict[str, float]:
    return {
        family.name.removeprefix("reelmint_"): family.samples[0].value
        for family in payments.payments()
    }


def test_what_waits_for_a_person(alice: Person) -> None:
    assert shown() == {"payments_mismatched": 0, "disputes_to_answer": 0, "payments_unannounced": 0}
    for state in State:
        a_payment(alice, state)
    for status in (*TO_ANSWER, "under_review", "lost", "won", "a_new_word"):
        a_dispute(a_payment(alice), status=status)
    a_reversal(a_payment(alice), 1, 1, status=TO_ANSWER[0])  # a refund never waits for an answer
    assert shown()["payments_mismatched"] == 1
    assert shown()["disputes_to_answer"] == len(TO_ANSWER)


def ago(**past: float) -> datetime:
    return timezone.now() - timedelta(**past)


def sent(event: str, received_at: datetime) -> None:
    StripeEvent.objects.create(
        event_id=event, type="x", livemode=False, object_id="cs_x", received_at=received_at
    )


def test_payments_that_no_webhook_told_of(alice: Person) -> None:
    a_payment(alice, finished_at=ago(minutes=4))  # the webhook may be under way
    a_payment(alice, State.FAILED, finished_at=ago(hours=1))
    a_payment(alice, created_at=ago(days=2, hours=1), finished_at=ago(days=2))
    assert shown()["payments_unannounced"] == 0
    a_payment(alice, finished_at=ago(minutes=6))
    a_payment(alice, finished_at=ago(minutes=50))
    assert shown()["payments_unannounced"] == 2
    sent("evt_1", ago(minutes=52))  # of the later two one came soon after it
    assert shown()["payments_unannounced"] == 1
    sent("evt_2", ago(minutes=1))
    assert shown()["payments_unannounced"] == 0


@pytest.fixture
def years_of_payments(alice: Person, admin_connection: psycopg.Connection) -> None:
    """One in 10 hours. Without them, what other tests left in the statistics decides the plan."""
    over = a_payment(alice, State.FAILED)
    more_like(over, [ago(hours=10 * number) for number in range(3_000)])
    for table in ("payments_payment", "payments_reversal"):
        admin_connection.execute(f"VACUUM ANALYZE {table}")


@pytest.mark.usefixtures("years_of_payments")
@pytest.mark.parametrize("index", ["payment_mismatched", "dispute_to_answer", "payment_newest"])
def test_a_scrape_reads_no_table_as_a_whole(index: str) -> None:
    with connection.cursor() as cursor, transaction.atomic():
        cursor.execute("SET LOCAL enable_seqscan = off")  # of reversals there are none
        cursor.execute(f"EXPLAIN {payments.PAYMENTS}", [list(TO_ANSWER)])
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert index in plan, plan
    assert "Seq Scan" not in plan
