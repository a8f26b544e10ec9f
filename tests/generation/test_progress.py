"""Progress, stage, estimate and Retry-After: true while it waits, and never back."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from django.conf import settings as configured
from django.db import connection
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext
from hypothesis import given, settings

from generation import lifecycle, progress, public
from generation.api.views import GenerationView
from generation.models import Attempt, Generation
from generation.models.states import State
from tests.support.bring_to import (
    ROUTE,
    attempt_of,
    claimed,
    created,
    reached,
)
from tests.support.people import Person
from tests.support.state_walks import NOON, move, new, walks
from tests.support.works import STAGES, Emulator, Works, age, make_due

Api = Callable[..., httpx.Client]
Start = Callable[..., str]
Body = dict[str, Any]
Walk = tuple[Generation, list[tuple[State | None, datetime, datetime]]]


def after(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def at(state: State, kind: str = "video", since: float = 10.0) -> Generation:
    """A row that was asked for at once and has been in ``state`` since that second."""
    row = new(kind)
    if state != State.QUEUED:
        move(row, State.SUBMITTING, NOON)
    if state not in (State.QUEUED, State.SUBMITTING):
        move(row, state, after(since))
    return row


@given(walk=walks())
@settings(max_examples=200, deadline=None)
def test_progress_never_goes_back_and_the_tag_tells_every_change(walk: Walk) -> None:
    row, steps = walk
    seen = [progress.step(row, NOON)]
    bodies: dict[str, list[public.PublicGeneration]] = {}
    for state, written, now in steps:
        if state is not None:
            seen.append(progress.step(row, now))  # the last look before the commit
            move(row, state, written)
        seen.append(progress.step(row, now))
        body = public.to_dict(row, now, "http://a.example")
        bodies.setdefault(public.etag(row, now), []).append(body)
    assert seen == sorted(seen)
    assert seen[0] == 0
    assert (seen[-1] == progress.STEPS) == (row.state == State.COMPLETED)
    for same in bodies.values():
        assert all(body == same[0] for body in same)
    distinct = [bodies_of_tag[0] for bodies_of_tag in bodies.values()]
    assert all(distinct.count(body) == 1 for body in distinct)


@pytest.mark.parametrize(
    ("state", "kind", "expected"),
    [
        (State.QUEUED, "video", [0, 0, 1, 2, 2]),
        (State.QUEUED, "image", [0, 0, 1, 2, 2]),
        (State.SUBMITTING, "video", [0, 0, 1, 2, 2]),
        (State.SUBMITTING, "image", [0, 6, 10, 10, 10]),  # half way at half of the 60 seconds
        (State.SUBMIT_UNKNOWN, "video", [0, 0, 1, 2, 2]),
        (State.RUNNING, "video", [2, 4, 7, 15, 18]),  # accepted at second 10
        (State.STORING, "video", [19, 19, 19, 19, 19]),
        (State.COMPLETED, "video", [20, 20, 20, 20, 20]),
    ],
)
def test_how_far_a_state_goes(state: State, kind: str, expected: list[int]) -> None:
    row = at(state, kind)
    assert [progress.step(row, after(n)) for n in (0, 19, 32, 61, 9999)] == expected


@pytest.mark.parametrize(
    ("state", "step"),
    [(State.QUEUED, 1), (State.SUBMIT_UNKNOWN, 1), (State.RUNNING, 8), (State.STORING, 19)],
)
def test_what_ends_undelivered_stands_still(state: State, step: int) -> None:
    row = at(state)
    move(row, State.FAILED, after(30))
    assert {progress.step(row, after(n)) for n in (30, 60, 9999)} == {step}


@pytest.mark.parametrize(
    ("state", "kind", "ready"),
    [
        (State.QUEUED, "video", None),
        (State.SUBMITTING, "video", 60),
        (State.SUBMITTING, "image", 60),
        (State.SUBMIT_UNKNOWN, "video", None),
        (State.RUNNING, "video", 70),  # accepted at second 10
        (State.STORING, "video", 15),
        *((state, "video", None) for state in (State.COMPLETED, State.FAILED, State.CANCELED)),
    ],
)
def test_when_it_may_be_ready(state: State, kind: str, ready: float | None) -> None:
    row = at(state, kind)
    if ready is None:
        assert progress.expected_end(row, after(11)) is None
        return
    assert progress.expected_end(row, after(11)) == after(ready)
    assert progress.expected_end(row, after(ready - 0.001)) == after(ready)
    assert progress.expected_end(row, after(ready)) is None  # missed: nobody knows


def test_what_is_late_has_no_estimate_and_another_tag() -> None:
    row = at(State.STORING)
    tags = [public.etag(row, after(seconds)) for seconds in (10, 14.9, 15, 900, 1800)]
    assert tags[0] == tags[1] != tags[2] == tags[3] == tags[4]


@pytest.mark.parametrize(
    ("state", "waits"),
    [
        (State.QUEUED, [12, 20, 30, 30]),
        (State.SUBMITTING, [12, 20, 30, 30]),
        (State.SUBMIT_UNKNOWN, [12, 20, 30, 30]),
        (State.RUNNING, [30, 5, 1, 1]),
        (State.STORING, [1, 13, 30, 30]),
    ],
)
def test_when_to_ask_again(state: State, waits: list[int]) -> None:
    row = at(state)
    assert [progress.retry_after(row, after(n)) for n in (10, 60, 130, 9999)] == waits


def test_never_before_we_look_ourselves() -> None:
    row = at(State.RUNNING)
    row.next_attempt_at = after(110)
    assert progress.retry_after(row, after(90)) == 20
    assert progress.retry_after(row, after(50)) == 30
    row.lease_token = row.pk  # somebody is looking; the time is the lease's end
    assert progress.retry_after(row, after(90)) == 1


def status_of(client: httpx.Client, generation: Generation | str) -> Body:
    pk = generation if isinstance(generation, str) else generation.pk
    return dict(client.get(f"/api/v1/generate/{pk}/").json())


def test_refused_lost_repeated_and_at_last_accepted(api: Api, alice: Person) -> None:
    """The longest way through the verbs, with a long time spent in every state."""
    generation, client = created(alice), api(alice.key)
    pk, seen = str(generation.pk), []

    def look(**times: str) -> None:
        seen.append(status_of(client, pk))
        if times:
            age(pk, **times)
            seen.append(status_of(client, pk))

    def ask() -> None:
        nonlocal generation
        generation = claimed(generation)
        assert lifecycle.begin_attempt(generation, ROUTE)
        generation = claimed(generation)
        look()

    look(created_at="-45 seconds")
    ask()
    assert lifecycle.requeue(generation, attempt_of(generation), 0, "429")
    look(created_at="-5 minutes")
    ask()
    assert lifecycle.doubt(generation, attempt_of(generation), "reset", 0)
    look()
    generation = claimed(generation)
    assert lifecycle.give_up_waiting(generation)
    look()
    ask()
    assert lifecycle.accept(generation, attempt_of(generation), "operations/1", 25)
    look(accepted_at="-31 seconds")
    look(accepted_at="-5 minutes")
    generation = claimed(generation)
    assert lifecycle.adopt(generation, "gs://b/1/sample_0.mp4")
    look()
    found = [body["progress"] for body in seen]
    assert found == sorted(found)
    assert sorted(set(found)) == [0, 0.05, 0.1, 0.5, 0.9, 0.95]
    stages = [body["stage"] for body in seen]
    assert [name for name, before in zip(stages, [None, *stages], strict=False) if name != before][
        :4
    ] == ["queued", "generating", "queued", "generating"]
    assert stages[-1] == "saving"
    assert all(body["estimated_time"] == "45-60 seconds" for body in seen)
    assert all((body["stage"] == "queued") >= body["cancelable"] for body in seen)


@pytest.mark.parametrize("kind", ["video", "image"])
def test_the_stages_move_it_on(
    kind: str, api: Api, alice: Person, start: Start, works: Works, emulator: Emulator
) -> None:
    paths = {"video": "/api/v1/generate/video/", "image": "/api/v1/generate/"}
    pk = start(alice, paths[kind], prompt=f"a {kind}, refused first [emulator:busy=1]")
    client = api(alice.key)
    seen = [status_of(client, pk)]
    for _ in range(200):
        for stage in STAGES:
            make_due()
            works.run(stage)
            seen.append(status_of(client, pk))
        if seen[-1]["status"] != "processing":
            break
    assert seen[-1]["progress"] == 1
    found = [body["progress"] for body in seen]
    assert found == sorted(found)
    assert emulator.bought(pk) == 1
    assert Attempt.objects.filter(generation_id=UUID(pk)).count() == 2
    assert (seen[0]["stage"], seen[-1]["stage"]) == ("queued", None)


@pytest.mark.parametrize("state", [State.QUEUED, State.RUNNING, State.COMPLETED])
def test_the_status_stays_one_select(state: State, alice: Person) -> None:
    """The authentication's, which finds the row, too; no other row, no wallet, no gate."""
    row = reached(alice, state)
    request = RequestFactory().get("/", HTTP_AUTHORIZATION=f"Bearer {alice.key}")
    with CaptureQueriesContext(connection) as statements:
        answer = GenerationView.as_view()(request, generation_id=str(row.pk))
    assert answer.status_code == 200
    texts = [statement["sql"] for statement in statements]
    touched = [text for text in texts if 'last_used_at" =' not in text]  # noted once a minute
    assert len(touched) == 1, texts
    assert touched[0].startswith("SELECT")
    assert not any(word in touched[0] for word in ("credits_", "catalogmodel", "providergate"))


def test_an_estimate_is_scaled_as_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(configured, "TIME_SCALE", 0.2)
    assert progress.expected_end(at(State.STORING), after(10)) == after(11)


def test_the_header_is_a_whole_number_of_seconds(api: Api, alice: Person) -> None:
    client = api(alice.key)
    for state in (State.QUEUED, State.RUNNING, State.STORING):
        answer = client.get(f"/api/v1/generate/{reached(alice, state).pk}/")
        assert 1 <= int(answer.headers["Retry-After"]) <= progress.LONGEST_WAIT
