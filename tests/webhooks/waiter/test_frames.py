"""A stream that nobody holds: what web answers, and what its frames say."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import httpx
import pytest

from generation.models import Generation
from generation.models.states import OPEN, State
from tests.contract.answers import error
from tests.support.bring_to import created, reached
from tests.support.people import Person
from tests.webhooks.waiter.reading import parsed

Api = Callable[..., httpx.Client]
PATH = "/api/v1/generate/{}/events/"


def asked(api: Api, person: Person, generation: Generation, **headers: str) -> httpx.Response:
    return api(person.key).get(PATH.format(generation.pk), headers=headers)


def shown(answer: httpx.Response) -> list[dict[str, str]]:
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "text/event-stream; charset=utf-8"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Accel-Buffering"] == "no"
    return parsed(answer.text)


@pytest.mark.parametrize("state", OPEN)
def test_what_is_open_has_one_frame_and_no_end(state: State, api: Api, alice: Person) -> None:
    generation = reached(alice, state)
    status = api(alice.key).get(f"/api/v1/generate/{generation.pk}/")
    retry, frame = shown(asked(api, alice, generation))
    wait = int(status.headers["Retry-After"]) * 1000
    assert wait <= int(retry["retry"]) <= max(6000, wait)
    assert (frame["event"], json.loads(frame["data"])) == ("status", status.json())
    assert re.fullmatch(rf"{generation.version}\.\d+", frame["id"])


@pytest.mark.parametrize("state", [State.COMPLETED, State.FAILED, State.CANCELED])
def test_an_end_is_told_and_done(state: State, api: Api, alice: Person) -> None:
    generation = reached(alice, state)
    retry, frame, done = shown(asked(api, alice, generation))
    assert 3000 <= int(retry["retry"]) <= 6000
    assert json.loads(frame["data"])["status"] == state
    assert (done["event"], json.loads(done["data"])) == ("done", {"status": str(state)})
    assert done["id"] == frame["id"]


def test_a_client_gets_no_frame_twice(api: Api, alice: Person) -> None:
    generation = created(alice)
    first = shown(asked(api, alice, generation))
    had = first[1]["id"]
    assert [
        list(each) for each in shown(asked(api, alice, generation, **{"Last-Event-ID": had}))
    ] == [["retry"]]
    answer = api(alice.key).get(PATH.format(generation.pk), params={"after": had})
    assert len(shown(answer)) == 1
    # the header wins
    answer = api(alice.key).get(
        PATH.format(generation.pk), params={"after": had}, headers={"Last-Event-ID": "0.0"}
    )
    assert len(shown(answer)) == 2


def test_204_tells_a_client_that_it_has_all(api: Api, alice: Person) -> None:
    generation = reached(alice, State.COMPLETED)
    had = shown(asked(api, alice, generation))[1]["id"]
    answer = asked(api, alice, generation, **{"Last-Event-ID": had})
    assert (answer.status_code, answer.content) == (204, b"")
    assert answer.headers["Cache-Control"] == "no-store"
    assert "Content-Type" not in answer.headers
    assert len(shown(asked(api, alice, generation, **{"Last-Event-ID": "1.1"}))) == 3


def test_whatever_it_accepts_and_sends(api: Api, alice: Person) -> None:
    generation = created(alice)
    for accept in ("text/event-stream", "image/png", "nonsense"):
        assert shown(asked(api, alice, generation, Accept=accept))
    path = PATH.format(generation.pk)
    for odd in ("", "x" * 5000, "%00", "4.7 or so", "*"):
        assert len(shown(asked(api, alice, generation, **{"Last-Event-ID": odd}))) == 2, odd
        assert len(shown(api(alice.key).get(path, params={"after": odd}))) == 2


def test_a_frame_is_one_line_whatever_was_ordered(api: Api, alice: Person) -> None:
    prompt = "a fox\n\nevent: done\r\ndata: {}\n\n\u2028\u2029\u0085 end"
    generation = created(alice, prompt=prompt)
    answer = asked(api, alice, generation)
    frames = shown(answer)
    assert len(frames) == 2
    assert json.loads(frames[1]["data"])["prompt"] == generation.prompt
    assert len(answer.text.splitlines()) == answer.text.count("\n")  # as many clients split


def test_errors_have_the_usual_shape(api: Api, alice: Person, bob: Person) -> None:
    generation = created(alice)
    path = PATH.format(generation.pk)
    error(api().get(path), 401, "not_authenticated")
    error(api(bob.key).get(path), 404, "not_found")
    error(api(alice.key).get(PATH.format("nonsense")), 404, "not_found")
    error(api(alice.key).post(path), 405, "method_not_allowed")
    # a key is taken from headers alone
    error(api().get(path, params={"api_key": alice.key}), 401, "not_authenticated")


def test_head_is_a_get_without_its_body(api: Api, alice: Person) -> None:
    answer = api(alice.key).head(PATH.format(created(alice).pk))
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["Content-Type"].startswith("text/event-stream")
