"""GET /api/v1/generate/{id}/: the flat body, progress and conditional requests."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from generation.models import Generation
from generation.models.states import OPEN, State
from tests.support.bring_to import created, reached
from tests.support.people import Person
from tests.support.works import age

Api = Callable[..., httpx.Client]

# Contract, section 4, in its order; the last ones are additions.
KEYS = {
    *("success", "id", "generation_id", "generation_type", "status", "prompt", "mode"),
    *("video_model", "aspect_ratio", "source_images_count", "size", "estimated_time", "progress"),
    *("credits_used", "credits_refunded", "video_url", "image_url", "download_url", "expires_at"),
    *("error", "cancelable", "created_at", "updated_at", "completed_at", "failed_at"),
    *("duration", "resolution", "generate_audio", "seed", "negative_prompt", "video_codec"),
    *("canceled_at", "output_deleted_at", "retry_of"),
    *("stage", "estimated_completion_at", "deadline_at", "output_expires_at"),
}


def path(generation: Generation) -> str:
    return f"/api/v1/generate/{generation.pk}/"


def moment(value: Any) -> str:
    return str(value.isoformat()).replace("+00:00", "Z")


def test_a_new_video(api: Api, alice: Person) -> None:
    generation = created(alice, source_image_urls=["https://a.example/1.png"])
    answer = api(alice.key).get(path(generation))
    assert answer.status_code == 200
    assert answer.json() == {
        "success": True,
        "id": str(generation.pk),
        "generation_id": str(generation.pk),
        "generation_type": "video",
        "status": "processing",
        "prompt": "a red fox",
        "mode": "image-to-video",
        "video_model": "veo3_fast",
        "aspect_ratio": "16:9",
        "source_images_count": 1,
        "size": None,
        "duration": 8,
        "resolution": "720p",
        "generate_audio": True,
        "seed": None,
        "negative_prompt": None,
        "estimated_time": "45-60 seconds",
        "progress": 0,
        "stage": "queued",
        "estimated_completion_at": None,
        "deadline_at": moment(generation.deadline_at),
        "credits_used": 240,
        "credits_refunded": 0,
        "video_url": None,
        "image_url": None,
        "download_url": None,
        "video_codec": None,
        "expires_at": None,
        "error": None,
        "cancelable": True,
        "retry_of": None,
        "created_at": moment(generation.created_at),
        "updated_at": moment(generation.updated_at),
        "completed_at": None,
        "failed_at": None,
        "canceled_at": None,
        "output_expires_at": None,
        "output_deleted_at": None,
    }
    assert answer.headers["Cache-Control"] == "private, no-cache"


@pytest.mark.parametrize("model", ["veo3", "image"])
@pytest.mark.parametrize("state", list(State))
def test_every_key_is_always_there(model: str, state: State, api: Api, alice: Person) -> None:
    generation = reached(alice, state, model=model)
    body = api(alice.key).get(path(generation)).json()
    assert set(body) == KEYS
    video = model != "image"
    undelivered = state in {State.FAILED, State.CANCELED}
    price = generation.price
    assert body["status"] == ("processing" if state in OPEN else state)
    assert body["generation_type"] == ("video" if video else "image")
    assert body["mode"] == ("text-to-video" if video else "text-to-image")
    assert body["video_model"] == ("veo3" if video else None)
    assert body["aspect_ratio"] == ("16:9" if video else None)
    assert body["source_images_count"] == (0 if video else None)
    assert body["size"] == (None if video else "1:1")
    assert body["credits_used"] == (0 if undelivered else price)
    assert body["credits_refunded"] == (price if undelivered else 0)
    done = state == State.COMPLETED
    assert (body["video_url"] is not None) == (done and video)
    assert (body["image_url"] is not None) == (done and not video)
    assert (body["download_url"] is not None) == (body["expires_at"] is not None) == done
    assert body["cancelable"] == (state == State.QUEUED)
    assert (body["progress"] == 1) == done
    assert (body["stage"] is not None) == (body["deadline_at"] is not None) == (state in OPEN)
    failed = {"code": "timeout", "message": "Too late. Try again later.", "retryable": True}
    assert body["error"] == (failed if state == State.FAILED else None)
    for ending in (State.COMPLETED, State.FAILED, State.CANCELED):
        assert (body[f"{ending}_at"] is not None) == (state == ending)


@pytest.mark.parametrize("state", [State.COMPLETED, State.FAILED, State.CANCELED])
def test_no_retry_after_when_it_is_over(state: State, api: Api, alice: Person) -> None:
    answer = api(alice.key).get(path(reached(alice, state)))
    assert "Retry-After" not in answer.headers


def test_nothing_new_is_304(api: Api, alice: Person) -> None:
    generation = created(alice)
    client = api(alice.key)
    tag = client.get(path(generation)).headers["ETag"]
    assert tag.startswith('W/"')
    for condition in (tag, tag.removeprefix("W/"), "*", f'"a", {tag} , W/"b"'):
        answer = client.get(path(generation), headers={"If-None-Match": condition})
        assert answer.status_code == 304, condition
        assert answer.content == b""
        assert answer.headers["ETag"] == tag
        assert int(answer.headers["Retry-After"]) >= 1
        assert answer.headers["X-Request-ID"]
    for condition in ("", '"a"', 'W/"b", "c"', tag.strip('W/"')):
        answer = client.get(path(generation), headers={"If-None-Match": condition})
        assert answer.status_code == 200, condition


def test_the_tag_changes_with_the_row_and_the_progress(api: Api, alice: Person) -> None:
    generation = created(alice)
    client = api(alice.key)
    tags = [client.get(path(generation)).headers["ETag"]]
    age(str(generation.pk), created_at="-31 seconds")
    tags.append(client.get(path(generation)).headers["ETag"])
    client.post(f"{path(generation)}cancel/")
    tags.append(client.get(path(generation)).headers["ETag"])
    assert len(set(tags)) == 3
    assert client.get(path(generation), headers={"If-None-Match": tags[2]}).status_code == 304


@pytest.mark.parametrize("method", ["GET", "cancel", "download"])
def test_foreign_unknown_and_malformed_ids_are_the_same_404(
    method: str, api: Api, alice: Person, bob: Person
) -> None:
    theirs = created(alice).pk
    answers = []
    for name in (
        *(theirs, uuid.uuid4(), "nonsense", theirs.hex, f"{{{theirs}}}", f"urn:uuid:{theirs}"),
        *("0", "null", "%00", "a" * 300, f"{theirs}%0a", f"%20{theirs}"),
    ):
        verb, end = ("POST", "cancel/") if method == "cancel" else ("GET", "")
        end = "download/" if method == "download" else end
        answer = api(bob.key).request(verb, f"/api/v1/generate/{name}/{end}")
        body = answer.json()
        assert body.pop("request_id") == answer.headers["X-Request-ID"]
        headers = {n.lower() for n in answer.headers}
        answers.append((answer.status_code, body, headers))
    expected = {"success": False, "error": "Not found", "code": "not_found"}
    assert all(answer == answers[0] for answer in answers)
    assert answers[0][:2] == (404, expected)


def test_an_id_in_capitals_is_the_same_id(api: Api, alice: Person) -> None:
    generation = created(alice)
    answer = api(alice.key).get(f"/api/v1/generate/{str(generation.pk).upper()}/")
    assert answer.json()["id"] == str(generation.pk)
