"""What each answer about an interaction means."""

from __future__ import annotations

import asyncio
import base64

import pytest
from aiohttp import web

from generation.backends.base import (
    OperationGone,
    Produced,
    Rejected,
    Running,
    Unavailable,
)
from generation.backends.interactions.backend import InteractionsBackend
from generation.backends.interactions.reader import MAX_INTERACTION
from tests.generation.backends.conftest import (
    TYPES,
    Provider,
    Reply,
    drip,
    google_error,
    hang,
    reset,
    says,
)
from tests.generation.backends.interactions.conftest import (
    INPUTS,
    NAME,
    PLACE,
    URI,
    asked,
    bucket_and,
    holds,
)

pytestmark = pytest.mark.anyio
VIDEO = {"type": "video", "uri": URI, "mime_type": "video/mp4"}


def told(status: object, **fields: object) -> Reply:
    return says({"id": "i-1", "status": status, **fields})


def completed(*content: object, **fields: object) -> Reply:
    return told("completed", steps=[{"type": "model_output", "content": [*content]}], **fields)


async def test_a_poll_is_one_get(omni: InteractionsBackend, provider: Provider) -> None:
    provider.reply = told("in_progress")
    assert await omni.poll(NAME, PLACE) == Running()
    [seen] = provider.seen
    assert (seen.method, seen.body) == ("GET", b"")
    assert seen.path == f"/v1beta1/{NAME}?stream=false&include_input=false"
    assert seen.headers["authorization"] == "Bearer t1"
    assert seen.headers["x-goog-user-project"] == "q1"
    assert seen.headers["api-revision"] == "2026-05-20"


@pytest.mark.parametrize(
    "status",
    ["in_progress", "queued", "idle", "requires_continuation", "new_word", "canceling", "done"],
)
async def test_what_is_not_known_as_an_end_goes_on(
    omni: InteractionsBackend, provider: Provider, status: str
) -> None:
    steps = [{"type": "new", "content": [VIDEO]}, {"type": "model_output", "content": [VIDEO]}]
    provider.reply = told(status, steps=steps, errors=[{"code": "internal", "message": "x"}])
    assert await omni.poll(NAME, PLACE) == Running()


@pytest.mark.parametrize(
    "envelope",
    [
        {"steps": [{"type": "model_output", "content": [VIDEO]}]},
        {"outputs": [VIDEO]},
        {"outputs": [{"type": "thought", "text": "hm"}, {"type": "text", "text": "x"}, VIDEO]},
        {"steps": [], "outputs": [VIDEO]},
        {
            "steps": [
                {"type": "user_input", "content": [{"type": "image", "uri": f"{INPUTS}0.png"}]},
                {"type": "thought", "content": [{"type": "text", "text": "violates policy"}]},
                "x",
                {"type": "new_word"},
                {"type": "model_output", "content": "x"},
                {"type": "model_output", "content": [None, {"type": "text", "text": "x"}, VIDEO]},
            ]
        },
    ],
)
async def test_both_envelopes_name_the_video(
    omni: InteractionsBackend, provider: Provider, envelope: dict[str, object]
) -> None:
    provider.reply = told("completed", **envelope)
    assert await omni.poll(NAME, PLACE) == Produced(URI)


@pytest.mark.parametrize("mime_type", TYPES, ids=str)
async def test_no_type_decides_over_a_video_that_was_made(
    omni: InteractionsBackend, provider: Provider, mime_type: object
) -> None:
    provider.reply = completed({"type": "video", "uri": URI, "mime_type": mime_type})
    assert await omni.poll(NAME, PLACE) == Produced(URI)
    provider.reply = completed({"type": mime_type, "uri": URI})
    assert await omni.poll(NAME, PLACE) == Produced(URI)


@pytest.mark.parametrize(
    ("usage", "cost"),
    [
        ({"total_output_tokens": 46336}, "46336 output tokens"),
        (
            {"total_output_tokens": 5, "total_input_tokens": 7, "total_thought_tokens": 6},
            "5 output tokens, 6 thought tokens, 7 input tokens",
        ),
        ({"total_output_tokens": "5"}, ""),
        ({"total_output_tokens": True}, ""),
        ({"total_output_tokens": -1}, ""),
        ({"total_output_tokens": 10**400}, ""),
        ({}, ""),
        (None, ""),
        ([1], ""),
    ],
)
async def test_the_bill_is_told(
    omni: InteractionsBackend, provider: Provider, usage: object, cost: str
) -> None:
    provider.reply = completed(VIDEO, usage=usage)
    assert await omni.poll(NAME, PLACE) == Produced(URI, cost=cost)
    provider.reply = holds(URI, told("completed", usage=usage))
    assert await omni.poll(NAME, PLACE) == Produced(URI, cost=cost)


@pytest.mark.parametrize(
    "uri",
    [
        "gs://outputs/generations/g1/2/video.mp4",
        "gs://other/generations/g1/1/video.mp4",
        "https://outputs/generations/g1/1/video.mp4",
        f"{INPUTS}0.png",
        PLACE,
        f"{PLACE}a\nb.mp4",
    ],
)
async def test_an_output_elsewhere_is_not_taken(
    omni: InteractionsBackend, provider: Provider, uri: str
) -> None:
    provider.reply = completed({"type": "video", "uri": uri, "mime_type": "video/mp4"})
    with pytest.raises(Rejected) as caught:
        await omni.poll(NAME, PLACE)
    assert (caught.value.code, caught.value.operator_fault) == ("provider_error", True)


async def test_an_inline_video_is_stored_first(
    omni: InteractionsBackend, provider: Provider
) -> None:
    data = base64.b64encode(b"mp4").decode()
    stored = {"status": 503}
    usage = {"total_output_tokens": 5}

    async def reply(request: web.Request, body: bytes) -> web.StreamResponse:
        if request.path.startswith("/upload/"):
            return web.json_response({}, status=stored["status"])
        return await completed({"type": "video", "data": data}, usage=usage)(request, body)

    provider.reply = reply
    with pytest.raises(Unavailable):
        await omni.poll(NAME, PLACE)
    stored["status"] = 200
    produced = await omni.poll(NAME, PLACE)
    assert isinstance(produced, Produced)
    assert produced.uri.startswith(PLACE)
    assert produced.cost == "5 output tokens"
    seen = provider.seen[-1]
    assert (seen.body, seen.headers["content-type"]) == (b"mp4", "video/mp4")


@pytest.mark.parametrize("data", ["%", "AAA", " ", "ü"])
async def test_an_inline_video_that_is_none(
    omni: InteractionsBackend, provider: Provider, data: str
) -> None:
    provider.reply = completed({"type": "video", "data": data})
    with pytest.raises(Rejected) as caught:
        await omni.poll(NAME, PLACE)
    assert (caught.value.code, caught.value.retryable) == ("provider_error", True)


NOTHING: list[dict[str, object]] = [
    {},
    {"steps": []},
    {"steps": "x", "outputs": 5},
    {"steps": [{"type": "model_output"}, {"type": "model_output", "content": [{}]}]},
    {"steps": [{"type": "model_output", "content": [{"type": "video", "uri": 5, "data": ""}]}]},
    {"steps": [{"type": "user_input", "content": [{"type": "video", "data": "bXA0"}]}]},
    {"steps": [{"type": "model_output", "content": [{"type": "image", "data": "bXA0"}]}]},
    {"outputs": [{"type": "text", "text": "Here is your video."}]},
    {"outputs": [{"type": "thought", "text": "It violates the usage guidelines."}]},
]


@pytest.mark.parametrize("said", NOTHING, ids=str)
async def test_a_video_that_no_answer_names_is_looked_for(
    omni: InteractionsBackend, provider: Provider, said: dict[str, object]
) -> None:
    reply = told("completed", **said)
    provider.reply = holds(URI, reply, status=503)
    with pytest.raises(Unavailable):  # and not refunded as long as nobody can say
        await omni.poll(NAME, PLACE)
    provider.reply = holds(URI, reply)
    assert await omni.poll(NAME, PLACE) == Produced(URI)
    provider.reply = bucket_and(reply)
    with pytest.raises(Rejected) as caught:
        await omni.poll(NAME, PLACE)
    assert (caught.value.code, caught.value.retryable) == ("empty_result", True)


@pytest.mark.parametrize("name", [f"{INPUTS}0.png", "gs://outputs/generations/g1/11/video.mp4"])
async def test_what_lies_beside_the_place_is_not_the_video(
    omni: InteractionsBackend, provider: Provider, name: str
) -> None:
    provider.reply = holds(name, told("completed"))
    with pytest.raises(Rejected) as caught:
        await omni.poll(NAME, PLACE)
    assert caught.value.code == "empty_result"
    assert await omni.find_output(PLACE, "video") is None


async def test_a_refusal_in_words(omni: InteractionsBackend, provider: Provider) -> None:
    text = {"type": "text", "text": "I cannot: it violates the usage guidelines."}
    provider.reply = bucket_and(completed(text))
    with pytest.raises(Rejected) as caught:
        await omni.poll(NAME, PLACE)
    assert (caught.value.code, caught.value.category) == ("content_filtered", "other")
    provider.reply = holds(URI, completed(text))  # whatever it says, it was made
    assert await omni.poll(NAME, PLACE) == Produced(URI)


def fault(code: object, message: object = "no") -> dict[str, object]:
    return {"code": code, "message": message}


PASSING = ("provider_error", "", True, False)
OPERATOR = ("provider_error", "", True, True)
WRONG = ("provider_rejected", "", False, False)
OTHER = ("content_filtered", "other", False, False)


@pytest.mark.parametrize(
    ("error", "meaning"),
    [
        (fault("invalid_argument"), WRONG),
        (fault("INVALID_ARGUMENT"), WRONG),
        (fault("https://example.com/errors/invalid-argument"), WRONG),
        (fault("type.googleapis.com/google.rpc.InvalidArgument"), WRONG),
        (fault(3), WRONG),
        (fault("3"), WRONG),
        (fault(400), WRONG),
        (fault("permission_denied", "The service agent may not write"), OPERATOR),
        (fault("PermissionDenied"), OPERATOR),
        (fault(7), OPERATOR),
        (fault("not_found"), OPERATOR),
        (fault(5), OPERATOR),
        (fault("failed_precondition"), OPERATOR),
        (fault("unauthenticated"), OPERATOR),
        (fault("budget_exceeded"), OPERATOR),
        (fault("permission_denied", "It violates an organisation policy"), OPERATOR),
        (fault("resource_exhausted"), PASSING),
        (fault("unavailable"), PASSING),
        (fault("internal"), PASSING),
        (fault("deadline_exceeded"), PASSING),
        (fault(8), PASSING),
        (fault(13), PASSING),
        (fault("new_word"), PASSING),
        (fault(None, None), PASSING),
        (fault(["x"], {"x": 1}), PASSING),
        (fault(True), PASSING),
        (fault(3.0), PASSING),
        (fault("x" * 100_000, "y" * 100_000), PASSING),
        ("failed", PASSING),
        (None, PASSING),
        (fault("internal", "Blocked. Support codes: 43188360"), ("content_filtered", "sexual")),
        (fault("permission_denied", "Support codes: 61493863"), ("content_filtered", "violence")),
        (fault("invalid_argument", "violates the usage guidelines"), OTHER),
        (fault("internal", "violates the usage guidelines"), OTHER),
        (fault(3, "held back for a problem with its audio"), ("content_filtered", "audio", True)),
        (fault("internal", "no audio"), PASSING),
        (fault("SAFETY", "no"), OTHER),
        (fault("prohibited_content", "no"), ("content_filtered", "prohibited")),
    ],
    ids=lambda value: str(value)[:60],
)
@pytest.mark.parametrize("where", ["errors", "step", "top"])
async def test_why_it_ended(
    omni: InteractionsBackend,
    provider: Provider,
    error: object,
    meaning: tuple[object, ...],
    where: str,
) -> None:
    said: dict[str, dict[str, object]] = {
        "errors": {"errors": [error]},
        "step": {"steps": [{"type": "model_output", "error": error}]},
        "top": {"error": error},
    }
    for status in ("failed", "FAILED"):
        provider.reply = told(status, **said[where])
        with pytest.raises(Rejected) as caught:
            await omni.poll(NAME, PLACE)
        refused = caught.value
        known = (refused.code, refused.category, refused.retryable, refused.operator_fault)
        assert known[: len(meaning)] == meaning
        assert "again" not in str(refused)
        assert len(refused.detail) <= 2000


@pytest.mark.parametrize(
    ("status", "meaning"),
    [
        *((word, PASSING) for word in ("failed", "incomplete", "cancelled", "requires_action")),
        ("budget_exceeded", OPERATOR),
    ],
)
@pytest.mark.parametrize("errors", [None, [], "x", {}, [None, 5], [{}]], ids=str)
async def test_an_end_without_a_reason(
    omni: InteractionsBackend,
    provider: Provider,
    status: str,
    meaning: tuple[object, ...],
    errors: object,
) -> None:
    provider.reply = told(status, errors=errors, steps=[{"type": "model_output"}])
    with pytest.raises(Rejected) as caught:
        await omni.poll(NAME, PLACE)
    refused = caught.value
    assert (refused.code, "", refused.retryable, refused.operator_fault) == meaning
    assert len(provider.seen) == 1


@pytest.mark.parametrize(
    "reply",
    [
        reset,
        says(text="<html>502</html>", status=502),
        says(text="<html>fine</html>"),
        says(text="<html>not here</html>", status=404),
        says(text="[" * 100_000),
        says(text=b"\xff\xfe"),
        says([]),
        says({}),
        says({"id": "i-1"}),
        told(None),
        told(5),
        told(["completed"]),
        told(""),
        says({"id": "i-2", "status": "completed"}),
        says({"id": 5, "status": "completed"}),
        says({"id": "", "status": "failed"}),
        says({"id": "i-1", "status": "completed"}, headers={"Content-Encoding": "gzip"}),
        says({"id": "i-1", "status": "completed", "x": "x" * MAX_INTERACTION}),
        says(status=302, headers={"Location": "/elsewhere"}),
        google_error(400),
        google_error(401),
        google_error(403),
        google_error(500),
    ],
)
async def test_a_poll_without_an_answer_is_asked_again(
    omni: InteractionsBackend, provider: Provider, reply: Reply
) -> None:
    provider.reply = reply
    with pytest.raises(Unavailable):
        await omni.poll(NAME, PLACE)
    assert set(asked(provider, "GET")) == {f"/v1beta1/{NAME}?stream=false&include_input=false"}


async def test_an_answer_without_an_end_is_cut(
    omni: InteractionsBackend, provider: Provider
) -> None:
    sent = {"bytes": 0}

    async def flood(request: web.Request, body: bytes) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while sent["bytes"] < 64 * MAX_INTERACTION:
            await response.write(b" " * 65536)
            sent["bytes"] += 65536
        return response

    provider.reply = flood
    with pytest.raises(Unavailable):
        await omni.poll(NAME, PLACE)
    assert sent["bytes"] < 16 * MAX_INTERACTION


@pytest.mark.parametrize("reply", [hang, drip])
async def test_a_poll_does_not_wait_for_ever(
    hasty_omni: InteractionsBackend, provider: Provider, reply: Reply
) -> None:
    provider.reply = reply
    async with asyncio.timeout(5):
        with pytest.raises(Unavailable):
            await hasty_omni.poll(NAME, PLACE)


async def test_a_busy_provider_tells_when(omni: InteractionsBackend, provider: Provider) -> None:
    provider.reply = google_error(429, retry_after="12")
    with pytest.raises(Unavailable) as caught:
        await omni.poll(NAME, PLACE)
    assert caught.value.retry_after == 12


async def test_an_unknown_interaction_is_gone(
    omni: InteractionsBackend, provider: Provider
) -> None:
    provider.reply = google_error(404, "Interaction not found", "NOT_FOUND")
    with pytest.raises(OperationGone):
        await omni.poll(NAME, PLACE)


ODD_NAMES = [
    "",
    "interactions/i-1",
    f"{NAME}/../x",
    f"{NAME}?x",
    f"{NAME}\n",
    "x" * 9000,
    NAME.replace("global", "us-central1"),
    "projects/p1/locations/us-central1/publishers/google/models/veo-3.1/operations/1",
]


@pytest.mark.parametrize("name", ODD_NAMES)
async def test_what_is_no_name_is_never_asked_for(
    omni: InteractionsBackend, provider: Provider, name: str
) -> None:
    with pytest.raises(OperationGone):
        await omni.poll(name, PLACE)
    await omni.forget(name, "")
    assert provider.seen == []


async def test_forgetting_is_a_delete(omni: InteractionsBackend, provider: Provider) -> None:
    for reply in (says({}), says(text="", status=204), google_error(404, "gone", "NOT_FOUND")):
        provider.reply = reply
        await omni.forget(NAME, "")
    assert {(seen.method, seen.path) for seen in provider.seen} == {("DELETE", f"/v1beta1/{NAME}")}


@pytest.mark.parametrize(
    "reply", [reset, google_error(403), google_error(500), says(text="<html>", status=404)]
)
async def test_what_is_not_confirmed_is_not_forgotten(
    omni: InteractionsBackend, provider: Provider, reply: Reply
) -> None:
    provider.reply = reply
    with pytest.raises(Unavailable):
        await omni.forget(NAME, "")


async def test_inputs_go_with_the_outputs(omni: InteractionsBackend, provider: Provider) -> None:
    there = {"generations/g1/1/video.mp4", "generations/g1/1.inputs/0.png"}
    others = {"generations/g1/11/video.mp4", "generations/g1/11.inputs/0.png"}
    there |= others

    async def bucket(request: web.Request, body: bytes) -> web.StreamResponse:
        if request.method == "DELETE":
            there.discard(request.match_info["tail"].partition("/o/")[2])
            return web.Response(status=204)
        names = sorted(name for name in there if name.startswith(request.query["prefix"]))
        return web.json_response({"items": [{"name": name} for name in names]})

    provider.reply = bucket
    await omni.remove_outputs(PLACE)
    assert there == others
    for place in ("", "gs://outputs", "gs://outputs/", "gs://outputs/generations/g1/1"):
        with pytest.raises(Unavailable):
            await omni.remove_outputs(place)
    assert there == others
