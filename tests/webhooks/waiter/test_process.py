"""The real process: it holds what is open, and answers like web in all else."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial

import httpx
import pytest
from django.db import connections

from dev.embedded.processes import wait_until
from generation import lifecycle
from generation.models import Generation
from generation.models.states import State
from tests.contract.answers import error
from tests.support.bring_to import created, reached
from tests.support.people import Person
from tests.webhooks.waiter.conftest import Running
from tests.webhooks.waiter.reading import parsed

Api = Callable[..., httpx.Client]
WAIT, STREAM = "/api/v1/generate/{}/?wait={}", "/api/v1/generate/{}/events/"


@contextmanager
def canceled_when_held(
    waiter: Running, kind: str, generation: Generation, *, held: int = 1, after: float = 0.0
) -> Iterator[Future[float]]:
    """Cancel it ``after`` seconds from when so many requests are held; the moment is the result."""

    def cancel() -> float:
        try:
            assert wait_until(lambda: waiter.holds(kind) == held, 15)
            time.sleep(after)
            moment = time.monotonic()
            lifecycle.cancel(generation.pk)
            return moment
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as thread:
        moment = thread.submit(cancel)
        yield moment
        moment.result()  # raises what it met


def test_a_wait_ends_with_the_generation(waiter: Running, api: Api, alice: Person) -> None:
    generation = created(alice)
    with canceled_when_held(waiter, "wait", generation, after=1.0) as canceled:
        answer = waiter.client(alice).get(WAIT.format(generation.pk, 20))
        answered = time.monotonic()
        assert 0 <= answered - canceled.result() <= 2.5
    assert answer.headers["Preference-Applied"] == "wait=20"
    status = api(alice.key).get(f"/api/v1/generate/{generation.pk}/")
    assert answer.json() == status.json()
    assert answer.json()["status"] == "canceled"
    same = {"Content-Type", "Cache-Control", "ETag", "Vary", "X-Content-Type-Options"}
    assert {name: answer.headers[name] for name in same} == {
        name: status.headers[name] for name in same
    }
    assert "Retry-After" not in answer.headers
    assert len(answer.headers["X-Request-ID"]) == 32


def test_prefer_waits_as_well_and_a_wait_that_runs_out_is_no_error(
    waiter: Running, alice: Person
) -> None:
    generation, began = created(alice), time.monotonic()
    path = f"/api/v1/generate/{generation.pk}"
    answer = waiter.client(alice).get(path, headers={"Prefer": "respond-async, wait=1"})
    assert 1.0 <= time.monotonic() - began < 4
    assert (answer.status_code, answer.json()["status"]) == (200, "processing")
    assert answer.headers["Preference-Applied"] == "wait=1"
    assert 1 <= int(answer.headers["Retry-After"]) <= 30
    seen = {"If-None-Match": answer.headers["ETag"]}
    again = waiter.client(alice).get(f"{path}/?wait=1", headers=seen)
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["Preference-Applied"] == "wait=1"
    assert "Content-Type" not in again.headers


def test_what_is_known_is_answered_at_once(waiter: Running, alice: Person) -> None:
    client, began = waiter.client(alice), time.monotonic()
    over = reached(alice, State.FAILED)
    answer = client.get(WAIT.format(over.pk, 20))
    assert (answer.status_code, answer.json()["status"]) == (200, "failed")
    assert "Preference-Applied" not in answer.headers
    answer = client.get(f"/api/v1/generate/{created(alice).pk}/")  # nothing said about waiting
    assert (answer.status_code, "Preference-Applied" in answer.headers) == (200, False)
    assert client.head(WAIT.format(created(alice).pk, 20)).status_code == 200
    assert time.monotonic() - began < 10


@pytest.mark.parametrize("path", [WAIT, STREAM])
def test_errors_come_at_once_and_are_those_of_web(
    path: str, waiter: Running, api: Api, alice: Person, bob: Person
) -> None:
    generation = created(alice)
    for place in (str(generation.pk), "0" * 32, "-"):
        for person in (None, alice, bob):
            for wait in (20, 99):
                if person is alice and place == str(generation.pk) and (wait, path) != (99, WAIT):
                    continue  # would be held
                asked = path.format(place, wait)
                here = waiter.client(person).get(asked)
                there = api(person and person.key).get(asked)
                assert here.status_code == there.status_code >= 400
                theirs = there.json() | {"request_id": here.headers["X-Request-ID"]}
                assert here.json() == theirs
                names = set(there.headers) - {"server", "date", "connection", "content-length"}
                assert set(here.headers) - {"server", "date", "content-length"} == names


def test_a_stream_tells_states_and_the_end(waiter: Running, api: Api, alice: Person) -> None:
    generation = created(alice)
    with canceled_when_held(waiter, "stream", generation, after=1.0):
        answer = waiter.client(alice).get(STREAM.format(generation.pk))
    assert answer.headers["Content-Type"] == "text/event-stream; charset=utf-8"
    assert answer.headers["Cache-Control"] == "no-store"
    retry, *states, done = parsed(answer.text)
    assert 3000 <= int(retry["retry"]) <= 6000
    first, last = json.loads(states[0]["data"]), json.loads(states[-1]["data"])
    status = api(alice.key).get(f"/api/v1/generate/{generation.pk}/").json()
    assert (first["status"], last) == ("processing", status)
    assert json.loads(done["data"]) == {"status": "canceled"}
    assert len({state["id"] for state in states}) == len(states)
    # who has all is told so; who has an older one gets the newest
    seen = {"Last-Event-ID": done["id"]}
    assert waiter.client(alice).get(STREAM.format(generation.pk), headers=seen).status_code == 204
    seen = {"Last-Event-ID": states[0]["id"]}
    again = parsed(waiter.client(alice).get(STREAM.format(generation.pk), headers=seen).text)
    assert [each.get("event") for each in again] == [None, "status", "done"]


def test_a_client_that_comes_back_gets_no_frame_twice(waiter: Running, alice: Person) -> None:
    generation = created(alice)
    path = STREAM.format(generation.pk)
    with waiter.client(alice).stream("GET", path) as answer:
        lines = answer.iter_lines()
        identity = next(line for line in lines if line.startswith("id: ")).removeprefix("id: ")
    assert wait_until(lambda: waiter.holds("stream") == 0, 5)
    with canceled_when_held(waiter, "stream", generation, after=0.5):
        again = waiter.client(alice).get(path, headers={"Last-Event-ID": identity})
    events = [each.get("event") for each in parsed(again.text)]
    assert events == [None, "status", "done"]


def test_nothing_else_is_served(waiter: Running, alice: Person) -> None:
    client, path = waiter.client(alice), f"/api/v1/generate/{created(alice).pk}/"
    for other in ("/", "/api/v1/models/", "/api/v1/generate/history/", "/admin/", "/static/x"):
        error(client.get(other), 404, "not_found")
    error(client.get(f"{path}cancel/"), 404, "not_found")
    error(client.post("/api/v1/generate/video/", json={"prompt": "a fox"}), 404, "not_found")
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        answer = client.request(method, path, content=b"x" * 100_000)
        error(answer, 405, "method_not_allowed")
        assert answer.headers["Allow"] == "GET, HEAD, OPTIONS"
    assert httpx.get(f"{waiter.url}/livez").json() == {"status": "ok"}
    assert httpx.get(f"{waiter.url}/readyz/").status_code == 200


def test_an_account_holds_fifty(waiter: Running, alice: Person, bob: Person) -> None:
    generation, theirs = created(alice), created(bob)
    client = waiter.client(alice)
    with ThreadPoolExecutor(50) as threads:
        url = waiter.url + WAIT.format(generation.pk, 25)
        ask = partial(httpx.get, url, headers=client.headers, timeout=40)
        held = [threads.submit(ask) for _ in range(50)]
        assert wait_until(lambda: waiter.holds("wait") == 50, 10)
        body = error(client.get(STREAM.format(generation.pk)), 429, "too_many_streams")
        assert body["error"] == "Too many streams are open, try again shortly"
        began = time.monotonic()
        answer = client.get(WAIT.format(generation.pk, 20))
        assert (answer.status_code, "Preference-Applied" in answer.headers) == (200, False)
        assert time.monotonic() - began < 5
        with canceled_when_held(waiter, "wait", theirs, held=51):
            answer = waiter.client(bob).get(WAIT.format(theirs.pk, 20))
        assert answer.json()["status"] == "canceled"
        lifecycle.cancel(generation.pk)
        assert {each.result().json()["status"] for each in held} == {"canceled"}
    assert waiter.holds("wait") == 0


def test_who_leaves_is_held_no_more(waiter: Running, alice: Person) -> None:
    generation = created(alice)
    with waiter.client(alice).stream("GET", STREAM.format(generation.pk)) as answer:
        lines = answer.iter_lines()
        next(lines)
        assert waiter.holds("stream") == 1
        with pytest.raises(httpx.ReadTimeout):
            httpx.get(
                waiter.url + WAIT.format(generation.pk, 20),
                headers={"Authorization": f"Bearer {alice.key}"},
                timeout=1,
            )
    assert wait_until(lambda: waiter.holds("stream") == waiter.holds("wait") == 0, 5)


def test_sigterm_ends_what_is_held_without_an_error(waiter: Running, alice: Person) -> None:
    """The last of this file: the process is gone then."""
    generation = created(alice)
    headers = {"Authorization": f"Bearer {alice.key}"}

    def get(path: str) -> httpx.Response:
        return httpx.get(waiter.url + path, headers=headers, timeout=40)

    with ThreadPoolExecutor(40) as threads:
        waits = [threads.submit(get, WAIT.format(generation.pk, 25)) for _ in range(20)]
        streams = [threads.submit(get, STREAM.format(generation.pk)) for _ in range(20)]
        assert wait_until(lambda: waiter.holds("stream") == waiter.holds("wait") == 20, 10)
        began = time.monotonic()
        waiter.child.signal(signal.SIGTERM)
        for each in waits:
            answer = each.result()
            assert (answer.status_code, answer.json()["status"]) == (200, "processing")
            assert answer.headers["Preference-Applied"] == "wait=25"
        for each in streams:
            events = [frame.get("event") for frame in parsed(each.result().text)]
            assert events == [None, "status"]
        assert time.monotonic() - began < 3
    assert wait_until(lambda: waiter.child.exit_code is not None, 10)
    assert waiter.child.exit_code == 0
