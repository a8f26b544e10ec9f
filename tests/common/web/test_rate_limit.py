"""The windows themselves, with a Redis that is there, away, or hung."""

from __future__ import annotations

import os
import signal
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest
import redis

from common.web.rate_limit import RateLimiter
from config.env import limits_storage_url
from dev.embedded.processes import wait_until
from dev.embedded.valkey import ValkeyServer


@pytest.fixture
def valkey(tmp_path):
    with ValkeyServer(tmp_path / "data", tmp_path / "s") as server:
        yield server
        os.kill(server.child.pid, signal.SIGCONT)


def shared_url() -> str:
    return limits_storage_url(os.environ["REDIS_URL"])


def test_decisions():
    one = RateLimiter(shared_url())
    seen = [one.hit("test", 2, 60, "a") for _ in range(3)]
    assert [decision.allowed for decision in seen] == [True, True, False]
    assert [decision.remaining for decision in seen] == [1, 0, 0]
    assert all(50 <= decision.reset_in <= 60 for decision in seen)
    assert not one.peek("test", 2, 60, "a").allowed
    assert one.peek("test", 2, 60, "b") == one.peek("test", 2, 60, "b")
    assert one.hit("other", 2, 60, "a").allowed
    one.clear("test", 2, 60, "a")
    assert one.hit("test", 2, 60, "a").allowed


def test_the_window_moves():
    one = RateLimiter(shared_url())
    assert one.hit("test", 1, 1, "a").allowed
    refused = one.hit("test", 1, 1, "a")
    assert (refused.allowed, refused.reset_in) == (False, 1)
    time.sleep(1.05)
    assert one.hit("test", 1, 1, "a").allowed


def test_two_processes_share_a_window():
    first, second = RateLimiter(shared_url()), RateLimiter(shared_url())
    assert [one.hit("test", 3, 60, "a").allowed for one in (first, second) * 2] == [True] * 3 + [
        False
    ]


def test_keys_carry_our_prefix_and_no_identity():
    RateLimiter(shared_url()).hit("test", 3, 60, "alice@example.com")
    with redis.Redis.from_url(os.environ["REDIS_URL"], decode_responses=True) as client:
        found = client.keys("*")
        assert len(found) == 1
        assert found[0].startswith("reelmint:")
        assert "alice" not in found[0]
        assert 0 < client.ttl(found[0]) <= 60


def count_allowed(one: RateLimiter, limit: int) -> int:
    with ThreadPoolExecutor(16) as pool:
        return sum(pool.map(lambda _: one.hit("test", limit, 60, "a").allowed, range(160)))


def test_exact_under_16_threads():
    assert count_allowed(RateLimiter(shared_url()), 37) == 37


def test_away():
    with closing(socket.socket()) as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    assert count_allowed(RateLimiter(f"redis://127.0.0.1:{port}/0"), 37) == 37
    assert count_allowed(RateLimiter("redis+unix:///nowhere/redis.sock?db=0"), 37) == 37


def test_goes_away_and_comes_back(valkey, monkeypatch):
    monkeypatch.setattr("common.web.rate_limit.REDIS_REST", 0.05)
    one = RateLimiter(limits_storage_url(valkey.url(0)))
    assert one.hit("test", 1, 60, "a").allowed
    valkey.stop()
    assert one.hit("test", 1, 60, "a").allowed  # counted anew, in this process
    assert not one.hit("test", 1, 60, "a").allowed
    valkey.launch()
    valkey.wait()
    assert wait_until(lambda: counts_in(valkey, one), 5)


def counts_in(valkey, one):
    """Whether a request is counted in that server."""
    with redis.Redis.from_url(valkey.url(0)) as client:
        before = client.dbsize()
        one.hit("test", 1, 60, str(time.monotonic()))
        return client.dbsize() > before


def test_full(valkey, monkeypatch):
    monkeypatch.setattr("common.web.rate_limit.REDIS_REST", 0.05)
    one = RateLimiter(limits_storage_url(valkey.url(0)))
    with redis.Redis.from_url(valkey.url(0)) as client:
        client.config_set("maxmemory", "1kb")
        assert count_allowed(one, 37) == 37
        time.sleep(0.2)  # it answers pings, and is not taken for back
        assert not counts_in(valkey, one)
        client.config_set("maxmemory", "0")
        assert wait_until(lambda: counts_in(valkey, one), 5)


@pytest.mark.parametrize("warm", [True, False])
def test_hung(valkey, warm, monkeypatch):
    monkeypatch.setattr("common.web.rate_limit.REDIS_REST", 0.1)
    # so long that a wait for it is no other than a busy machine's; redis-py's own is 5 s
    patience = 2.0
    monkeypatch.setattr("common.web.rate_limit.REDIS_TIMEOUT", patience)
    one = RateLimiter(limits_storage_url(valkey.url(0)))
    if warm:
        one.hit("test", 1000, 60, "a")
    os.kill(valkey.child.pid, signal.SIGSTOP)
    began = time.monotonic()
    assert one.hit("test", 3, 60, "a").allowed
    assert time.monotonic() - began < 2 * patience
    began = time.monotonic()
    assert [one.hit("test", 3, 60, "a").allowed for _ in range(500)].count(True) == 2
    assert time.monotonic() - began < patience  # nobody else waits for it
    time.sleep(0.3)  # a probe is made meanwhile, and no request pays for it
    began = time.monotonic()
    one.hit("test", 3, 60, "a")
    assert time.monotonic() - began < patience / 2


def test_each_window_has_places_of_its_own():
    one = RateLimiter(shared_url())
    seen = [one.hit("test", 2, 60, who) for who in "aabab"]
    assert [decision.allowed for decision in seen] == [True, True, True, False, True]
    assert [decision.remaining for decision in seen] == [1, 0, 1, 0, 0]


def test_scripts_that_redis_forgot(valkey):
    one = RateLimiter(limits_storage_url(valkey.url(0)))
    with redis.Redis.from_url(valkey.url(0)) as client:
        for remaining in (2, 1, 0):
            client.script_flush()
            assert one.hit("test", 3, 60, "a").remaining == remaining
    assert not one.hit("test", 3, 60, "a").allowed


def test_a_connection_that_was_closed_while_idle(valkey, caplog):
    one = RateLimiter(limits_storage_url(valkey.url(0)))
    with redis.Redis.from_url(valkey.url(0)) as client:
        for remaining in (2, 1, 0):
            assert one.hit("test", 3, 60, "a").remaining == remaining
            client.client_kill_filter(_type="normal", skipme=True)
    assert "per process" not in caplog.text


def test_goes_away_between_two_questions(valkey):
    one = RateLimiter(limits_storage_url(valkey.url(0)))
    assert not [one.hit("test", 1, 60, "a") for _ in range(2)][-1].allowed
    answer = one.hit("test", 1, 60, "a")
    os.kill(valkey.child.pid, signal.SIGSTOP)
    late = one.hit("test", 1, 60, "a")
    assert not answer.allowed  # was there already
    assert late.allowed  # counted in this process
