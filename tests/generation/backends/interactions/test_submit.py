"""What is asked for, and what each answer means: may it have been bought?"""

from __future__ import annotations

import asyncio
import base64
import json
import socket
import subprocess
import sys
from typing import Any

import pytest
from aiohttp import web
from google.oauth2.credentials import Credentials

from generation.backends.base import (
    Accepted,
    ModelGone,
    NotAccepted,
    Produced,
    Rejected,
    Unknown,
)
from generation.backends.interactions.backend import InteractionsBackend
from generation.backends.interactions.reader import MAX_INTERACTION
from tests.generation.backends.conftest import (
    Provider,
    Reply,
    drip,
    google_error,
    hang,
    hang_up,
    reset,
    says,
)
from tests.generation.backends.interactions.conftest import (
    CREATE,
    FRAMES,
    INPUTS,
    NAME,
    PLACE,
    URI,
    asked,
    bucket_and,
    holds,
    open_omni,
    order,
    sent,
)

pytestmark = pytest.mark.anyio
TAKEN = says({"id": "i-1", "status": "in_progress"})
VIDEO = {"type": "video", "uri": URI, "mime_type": "video/mp4"}


async def test_text_to_video_is_one_request(omni: InteractionsBackend, provider: Provider) -> None:
    provider.reply = TAKEN
    assert await omni.submit(order()) == Accepted(NAME)
    [seen] = provider.seen
    assert (seen.method, seen.path) == ("POST", CREATE)
    assert seen.headers["authorization"] == "Bearer t1"
    assert seen.headers["x-goog-user-project"] == "q1"
    assert seen.headers["api-revision"] == "2026-05-20"
    assert seen.headers["content-type"] == "application/json"
    body = json.loads(seen.body)
    assert body == {
        "model": "gemini-omni-1.2-flash",
        "background": True,
        "store": True,
        "input": [{"type": "user_input", "content": [{"type": "text", "text": "a red kite"}]}],
        "response_format": [
            {
                "type": "video",
                "delivery": "uri",
                "gcs_uri": PLACE,
                "duration": "8s",
                "aspect_ratio": "16:9",
                "resolution": "720p",
            }
        ],
        "generation_config": {"video_config": {"task": "text_to_video"}},
        "labels": {"generation": "g1", "attempt": "1", "token": "g1-1"},
    }


async def test_what_was_ordered_is_sent(omni: InteractionsBackend, provider: Provider) -> None:
    provider.reply = TAKEN
    ordered = order(aspect_ratio="9:16", duration=15, resolution="4k", seed=2**32 - 1)
    await omni.submit(ordered)
    body = sent(provider)
    [video] = body["response_format"]
    told = (video["duration"], video["resolution"], video["aspect_ratio"])
    assert told == ("15s", "4k", "9:16")
    assert body["generation_config"] == {
        "seed": 2**32 - 1,
        "video_config": {"task": "text_to_video"},
    }


@pytest.mark.parametrize(
    ("count", "task", "line"),
    [
        (1, "image_to_video", "[# Sources <FIRST_FRAME>@Image1]"),
        (2, "image_to_video", "[# Sources <FIRST_FRAME>@Image1 <LAST_FRAME>@Image2]"),
        (
            3,
            "reference_to_video",
            "[# References <IMAGE_REF_0>@Image1 <IMAGE_REF_1>@Image2 <IMAGE_REF_2>@Image3]",
        ),
    ],
)
async def test_source_images_lie_beside_the_place_and_have_their_roles(
    omni: InteractionsBackend, provider: Provider, count: int, task: str, line: str
) -> None:
    provider.reply = bucket_and(TAKEN)
    await omni.submit(order("a kite <LAST_FRAME>@Image1", *FRAMES[:count]))
    body = sent(provider)
    names = [f"{INPUTS}0.png", f"{INPUTS}1.png", f"{INPUTS}2.jpg"][:count]
    types = ["image/png", "image/png", "image/jpeg"]
    [step] = body["input"]
    assert step["content"] == [
        {"type": "text", "text": f"{line}\na kite"},
        *(
            {"type": "image", "mime_type": kind, "uri": name}
            for name, kind in zip(names, types, strict=False)
        ),
    ]
    assert body["generation_config"] == {"video_config": {"task": task}}
    uploads = [seen for seen in provider.seen if seen.path.startswith("/upload/")]
    assert [seen.body for seen in uploads] == [frame.data for frame in FRAMES[:count]]
    assert [seen.headers["content-type"] for seen in uploads] == types[:count]
    assert [name for name in names if name.startswith(PLACE)] == []
    assert provider.seen[-1].path == CREATE  # asked for when all are there


@pytest.mark.parametrize(
    "reply", [google_error(503), google_error(403), google_error(404), reset, says(text="x")]
)
async def test_an_image_that_is_not_stored_is_not_asked_for(
    omni: InteractionsBackend, provider: Provider, reply: Reply
) -> None:
    provider.reply = reply
    with pytest.raises(NotAccepted):
        await omni.submit(order("a kite", *FRAMES))
    assert asked(provider, "POST") == []


async def test_an_image_that_is_stored_too_slowly_is_not_asked_for(
    hasty_omni: InteractionsBackend, provider: Provider
) -> None:
    provider.reply = hang
    async with asyncio.timeout(5):
        with pytest.raises(NotAccepted):
            await hasty_omni.submit(order("a kite", *FRAMES))
    assert asked(provider, "POST") == []


@pytest.mark.parametrize(
    "fields",
    [
        {"seed": 2**32},
        {"seed": -1},
        {"negative_prompt": "rain"},
        {"audio": False},
        {"duration": 2},
        {"duration": 16},
        {"resolution": "360p"},
        {"kind": "image"},
        {"source_images": (*FRAMES, FRAMES[0])},
    ],
    ids=str,
)
async def test_what_it_cannot_do_is_refused_and_never_left_out(
    omni: InteractionsBackend, provider: Provider, fields: dict[str, Any]
) -> None:
    with pytest.raises(Rejected) as caught:
        await omni.submit(order(**fields))
    assert (caught.value.code, caught.value.operator_fault) == ("provider_rejected", False)
    assert provider.seen == []


async def test_a_prompt_of_nothing_but_tags_is_refused_before_anything_is_sent(
    omni: InteractionsBackend, provider: Provider
) -> None:
    with pytest.raises(Rejected) as caught:
        await omni.submit(order("<FIRST_FRAME> @Image2", *FRAMES))
    assert caught.value.code == "provider_rejected"
    assert provider.seen == []


async def test_a_place_that_is_not_ours_is_never_asked_for(
    omni: InteractionsBackend, provider: Provider
) -> None:
    for place in ("gs://other/x/", "gs://outputs/x", "s3://outputs/x/", "gs://outputs/", ""):
        with pytest.raises(Rejected) as caught:
            await omni.submit(order("a kite", *FRAMES, place=place))
        assert caught.value.operator_fault
    assert provider.seen == []


UNAVAILABLE = {"error": {"code": 503, "message": "overloaded", "status": "UNAVAILABLE"}}
ANSWERS: dict[str, tuple[Reply, type[Exception]]] = {
    "429": (google_error(429, "Quota exceeded", "RESOURCE_EXHAUSTED"), NotAccepted),
    "429 of a proxy": (says(text="<html>slow down</html>", status=429), NotAccepted),
    "404 in Google's form": (google_error(404, "no such model", "NOT_FOUND"), ModelGone),
    "404 of a proxy": (says(text="<html>no</html>", status=404), Rejected),
    **{
        f"{status} UNAVAILABLE": (says(UNAVAILABLE, status=status), Unknown)
        for status in (408, 409, 425, 499, 500, 501, 502, 503, 504, 529)
    },
    "503 empty": (says(text="", status=503), Unknown),
    "302": (says(status=302, headers={"Location": "/elsewhere"}), Unknown),
    "307": (says(status=307, headers={"Location": CREATE}), Unknown),
    "204": (says(text="", status=204), Unknown),
    "reset": (reset, Unknown),
    "end without an answer": (hang_up, Unknown),
    "HTML": (says(text="<html>fine</html>"), Unknown),
    "not UTF-8": (says(text=b"\xff\xfe\x00"), Unknown),
    "too deep": (says(text="[" * 100_000), Unknown),
    "too large": (says({"id": "i-1", "x": "x" * MAX_INTERACTION}), Unknown),
    "compressed": (says({"id": "i-1"}, headers={"Content-Encoding": "gzip"}), Unknown),
    "list": (says([{"id": "i-1"}]), Unknown),
    "null": (says(None), Unknown),
    "no id": (says({"status": "in_progress"}), Unknown),
    "id of another type": (says({"id": 5}), Unknown),
    "empty id": (says({"id": ""}), Unknown),
    "id above": (says({"id": ".."}), Unknown),
    "id with a question": (says({"id": "i?x=1"}), Unknown),
    "id with a line": (says({"id": "i-1\n"}), Unknown),
    "id encoded": (says({"id": "i%2f1"}), Unknown),
    "name of something else": (says({"id": "projects/p1/operations/1"}), Unknown),
    "id too long": (says({"id": "i" * 301}), Unknown),
    "an error with 200": (says({"error": {"code": 429}}), Unknown),
    "400": (google_error(400, "duration is bad", "INVALID_ARGUMENT"), Rejected),
    "403": (google_error(403, "no", "PERMISSION_DENIED"), ModelGone),
    "403 about the prompt": (google_error(403, "violates our usage guidelines"), Rejected),
    "403 of a proxy": (says(text="<html>no</html>", status=403), Rejected),
}


@pytest.mark.parametrize("answer", ANSWERS)
async def test_what_each_answer_means(
    omni: InteractionsBackend, provider: Provider, answer: str
) -> None:
    """Whatever it says, it is asked once."""
    provider.reply, meaning = ANSWERS[answer]
    with pytest.raises(meaning) as caught:
        await omni.submit(order())
    assert type(caught.value) is meaning
    assert len(provider.seen) == 1
    if isinstance(caught.value, NotAccepted):
        assert caught.value.is_quota == answer.startswith("429")


@pytest.mark.parametrize("reply", [hang, drip], ids=["hang", "drip"])
async def test_an_answer_that_does_not_come_is_unknown(
    hasty_omni: InteractionsBackend, provider: Provider, reply: Reply
) -> None:
    provider.reply = reply
    async with asyncio.timeout(5):
        with pytest.raises(Unknown):
            await hasty_omni.submit(order())
    assert len(provider.seen) <= 1  # a busy machine may give up before it has sent it


@pytest.mark.parametrize(
    ("reply", "code", "operator", "category"),
    [
        (google_error(400, "duration is bad"), "provider_rejected", False, ""),
        (google_error(422, "bad"), "provider_rejected", False, ""),
        (google_error(400, "x. Support codes: 61493863"), "content_filtered", False, "violence"),
        (google_error(403, "x. Support codes: 61493863"), "content_filtered", False, "violence"),
        (google_error(404, "x. Support codes: 61493863"), "content_filtered", False, "violence"),
        (google_error(400, "violates our usage guidelines"), "content_filtered", False, "other"),
        (google_error(400, "no billing", "FAILED_PRECONDITION"), "provider_error", True, ""),
        (google_error(401, "who?"), "provider_error", True, ""),
        (says(text="<html>no</html>", status=403), "provider_error", True, ""),
        (says(text=b"x" * (3 * MAX_INTERACTION), status=400), "provider_rejected", False, ""),
        (says({"error": ["x"]}, status=400), "provider_rejected", False, ""),
    ],
)
async def test_a_refusal_is_final(
    omni: InteractionsBackend,
    provider: Provider,
    reply: Reply,
    code: str,
    operator: bool,
    category: str,
) -> None:
    provider.reply = reply
    with pytest.raises(Rejected) as caught:
        await omni.submit(order("my secret prompt"))
    error = caught.value
    assert (error.code, error.operator_fault, error.category) == (code, operator, category)
    assert error.retryable == (code == "provider_error")
    assert "again" not in str(error)
    assert len(error.detail) <= 2000


@pytest.mark.parametrize("reply", [reset, google_error(400), google_error(503), google_error(429)])
async def test_no_traceback_quotes_the_request(
    omni: InteractionsBackend, provider: Provider, reply: Reply
) -> None:
    provider.reply = reply
    with pytest.raises((Rejected, Unknown, NotAccepted)) as caught:
        await omni.submit(order("my secret prompt"))
    error = caught.value
    assert error.__cause__ is None
    assert error.__context__ is None or error.__suppress_context__


async def test_a_quota_tells_when(omni: InteractionsBackend, provider: Provider) -> None:
    for told, meant in (("7", 7), ("99999", 600), ("soon", None)):
        provider.reply = google_error(429, retry_after=told)
        with pytest.raises(NotAccepted) as caught:
            await omni.submit(order())
        assert caught.value.retry_after == meant


async def test_a_refused_token_is_doubted(provider: Provider) -> None:
    provider.reply = google_error(401, "who?")
    credentials = Credentials(token="t1")
    backend = open_omni(provider.url, credentials=credentials)
    with pytest.raises(Rejected):
        await backend.submit(order())
    assert backend._token._doubtful
    await backend.aclose()


async def test_no_connection_is_not_accepted() -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    backend = open_omni(f"http://127.0.0.1:{port}")
    with pytest.raises(NotAccepted):
        await backend.submit(order())
    await backend.aclose()


@pytest.mark.parametrize(
    "told", ["i" * 300, "v1_Chd-x_y==", "projects/1/x/interactions/i-2", "interactions/i-3"]
)
async def test_ids_are_long_and_of_any_letters(
    omni: InteractionsBackend, provider: Provider, told: str
) -> None:
    provider.reply = says({"id": told, "status": "queued"})
    last = told.rpartition("/")[2]
    name = f"projects/p1/locations/global/interactions/{last}"
    assert await omni.submit(order()) == Accepted(name)
    assert (await omni.poll(name, PLACE)).__class__.__name__ == "Running"
    assert provider.seen[-1].path == f"/v1beta1/{name}?stream=false&include_input=false"


async def test_a_name_that_no_row_could_keep_is_unknown(provider: Provider) -> None:
    provider.reply = says({"id": "i" * 300, "status": "queued"})
    backend = InteractionsBackend(
        project="p" * 100,
        location="global",
        bucket="outputs",
        credentials=Credentials(token="t1"),
        base_url=provider.url,
    )
    with pytest.raises(Unknown):
        await backend.submit(order())
    await backend.aclose()


async def test_what_is_completed_at_once_is_produced_and_forgotten(
    omni: InteractionsBackend, provider: Provider
) -> None:
    usage = {"total_output_tokens": 5792}
    steps = [{"type": "model_output", "content": [VIDEO]}]
    provider.reply = says({"id": "i-1", "status": "completed", "steps": steps, "usage": usage})
    assert await omni.submit(order()) == Produced(URI, cost="5792 output tokens")
    assert asked(provider, "POST") == [CREATE]
    assert asked(provider, "DELETE") == [f"/v1beta1/{NAME}"]  # its name is kept by nobody


async def test_what_failed_at_once_is_rejected_and_forgotten(
    omni: InteractionsBackend, provider: Provider
) -> None:
    errors = [{"code": "invalid_argument", "message": "Support codes: 61493863"}]
    provider.reply = says({"id": "i-1", "status": "failed", "errors": errors})
    with pytest.raises(Rejected) as caught:
        await omni.submit(order())
    assert (caught.value.code, caught.value.category) == ("content_filtered", "violence")
    assert asked(provider, "POST") == [CREATE]
    assert asked(provider, "DELETE") == [f"/v1beta1/{NAME}"]


async def test_completed_at_once_without_a_name_is_looked_for(
    omni: InteractionsBackend, provider: Provider
) -> None:
    completed = says({"id": "i-1", "status": "completed"})
    provider.reply = holds(URI, completed)
    assert await omni.submit(order()) == Produced(URI)
    provider.reply = holds(URI, completed, status=503)  # nobody can say: the next look will
    assert await omni.submit(order()) == Accepted(NAME)


async def test_an_inline_video_that_is_not_stored_is_looked_at_again(
    omni: InteractionsBackend, provider: Provider
) -> None:
    data = base64.b64encode(b"mp4").decode()
    steps = [{"type": "model_output", "content": [{"type": "video", "data": data}]}]
    status = {"of the bucket": 503}

    async def reply(request: web.Request, body: bytes) -> web.StreamResponse:
        if request.path.startswith("/upload/"):
            return web.json_response({}, status=status["of the bucket"])
        return web.json_response({"id": "i-1", "status": "completed", "steps": steps})

    provider.reply = reply
    assert await omni.submit(order()) == Accepted(NAME)
    status["of the bucket"] = 200
    produced = await omni.submit(order())
    assert isinstance(produced, Produced)
    assert produced.uri.startswith(PLACE)


async def test_an_end_that_cannot_be_judged_in_time_is_looked_at_again(provider: Provider) -> None:
    async def reply(request: web.Request, body: bytes) -> web.StreamResponse:
        if request.path.startswith("/storage/"):
            return await hang(request, body)
        return web.json_response({"id": "i-1", "status": "completed"})

    provider.reply = reply
    backend = open_omni(provider.url, timeout=2.0, read_timeout=30.0)
    async with asyncio.timeout(5):
        assert await backend.submit(order()) == Accepted(NAME)
    await backend.aclose()


async def test_what_cannot_be_forgotten_in_time_is_still_produced(provider: Provider) -> None:
    steps = [{"type": "model_output", "content": [VIDEO]}]

    async def reply(request: web.Request, body: bytes) -> web.StreamResponse:
        if request.method == "DELETE":
            return await hang(request, body)
        return web.json_response({"id": "i-1", "status": "completed", "steps": steps})

    provider.reply = reply
    backend = open_omni(provider.url, timeout=2.0, read_timeout=30.0)
    async with asyncio.timeout(5):
        assert await backend.submit(order()) == Produced(URI)
    await backend.aclose()


async def test_any_other_answer_about_it_is_accepted(
    omni: InteractionsBackend, provider: Provider
) -> None:
    for told in ({}, {"status": None}, {"status": 5}, {"status": "new_word"}, {"steps": "x"}):
        provider.reply = says({"id": "i-1", **told})
        assert await omni.submit(order()) == Accepted(NAME)
    assert asked(provider, "DELETE") == []


async def test_each_attempt_has_a_place_of_its_own(omni: InteractionsBackend) -> None:
    assert omni.place_for("g1", 1) == PLACE
    places = {omni.place_for(g, n) for g in ("g1", "g2") for n in (1, 11)}
    assert len(places) == 4


def test_it_loads_no_sdk() -> None:
    """The client for interactions of google-genai pays up to five times for one call."""
    code = (
        "import sys, generation.backends.interactions.backend\n"
        "print([name for name in sys.modules if name.startswith('google.genai')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
