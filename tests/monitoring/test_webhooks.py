"""Whether receivers are reached at all: many hosts of many customers, or one dead receiver."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import psycopg
import pytest
from django.db import connection
from django.utils import timezone

from events.models import DeliveryState
from monitoring import webhooks
from tests.support.people import Person, make_person
from tests.support.webhook_rows import a_delivery, an_endpoint

FILL = """
INSERT INTO events_webhookdelivery (id, event_id, account_id, url, target, type, state,
       failed_reason, finished_at, last_error, attempts_made, created_at)
SELECT gen_random_uuid(), gen_random_uuid(), %(account)s, 'https://example.com/',
       %(account)s, 'generation.failed', 'succeeded', '', now(), '', 1,
       now() - n * interval '1 minute'
  FROM generate_series(1, %(count)s) n
"""
SUCCEEDED, FAILED, PENDING = DeliveryState.SUCCEEDED, DeliveryState.FAILED, DeliveryState.PENDING


def shown() -> tuple[float, float]:
    """How many were reached, and how many not."""
    [family] = webhooks.webhooks()
    values = {sample.labels["result"]: sample.value for sample in family.samples}
    assert len(values) == 2
    return values["reached"], values["failed"]


def sent(person: Person, host: str, state: DeliveryState = FAILED, **columns: Any) -> None:
    url = f"https://{host}/{state}"
    a_delivery(an_endpoint(person, url=url), state, **columns)
    a_delivery(person, state, **{"url": url, **columns})


def test_nothing_is_sent() -> None:
    assert shown() == (0, 0)


def test_one_customers_dead_receivers_count_once(alice: Person) -> None:
    for number in range(9):
        sent(alice, f"{number}.example.com")
    assert shown() == (0, 1)


def test_a_dead_host_of_many_customers_counts_once() -> None:
    for number in range(5):
        sent(make_person(f"person-{number}"), "Dead.example.com")
        sent(make_person(f"other-{number}"), "dead.example.com")
    assert shown() == (0, 1)


def test_many_hosts_of_many_customers() -> None:
    for number in range(5):
        person = make_person(f"person-{number}")
        sent(person, f"{number}.example.com")
        sent(person, f"{number}.example.org", SUCCEEDED)
    assert shown() == (5, 5)
    sent(person, "0.example.com", SUCCEEDED)  # so the host takes what it is sent
    assert shown() == (5, 4)


def test_only_attempts_of_these_minutes(alice: Person) -> None:
    sent(alice, "example.com", created_at=timezone.now() - timedelta(minutes=16))
    sent(alice, "example.com", PENDING)  # nobody has tried yet
    assert shown() == (0, 0)
    sent(alice, "example.com", PENDING, attempts_made=1, last_error="connection")
    assert shown() == (0, 1)


def test_it_reads_the_newest_by_their_index(
    alice: Person, admin_connection: psycopg.Connection
) -> None:
    """Of one delivery a minute for two weeks; few rows would be read by any index."""
    with admin_connection.transaction():
        admin_connection.execute("SET LOCAL session_replication_role = replica")  # no events
        admin_connection.execute(FILL, {"account": alice.account.pk, "count": 20_000})
    admin_connection.execute("VACUUM ANALYZE events_webhookdelivery")
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {webhooks.RECEIVERS}", [webhooks.MOST])
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert "Index Scan using delivery_newest" in plan, plan


@pytest.mark.parametrize("url", ["", "x", "https://", "https://[::1]:8443/a?b"])
def test_any_url(alice: Person, url: str) -> None:
    a_delivery(alice, FAILED, url=url)
    assert sum(shown()) in (0, 1)
