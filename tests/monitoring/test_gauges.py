"""What the database and Redis know, as a scrape of the web shows it."""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx
import psycopg
import pytest
import redis
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from events.models import WebhookDelivery, WebhookEndpoint
from generation import lifecycle, waiting
from generation.inputs import image_queue
from generation.models import Generation, Orphan, ProviderGate
from generation.models.states import State
from monitoring import endpoint, gauges
from tests.contract.test_our_faults import database_away
from tests.support.bring_to import created, reached
from tests.support.deliveries import delivery_to, endpoint_of, event_of
from tests.support.people import Person, make_person
from tests.support.scraped import Samples, samples, value
from tests.support.works import Works, age
from work import heartbeat


@pytest.fixture
def scraped(base_url: str, monkeypatch: pytest.MonkeyPatch) -> Callable[[], Samples]:
    monkeypatch.setattr(gauges._newest, "seconds", -1.0)
    return lambda: samples(httpx.get(f"{base_url}/metrics").raise_for_status().text)


def test_open_generations_and_how_long_they_have_waited(
    scraped: Callable[[], Samples], alice: Person
) -> None:
    queued = reached(alice, State.QUEUED)
    reached(alice, State.RUNNING)
    storing = reached(alice, State.STORING)
    reached(alice, State.COMPLETED)
    age(str(queued.pk), next_attempt_at="-40 seconds", created_at="-2 hours")
    age(str(storing.pk), next_attempt_at="30 seconds")
    found = scraped()
    model = queued.model_id
    for state, count in (("queued", 1), ("running", 1), ("storing", 1), ("completed", 0)):
        assert value(found, "reelmint_generations_open", model=model, state=state) == count
    oldest = value(found, "reelmint_oldest_open_seconds", model=model)
    assert oldest == pytest.approx(7200, abs=60)
    due = {
        stage: value(found, "reelmint_oldest_due_seconds", stage=stage)
        for stage in ("submit", "poll", "store")
    }
    assert due["submit"] == pytest.approx(40, abs=20)
    assert due["store"] == 0  # not due yet
    assert value(found, "reelmint_database_up") == 1


def test_scrapes_of_one_moment_ask_once(
    base_url: str, alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"{base_url}/metrics"
    monkeypatch.setattr(gauges._newest, "seconds", -1.0)
    httpx.get(url)
    monkeypatch.setattr(gauges._newest, "seconds", 60.0)
    generation = reached(alice, State.QUEUED)
    labels = {"model": generation.model_id, "state": "queued"}
    assert value(samples(httpx.get(url).text), "reelmint_generations_open", **labels) == 0
    monkeypatch.setattr(gauges._newest, "seconds", -1.0)
    assert value(samples(httpx.get(url).text), "reelmint_generations_open", **labels) == 1


def test_the_gates(scraped: Callable[[], Samples], alice: Person) -> None:
    model = reached(alice, State.RUNNING).model_id
    found = scraped()
    assert value(found, "reelmint_breaker_open", model=model) == 0
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO generation_providergate (model_id, next_submit_at, window_ends_at, calls,"
            " failures, quota_errors, trips, open_until, held_until)"
            " VALUES (%s, now(), now(), 0, 0, 0, 1, now() + interval '1 minute',"
            " now() - interval '1 second')"
            " ON CONFLICT (model_id) DO UPDATE SET open_until = EXCLUDED.open_until",
            [model],
        )
    found = scraped()
    assert value(found, "reelmint_breaker_open", model=model) == 1
    assert value(found, "reelmint_gate_held", model=model) == 0
    ProviderGate.objects.update(open_until=None, held_until="2999-01-01T00:00:00Z")
    found = scraped()
    assert value(found, "reelmint_breaker_open", model=model) == 0
    assert value(found, "reelmint_gate_held", model=model) == 1


def test_the_books(scraped: Callable[[], Samples], alice: Person) -> None:
    name, label = "reelmint_books_checked_timestamp_seconds", "check_ledger"
    assert value(scraped(), name, command=label) == 0
    call_command("check_ledger")
    found = scraped()
    assert value(found, name, command=label) == pytest.approx(time.time(), abs=60)
    assert value(found, "reelmint_books_differences", command=label) == 0
    assert value(found, name, command="check_generations") == 0


def test_differences_show_until_a_check_is_clean(
    scraped: Callable[[], Samples], alice: Person, admin_connection
) -> None:
    wrong = "UPDATE credits_wallet SET balance = balance + %s WHERE account_id = %s"
    admin_connection.execute(wrong, (1, alice.account.pk))
    with pytest.raises(SystemExit):
        call_command("check_ledger")
    name, labels = "reelmint_books_differences", {"command": "check_ledger"}
    assert value(scraped(), name, **labels) == 1
    admin_connection.execute(wrong, (-1, alice.account.pk))
    assert value(scraped(), name, **labels) == 1
    call_command("check_ledger")
    assert value(scraped(), name, **labels) == 0


def test_orphans_and_connections(scraped: Callable[[], Samples], alice: Person) -> None:
    generation = reached(alice, State.COMPLETED)
    before = value(scraped(), "reelmint_orphans")
    Orphan.objects.create(attempt=generation.attempts.get(), uri="gs://b/x")
    found = scraped()
    assert value(found, "reelmint_orphans") == before + 1
    assert value(found, "reelmint_database_connections", state="active") >= 1
    assert value(found, "reelmint_database_connections_limit") == 300


def test_workers(scraped: Callable[[], Samples]) -> None:
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        seconds, _ = client.time()
        client.zadd("beats:poll", {"here:1": seconds - 3, "here:2": seconds - 50})
        client.zadd("beats:sweep", {"here:3": seconds - 50})
        found = scraped()
        client.delete("beats:poll", "beats:sweep")
    alive = {n: value(found, "reelmint_workers", stage=n) for n in heartbeat.NAMES}
    busy = {"poll": 1, "sweep": 1}
    assert alive == dict.fromkeys(heartbeat.NAMES, 0) | busy
    seen = value(found, "reelmint_worker_seen_seconds", stage="poll")
    assert 3 <= seen < gauges.SEEN
    assert value(found, "reelmint_broker_up") == 1


def labelled() -> set[tuple[str, frozenset[tuple[str, str]]]]:
    """Every series of the gauges."""
    return {
        (sample.name, frozenset(sample.labels.items()))
        for family in gauges.GenerationGauges().collect()
        for sample in family.samples
    }


def test_no_series_comes_or_goes_whatever_happens() -> None:
    """Of an empty service, and of one where every state, gate, check and worker is there."""
    before = labelled()
    customer = make_person("rich", 10_000)
    for state in State:
        reached(customer, state)
    ProviderGate.objects.update(held_until="2999-01-01T00:00:00Z")
    call_command("check_ledger")
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        seconds, _ = client.time()
        for name in heartbeat.NAMES:
            client.zadd(f"beats:{name}", {"here:1": seconds})
    with psycopg.connect(os.environ["TEST_ADMIN_URL"]) as other:
        other.execute("SELECT 1")  # idle in transaction from now on
        during = labelled()
        with pytest.raises(psycopg.Error):
            other.execute("SELECT 1 / 0")
        failed = labelled()
    assert during == before
    assert failed == before


def test_each_labelled_gauge_has_a_series_in_an_empty_service() -> None:
    """So that the test above walks over all of them."""
    for family in gauges.GenerationGauges().collect():
        assert family.samples, family.name


def test_without_the_database_only_that_is_said(scraped: Callable[[], Samples]) -> None:
    with database_away():
        found = scraped()
    assert value(found, "reelmint_database_up") == 0
    assert value(found, "reelmint_broker_up") == 1
    assert not [name for name, _ in found if name.startswith("reelmint_oldest_due")]
    assert value(scraped(), "reelmint_database_up") == 1


def test_one_scrape_costs_a_handful_of_statements(alice: Person, django_assert_max_num_queries):
    reached(alice, State.RUNNING)
    with django_assert_max_num_queries(10):
        list(gauges.GenerationGauges().collect())
    assert endpoint.PATH == "/metrics"


def test_ends_and_refunds_are_counted_once(
    scraped: Callable[[], Samples], works: Works, start: Callable[..., str], alice: Person
) -> None:
    before = scraped()

    def grown(name: str, **labels: str) -> float:
        return value(scraped(), name, **labels) - value(before, name, **labels)

    good, bad, unwanted = start(alice), start(alice, prompt="x [emulator:filtered]"), start(alice)
    assert lifecycle.cancel(Generation.objects.get(pk=unwanted).pk)
    assert not lifecycle.cancel(Generation.objects.get(pk=unwanted).pk)
    assert works.finish(good).state == State.COMPLETED
    failed = works.finish(bad)
    model, video = {"model": failed.model_id}, {"model": failed.model_id, "kind": "video"}
    ended = "reelmint_generations_ended_total"
    assert grown("reelmint_generations_created_total", **model) == 3
    assert grown("reelmint_credits_charged_total", **model) == 3 * 240
    assert grown(ended, state="completed", code="", **video) == 1
    assert grown(ended, state="failed", code="content_filtered", **video) == 1
    assert grown(ended, state="canceled", code="", **video) == 1
    refunded = "reelmint_credits_refunded_total"
    assert grown(refunded, code="content_filtered", **model) == 240
    assert grown(refunded, code="canceled", **model) == 240
    assert grown("reelmint_generation_duration_seconds_count", **model) == 1
    calls = "reelmint_provider_calls_total"
    assert grown(calls, call="submit", outcome="accepted") == 2
    assert grown(calls, call="fetch_output", outcome="fetched") == 1
    assert grown("reelmint_claimed_rows_sum", stage="submit") >= 2


def test_a_late_write_back_is_counted(scraped: Callable[[], Samples], alice: Person) -> None:
    generation = reached(alice, State.RUNNING)
    before = value(scraped(), "reelmint_fenced_writes_total")
    generation.lease_token = None
    assert not lifecycle.adopt(generation, "gs://b/x")
    assert not lifecycle.fail(generation, "timeout", "too late")
    assert not waiting.postpone(generation, 1.0)
    assert waiting.poll_again([(generation, 1.0)]) == 0
    assert value(scraped(), "reelmint_fenced_writes_total") == before + 4


def test_source_images_that_wait_for_a_worker_are_told_apart(
    scraped: Callable[[], Samples], alice: Person, bob: Person
) -> None:
    """Neither the submits nor an account that waits for itself makes the figure grow."""
    urls = ["https://a.example/x.png"]
    mine = [created(alice, source_image_urls=urls) for _ in range(2)]
    age(str(mine[0].pk), next_attempt_at="-40 seconds")
    found = scraped()
    assert value(found, "reelmint_oldest_due_seconds", stage="prepare") == pytest.approx(40, abs=20)
    assert value(found, "reelmint_oldest_due_seconds", stage="submit") == 0
    assert len(image_queue.claim(1)) == 1
    age(str(mine[1].pk), next_attempt_at="-40 seconds")
    assert value(scraped(), "reelmint_oldest_due_seconds", stage="prepare") == 0
    theirs = created(bob, source_image_urls=urls)
    age(str(theirs.pk), next_attempt_at="-20 seconds")
    assert value(scraped(), "reelmint_oldest_due_seconds", stage="prepare") > 10


def test_deliveries_that_nobody_sends(scraped: Callable[[], Samples], alice: Person) -> None:
    """A receiver that is slow, or has one under way, is not waited for by us."""
    event = event_of(reached(alice, State.FAILED))
    moment = timezone.now()

    def waits(endpoint: WebhookEndpoint | str, seconds: float, **columns: Any) -> WebhookDelivery:
        at = moment - timedelta(seconds=seconds)
        return delivery_to(endpoint, event, due=False, next_attempt_at=at, **columns)

    def oldest() -> float:
        return value(scraped(), "reelmint_oldest_due_seconds", stage="deliver")

    assert oldest() == 0
    waits(endpoint_of(alice), -60)
    waits(endpoint_of(alice, is_prompt=False), 500)
    assert oldest() == 0
    waits("https://example.com/of-an-order", 20)
    assert oldest() == pytest.approx(20, abs=10)
    busy = endpoint_of(alice, is_prompt=True)
    waits(busy, 300)
    assert oldest() == pytest.approx(300, abs=10)
    other = event_of(reached(alice, State.FAILED))
    WebhookDelivery.objects.filter(event=other).exclude(endpoint=busy).update(
        next_attempt_at=moment + timedelta(days=1)
    )
    WebhookDelivery.objects.filter(event=other, endpoint=busy).update(
        next_attempt_at=moment + timedelta(seconds=30), lease_token=uuid.uuid4()
    )
    assert oldest() == pytest.approx(20, abs=10)
