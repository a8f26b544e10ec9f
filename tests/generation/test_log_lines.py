"""One generation through the log, from the request to its end, by either of its two ids."""

from __future__ import annotations

from collections.abc import Callable

import httpx

from generation.models import GenerationEvent
from tests.support.log_reader import lines_of
from tests.support.people import Person
from tests.support.works import Works

LOGGERS = ("access", "generation.transitions")
VIDEO = "/api/v1/generate/video/"
Api = Callable[..., httpx.Client]
Start = Callable[..., str]


def test_every_state_is_a_line_and_leads_to_the_request(
    api: Api, alice: Person, works: Works
) -> None:
    with lines_of(*LOGGERS) as lines:
        headers = {"X-Request-ID": "the-callers-own"}
        made = api(alice.key).post(VIDEO, json={"prompt": "hush"}, headers=headers)
        generation_id = made.json()["data"]["generation_id"]
        works.finish(generation_id)
    assert [line.get("state") for line in lines] == [
        *(None, "submitting", "running", "storing", "completed")
    ]
    assert [line.get("was") for line in lines] == [
        *(None, "queued", "submitting", "running", "storing")
    ]
    assert [line.get("version") for line in lines] == [None, 2, 3, 4, 5]
    for line in lines:
        assert line["request_id"] == "the-callers-own"
        assert line["generation_id"] == generation_id
        assert line["account_id"] == str(alice.account.pk)
    assert (lines[1]["attempt"], lines[2]["reason"]) == (1, "accepted")
    assert "hush" not in str(lines)
    first = GenerationEvent.objects.get(generation=generation_id, sequence=1)
    assert first.data == {"request_id": "the-callers-own"}


def test_a_failure_says_why_in_a_word(start: Start, alice: Person, works: Works) -> None:
    with lines_of(*LOGGERS) as lines:
        works.finish(start(alice, prompt="a fight [emulator:filtered]"))
    assert (lines[-1]["state"], lines[-1]["reason"]) == ("failed", "content_filtered")
    assert "fight" not in str(lines)


def test_what_did_not_work_this_time(start: Start, alice: Person, works: Works) -> None:
    with lines_of(*LOGGERS) as lines:
        works.finish(start(alice, prompt="x [emulator:unavailable]"))
    waits = [line for line in lines if line["event"] == "generation postponed"]
    assert waits[0]["state"] == "running"
    assert waits[0]["wait_s"] > 0
