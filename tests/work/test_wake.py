"""Wake-ups are hints: never in the way of a request, never piling up, all of them dispensable."""

from __future__ import annotations

import json
import os
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import redis
from kombu.exceptions import OperationalError
from redis.backoff import NoBackoff
from redis.retry import Retry

from config.celery import app
from dev.embedded.processes import wait_until
from dev.embedded.valkey import ValkeyServer
from tests.support.people import Person
from work import queue as celery_queue
from work import wake
from work.redis import redis_client
from work.ticks import TickScheduler

Api = Callable[..., httpx.Client]
PATH = "/api/v1/generate/video/"


@pytest.fixture
def queue() -> Iterator[redis.Redis]:
    """The Redis that wake-ups go to."""
    with redis.Redis.from_url(os.environ["REDIS_URL"]) as client:
        assert wait_until(lambda: not wake._waker._stages, 20)
        time.sleep(4 * wake.PAUSE)  # what an earlier test hinted at is published by now
        client.delete(*wake.STAGES, *(f"wake:{stage}" for stage in wake.STAGES))
        yield client


def settled(queue: redis.Redis, stage: str, length: int) -> bool:
    """Whether the stage's queue gets to that length, and stays there for a moment."""
    ends = time.monotonic() + 5
    while queue.llen(stage) != length and time.monotonic() < ends:
        time.sleep(0.01)
    time.sleep(4 * wake.PAUSE)
    return bool(queue.llen(stage) == length)


def expected() -> dict[str, int]:
    """How many messages are in each queue when every stage was woken: one of each stage."""
    return dict(Counter(wake.QUEUES.values()))


def message(queue: redis.Redis, stage: str) -> dict[str, Any]:
    found = queue.lindex(stage, 0)
    assert isinstance(found, bytes)
    return dict(json.loads(found))


def test_a_create_wakes_the_submit_stage_once(api: Api, alice: Person, queue: redis.Redis) -> None:
    client = api(alice.key)
    for _ in range(4):
        assert client.post(PATH, json={"prompt": "p"}).status_code == 201
    assert settled(queue, "submit", 1)
    headers = message(queue, "submit")["headers"]
    assert headers["task"] == "generation.submit"
    assert headers["expires"] is None  # hosts disagree about the time
    assert (headers["eta"], headers["retries"]) == (None, 0)


def test_what_was_refused_or_replayed_wakes_nobody(
    api: Api, alice: Person, queue: redis.Redis
) -> None:
    client = api(alice.key, **{"Idempotency-Key": "k"})
    assert client.post(PATH, json={"prompt": ""}).status_code == 400
    assert settled(queue, "submit", 0)
    client.post(PATH, json={"prompt": "p"})
    assert settled(queue, "submit", 1)
    queue.delete("submit")
    assert client.post(PATH, json={"prompt": "p"}).headers["Idempotent-Replayed"] == "true"
    assert settled(queue, "submit", 0)


def test_a_hundred_hints_are_one_message_a_stage(queue: redis.Redis) -> None:
    for _ in range(100):
        for stage in wake.STAGES:
            wake.wake(stage)
    assert all(settled(queue, name, stages) for name, stages in expected().items())


def test_a_new_hint_follows_one_that_was_taken(queue: redis.Redis) -> None:
    assert wake.publish("poll")
    assert not wake.publish("poll")
    queue.delete("poll")  # a busy worker has it in its memory
    assert not wake.publish("poll")
    wake.taken("poll")
    assert wake.publish("poll")
    assert queue.llen("poll") == 1


def test_a_hint_from_before_the_last_run_is_stale(
    queue: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wake, "_began", {})
    assert wake.publish("poll")
    sent = message(queue, "poll")["headers"]["sent"]
    assert not wake.is_stale("poll", sent, sent + 1)  # this process never looked
    wake.taken("poll")
    began = wake._began["poll"]
    assert sent < began
    assert wake.is_stale("poll", sent, began + 20)
    assert not wake.is_stale("store", sent, began + 20)
    assert not wake.is_stale("poll", began, began + 20)  # sent since
    assert not wake.is_stale("poll", None, began + 20)  # sent by hand
    assert not wake.is_stale("poll", sent, began - 60)  # another server, whose clock is behind


class SlowToFlag(redis.Redis):
    """A run begins after the queue's length was asked for, before the flag is set."""

    def llen(self, name: Any) -> Any:
        length = super().llen(name)
        wake.taken("poll")
        return length


def test_a_run_between_two_commands_of_a_hint_does_not_make_it_stale(
    queue: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its flag may hold back a hint of something that was committed after that run's claim."""
    monkeypatch.setattr(wake, "_began", {})
    monkeypatch.setattr(wake, "_redis", SlowToFlag.from_url(os.environ["REDIS_URL"]))
    assert wake.publish("poll")
    began = wake._began["poll"]
    sent = message(queue, "poll")["headers"]["sent"]
    assert not wake.is_stale("poll", sent, began + 20)


def test_a_hint_that_was_lost_holds_up_the_next_for_seconds_only(
    queue: redis.Redis,
) -> None:
    assert wake.publish("store")
    queue.delete("store")
    assert not wake.publish("store")
    assert 0 < queue.pttl("wake:store") <= 3000
    queue.pexpire("wake:store", 1)
    time.sleep(0.01)
    assert wake.publish("store")


def test_a_flushed_redis_holds_up_nothing(queue: redis.Redis) -> None:
    assert wake.publish("submit")
    queue.flushdb()
    assert wake.publish("submit")


def test_nothing_piles_up_when_nobody_works(
    queue: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wake, "FLAG_SECONDS", 0.001)
    for _ in range(5):
        wake.publish("submit")
        time.sleep(0.002)
    assert queue.llen("submit") == 1


def test_stages_that_share_a_queue_do_not_hold_each_other_up(
    queue: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(wake.QUEUES, "guest", "poll")
    monkeypatch.setitem(wake.TASKS, "guest", "generation.guest")
    assert wake.publish("poll")
    assert wake.publish("guest")
    assert not wake.publish("guest")
    assert queue.llen("poll") == 2
    queue.delete("wake:guest")


def test_a_tick_is_coalesced_with_what_waits(queue: redis.Redis) -> None:
    scheduler = TickScheduler(app=app, lazy=True)
    scheduler.setup_schedule()
    assert set(scheduler.schedule) == set(wake.STAGES)
    for entry in list(scheduler.schedule.values()):
        scheduler.apply_async(entry)
        scheduler.apply_async(entry, advance=False)
    assert {name: queue.llen(name) for name in expected()} == expected()
    for entry in scheduler.schedule.values():
        is_due, wait = entry.is_due()
        assert not is_due
        assert 0 < wait <= wake.INTERVALS[str(entry.name)]


def use_redis(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setattr(wake, "_redis", redis_client(url))


def use_patient_redis(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    """Whoever waits for it waits so long that no busy machine can be the reason."""
    patient = redis.Redis.from_url(url, socket_timeout=30, retry=Retry(NoBackoff(), 0))
    monkeypatch.setattr(wake, "_redis", patient)


def hinting_takes(times: int = 100) -> float:
    began = time.monotonic()
    for _ in range(times):
        wake.wake("submit")
    return time.monotonic() - began


def test_an_absent_redis_costs_nothing(
    api: Api, alice: Person, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    use_redis(monkeypatch, "redis://127.0.0.1:9/0")
    assert not wake.publish("submit")
    assert "no wake-up for submit: ConnectionError" in caplog.text
    assert hinting_takes() < 0.5
    assert api(alice.key).post(PATH, json={"prompt": "p"}).status_code == 201


def test_a_hung_redis_costs_nothing(
    api: Api, alice: Person, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with ValkeyServer(tmp_path / "data", tmp_path / "s") as server:
        use_patient_redis(monkeypatch, server.url())
        server.child.signal(signal.SIGSTOP)
        try:
            assert hinting_takes() < 10
            began = time.monotonic()
            assert api(alice.key).post(PATH, json={"prompt": "p"}).status_code == 201
            assert time.monotonic() - began < 10
        finally:
            server.child.signal(signal.SIGCONT)


def test_a_worker_tries_once_a_second_to_get_its_broker_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert celery_queue.RECONNECT == 1
    assert app.conf.broker_connection_max_retries is None
    monkeypatch.setattr(celery_queue, "RECONNECT", 0.01)
    pauses: list[float] = []
    broker = app.connection_for_read("redis://127.0.0.1:9/0")
    with broker, pytest.raises(OperationalError):
        broker.ensure_connection(lambda error, pause: pauses.append(pause), 20)
    assert pauses == [0.01] * 20
