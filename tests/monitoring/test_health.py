"""/readyz: what keeps this process from serving, and what somebody should look at."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator

import httpx
import pytest
import redis
from django.conf import settings
from django.test import Client
from pytest_django.fixtures import Settings

from common.fresh import Fresh
from dev.embedded.services import STAGES
from generation.models.states import State
from monitoring import health
from tests.contract.test_our_faults import database_away
from tests.support.bring_to import reached
from tests.support.people import Person
from tests.support.works import age
from work import heartbeat
from work.redis import redis_client

Ask = Callable[[], httpx.Response]


@pytest.fixture
def ready(base_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ask]:
    """Asks anew each time."""
    monkeypatch.setattr(health._newest, "seconds", -1.0)
    with httpx.Client(base_url=base_url) as client:
        yield lambda: client.get("/readyz")
    Fresh.clear_all()


@pytest.fixture
def signs() -> Iterator[redis.Redis]:
    """Everybody has just been heard of."""
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        seconds, microseconds = client.time()
        for name in heartbeat.NAMES:
            client.zadd(f"beats:{name}", {"here:1": seconds + microseconds / 1e6 - 2})
        yield client
        client.delete(*(f"beats:{name}" for name in heartbeat.NAMES))


def test_all_is_well(ready: Ask, signs: redis.Redis) -> None:
    answer = ready()
    body = answer.json()
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    assert 2 <= body.pop("last_tick_seconds") < heartbeat.LATE  # however busy the machine is
    assert body == {
        "status": "ok",
        "database": "ok",
        "migrations": "ok",
        "broker": "ok",
        "silent": [],
        "oldest_due_seconds": dict.fromkeys(STAGES, 0),
        "warnings": [],
    }


def test_what_waits_is_a_warning(ready: Ask, signs: redis.Redis, alice: Person) -> None:
    waiting = reached(alice, State.QUEUED)
    age(str(waiting.pk), next_attempt_at="-10 minutes")
    signs.delete("beats:poll", "beats:tick")
    answer = ready()
    body = answer.json()
    assert (answer.status_code, body["status"]) == (200, "ok")
    assert body["oldest_due_seconds"]["submit"] == pytest.approx(600, abs=20)
    assert body["last_tick_seconds"] is None
    assert body["silent"] == ["tick", "poll"]
    assert [warning.partition(":")[0] for warning in body["warnings"]] == [
        "nobody was heard of",
        "nobody was heard of",
        "due for 600 s",
    ]


def test_the_broker_is_a_warning(ready: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    nobody = redis_client("redis://127.0.0.1:9/0")
    monkeypatch.setattr(heartbeat, "_redis", nobody)
    answer = ready()
    body = answer.json()
    assert (answer.status_code, body["status"], body["broker"]) == (200, "ok", "away")
    assert body["warnings"] == ["the broker is away"]


def test_without_the_database_nobody_is_sent_here(ready: Ask) -> None:
    with database_away():
        answer = ready()
    body = answer.json()
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "2")
    assert (body["success"], body["code"]) == (False, "service_unavailable")
    assert (body["status"], body["database"]) == ("unavailable", "away")
    assert body["request_id"] == answer.headers["X-Request-ID"]
    assert ready().status_code == 200


def test_code_that_is_newer_than_the_database_waits(ready: Ask, admin_connection) -> None:
    condition = "WHERE app = 'credits' AND name = '0002_guards'"
    admin_connection.execute(f"UPDATE django_migrations SET app = 'later' {condition}")
    try:
        answer = ready()
    finally:
        admin_connection.execute("UPDATE django_migrations SET app = 'credits' WHERE app = 'later'")
    assert (answer.status_code, answer.json()["migrations"]) == (503, "1 not applied")
    assert ready().status_code == 200


@pytest.mark.parametrize("away", [False, True])
def test_how_busy_we_are_is_nobody_elses(
    away: bool, client: Client, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health._newest, "seconds", -1.0)
    settings.METRICS_TOKEN = "watch-" * 5
    status = 503 if away else 200
    with database_away() if away else contextlib.nullcontext():
        stranger = client.get("/readyz", REMOTE_ADDR="203.0.113.9")
        proxied = client.get("/readyz", headers={"X-Forwarded-For": "10.0.0.1"})
        own = client.get("/readyz", REMOTE_ADDR="127.0.0.1")
        bearer = {"Authorization": f"Bearer {settings.METRICS_TOKEN}"}
        known = client.get("/readyz", headers=bearer, REMOTE_ADDR="203.0.113.9")
    for answer in (stranger, proxied):
        assert answer.status_code == status
        told = {"success", "error", "code", "request_id", "status"} if away else {"status"}
        assert set(answer.json()) == told
    for answer in (own, known):
        assert answer.status_code == status
        assert {"status", "database"} < set(answer.json())


def test_it_is_cheap(base_url: str, signs: redis.Redis, django_assert_num_queries) -> None:
    Fresh.clear_all()
    with django_assert_num_queries(2):
        health._newest()
        health._newest()
    with httpx.Client(base_url=base_url) as client:
        client.get("/readyz")
        taken = []
        for _ in range(20):
            began = time.perf_counter()
            assert client.get("/readyz").status_code == 200
            taken.append(time.perf_counter() - began)
        assert min(taken) < 0.05  # of the mean a busy machine decides
    Fresh.clear_all()
