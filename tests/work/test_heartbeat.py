"""Signs of life: left by the loop that works, by Redis's clock, and dispensable."""

from __future__ import annotations

import asyncio
import os
import socket
import time
from collections.abc import Iterator
from typing import Any

import pytest
import redis

from config.celery import app
from generation.models import Generation
from tests.work.test_engine import Line
from work import heartbeat, process
from work.engine import Engine
from work.redis import redis_client
from work.ticks import TickScheduler

ME = f"{socket.gethostname()}:{os.getpid()}"


@pytest.fixture
def signs(monkeypatch: pytest.MonkeyPatch) -> Iterator[redis.Redis]:
    """The Redis of the signs; this process has said nothing yet."""
    monkeypatch.setattr(heartbeat, "_last", {})
    with redis.Redis.from_url(os.environ["REDIS_URL"]) as client:
        client.delete(*(f"beats:{name}" for name in heartbeat.NAMES))
        yield client


def beats() -> heartbeat.Beats:
    found = heartbeat.alive()
    assert found is not None
    return found


def heard(signs: redis.Redis, name: str, worker: str, ago: float) -> None:
    seconds, microseconds = signs.time()
    signs.zadd(f"beats:{name}", {worker: seconds + microseconds / 1e6 - ago})


def test_a_sign_of_life_says_who_and_since_when(signs: redis.Redis) -> None:
    assert beats() == {name: [] for name in heartbeat.NAMES}
    heartbeat.beat("poll")
    [(worker, age)] = beats()["poll"]
    assert worker == ME
    assert 0 <= age < 5
    heard(signs, "poll", "other:1", 40)
    heard(signs, "poll", "gone:1", heartbeat.KEPT + 1)
    assert [(name, round(age, -1)) for name, age in beats()["poll"]] == [(ME, 0), ("other:1", 40)]


def test_it_is_written_every_few_seconds_and_forgets_who_is_gone(
    signs: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard(signs, "poll", "gone:1", heartbeat.KEPT + 1)
    heartbeat.beat("poll")
    assert signs.zrange("beats:poll", 0, -1) == [ME.encode()]
    signs.delete("beats:poll")
    heartbeat.beat("poll")
    assert beats()["poll"] == []
    monkeypatch.setattr(heartbeat, "EVERY", 0.0)
    heartbeat.beat("poll")
    assert [worker for worker, _ in beats()["poll"]] == [ME]
    assert 0 < signs.pttl("beats:poll") <= heartbeat.KEPT * 1000


def test_a_stage_is_silent_when_nobody_was_heard_of(signs: redis.Redis) -> None:
    for name in heartbeat.NAMES:
        heard(signs, name, "here:1", 1)
    assert heartbeat.silent(beats()) == []
    heard(signs, "poll", "here:1", heartbeat.LATE + 2)
    signs.delete("beats:tick")
    assert heartbeat.silent(beats()) == ["tick", "poll"]
    heard(signs, "poll", "here:2", 1)
    assert heartbeat.silent(beats()) == ["tick"]


class Slow(Line):
    """Its one answer comes after 0.3 s."""

    async def _work(self, generation: Generation) -> str:
        await asyncio.sleep(0.3)
        return "done"


def test_a_run_of_a_stage_leaves_signs_to_its_end(
    signs: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also while nothing is claimed any more and an answer is waited for."""
    engine = Engine()
    monkeypatch.setattr(heartbeat, "EVERY", 0.0)
    monkeypatch.setattr(process, "SECONDS", 0.0)
    monkeypatch.setattr(process, "engine", lambda: engine)
    seconds, microseconds = signs.time()
    began = seconds + microseconds / 1e6
    slow: Any = Slow(rows=1, concurrency=1)
    process.run("store", lambda: slow)
    assert slow.finished
    assert float(signs.zscore("beats:store", ME) or 0) >= began + 0.25
    signs.delete("beats:store")
    idle: Any = Line(rows=0, concurrency=1)
    process.run("store", lambda: idle)
    assert [name for name, _ in beats()["store"]] == [ME]
    engine.close()


def test_celery_beat_leaves_one_too(signs: redis.Redis) -> None:
    scheduler = TickScheduler(app=app, lazy=True)
    scheduler.setup_schedule()
    scheduler.apply_async(scheduler.schedule["poll"])
    assert [worker for worker, _ in beats()["tick"]] == [ME]


def test_without_redis_nobody_knows_and_nobody_waits(
    signs: redis.Redis, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    away = redis_client("redis://127.0.0.1:9/0")
    monkeypatch.setattr(heartbeat, "_redis", away)
    began = time.monotonic()
    for _ in range(1000):
        heartbeat.beat("poll")
    assert time.monotonic() - began < 1
    assert caplog.text.count("no sign of life of poll: ConnectionError") == 1
    assert heartbeat.alive() is None
