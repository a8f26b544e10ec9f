"""What each answer to a poll means."""

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
from generation.backends.google.locations import vertex_url
from generation.backends.vertex.backend import VertexBackend
from tests.generation.backends.conftest import (
    OPERATION,
    PLACE,
    RESOURCE,
    TYPES,
    Provider,
    Reply,
    drip,
    google_error,
    hang,
    reset,
    says,
)

pytestmark = pytest.mark.anyio
URI = f"{PLACE}17/sample_0.mp4"
VIDEO = {"gcsUri": URI, "mimeType": "video/mp4"}


def done(**fields: object) -> Reply:
    return says({"name": OPERATION, "done": True, **fields})


def response(**fields: object) -> Reply:
    return done(response={"@type": "GenerateVideoResponse", **fields})


def test_google_has_three_forms_of_address() -> None:
    assert vertex_url("us-central1") == "https://us-central1-aiplatform.googleapis.com"
    assert vertex_url("global") == "https://aiplatform.googleapis.com"
    assert vertex_url("eu") == "https://aiplatform.eu.rep.googleapis.com"


@pytest.mark.parametrize("told", [{"done": None}, {"done": False}, {"done": None, "metadata": 3}])
async def test_not_done_is_running(
    backend: VertexBackend, provider: Provider, told: dict[str, object]
) -> None:
    provider.reply = says({"name": OPERATION, **told})
    assert await backend.poll(OPERATION, PLACE) == Running()


@pytest.mark.parametrize(
    ("reply", "code", "category", "retryable", "operator"),
    [
        (response(raiMediaFilteredCount=1), "content_filtered", "other", False, False),
        (
            response(raiMediaFilteredReasons=[5, "x Support codes: 99999999, 56562880"]),
            "content_filtered",
            "violence",
            False,
            False,
        ),
        (
            response(
                raiMediaFilteredCount=1, raiMediaFilteredReasons=["A problem with the audio."]
            ),
            "content_filtered",
            "audio",
            True,
            False,
        ),
        (response(videos=[], raiMediaFilteredCount=0), "empty_result", "", True, False),
        (response(), "empty_result", "", True, False),
        (done(), "empty_result", "", True, False),
        (done(response="video"), "empty_result", "", True, False),
        (response(videos={"gcsUri": URI}), "empty_result", "", True, False),
        (response(videos=["x", {}, {"gcsUri": 5}]), "empty_result", "", True, False),
        (response(videos=[{"bytesBase64Encoded": "%"}]), "provider_error", "", True, False),
        (done(error={"code": 3, "message": "bad"}), "provider_rejected", "", False, False),
        (
            done(error={"code": 3, "message": "violates the usage guidelines"}),
            "content_filtered",
            "other",
            False,
            False,
        ),
        (
            done(error={"code": 13, "message": "Support codes: 43188360"}),
            "content_filtered",
            "sexual",
            False,
            False,
        ),
        (done(error={"code": 8, "message": "busy"}), "provider_error", "", True, False),
        (done(error={"code": 7, "message": "denied"}), "provider_error", "", True, True),
        (done(error={"code": "3"}), "provider_error", "", True, False),
        (done(error="failed"), "provider_error", "", True, False),
        (done(error=["failed"]), "provider_error", "", True, False),
    ],
)
async def test_done_without_a_video_is_a_rejection(
    backend: VertexBackend,
    provider: Provider,
    reply: Reply,
    code: str,
    category: str,
    retryable: bool,
    operator: bool,
) -> None:
    provider.reply = reply
    with pytest.raises(Rejected) as caught:
        await backend.poll(OPERATION, PLACE)
    error = caught.value
    assert (error.code, error.category) == (code, category)
    assert (error.retryable, error.operator_fault) == (retryable, operator)
    assert "again" not in str(error)  # that is said from the flag, in generation/models/reasons.py


@pytest.mark.parametrize(
    "uri",
    [
        "gs://outputs/g1/a2/sample_0.mp4",
        "gs://other/g1/a1/sample_0.mp4",
        "https://outputs/g1/a1/sample_0.mp4",
        PLACE,
        f"{PLACE}a\nb.mp4",
    ],
)
async def test_an_output_elsewhere_is_not_taken(
    backend: VertexBackend, provider: Provider, uri: str
) -> None:
    provider.reply = response(videos=[{"gcsUri": uri, "mimeType": "video/mp4"}])
    with pytest.raises(Rejected) as caught:
        await backend.poll(OPERATION, PLACE)
    assert caught.value.operator_fault


async def test_one_playable_video_is_enough(backend: VertexBackend, provider: Provider) -> None:
    provider.reply = response(videos=[None, VIDEO], raiMediaFilteredCount=1)
    assert await backend.poll(OPERATION, PLACE) == Produced(URI)


@pytest.mark.parametrize("mime_type", TYPES, ids=str)
async def test_no_type_decides_over_a_video_that_was_made(
    backend: VertexBackend, provider: Provider, mime_type: object
) -> None:
    provider.reply = response(videos=[{"gcsUri": URI, "mimeType": mime_type}])
    assert await backend.poll(OPERATION, PLACE) == Produced(URI)

    async def inline(request: web.Request, body: bytes) -> web.StreamResponse:
        if request.path.startswith("/upload/"):
            return web.json_response({})
        video = {"bytesBase64Encoded": base64.b64encode(b"mp4").decode(), "mimeType": mime_type}
        return web.json_response({"done": True, "response": {"videos": [video]}})

    provider.reply = inline
    assert await backend.poll(OPERATION, PLACE) == Produced(f"{PLACE}sample_0.mp4")
    assert (provider.seen[-1].body, provider.seen[-1].headers["content-type"]) == (
        b"mp4",
        "video/mp4",
    )


@pytest.mark.parametrize(
    "told",
    [
        {},
        {"response": "video"},
        {"response": {"videos": []}},
        {"response": {"videos": [{"mimeType": "video/mp4"}]}},
        {"response": {"videos": [{"gcsUri": None}, {"gcsUri": 5}]}},
        {"response": {"generatedSamples": [{"video": {"uri": URI}}]}},
    ],
    ids=str,
)
async def test_a_video_that_no_answer_names_is_looked_for(
    backend: VertexBackend, provider: Provider, told: dict[str, object]
) -> None:
    status = {"of the bucket": 503}

    async def reply(request: web.Request, body: bytes) -> web.StreamResponse:
        if request.path.startswith("/storage/"):
            name = f"{PLACE.removeprefix('gs://outputs/')}17/sample_0.mp4"
            there = {"items": [{"name": name, "size": "3", "contentType": "video/mp4"}]}
            return web.json_response(there, status=status["of the bucket"])
        return web.json_response({"done": True, **told})

    provider.reply = reply
    with pytest.raises(Unavailable):  # and not refunded as long as nobody can say
        await backend.poll(OPERATION, PLACE)
    status["of the bucket"] = 200
    assert await backend.poll(OPERATION, PLACE) == Produced(URI)


async def test_what_the_filter_stopped_is_looked_for_nowhere(
    backend: VertexBackend, provider: Provider
) -> None:
    provider.reply = response(raiMediaFilteredCount=1)
    with pytest.raises(Rejected):
        await backend.poll(OPERATION, PLACE)
    assert len(provider.seen) == 1


async def test_an_inline_video_is_stored_first(backend: VertexBackend, provider: Provider) -> None:
    data = base64.b64encode(b"mp4").decode()
    stored = {"status": 503}

    async def reply(request: web.Request, body: bytes) -> web.StreamResponse:
        if request.path.startswith("/upload/"):
            return web.json_response({}, status=stored["status"])
        return web.json_response(
            {"done": True, "response": {"videos": [{"bytesBase64Encoded": data}]}}
        )

    provider.reply = reply
    with pytest.raises(Unavailable):
        await backend.poll(OPERATION, PLACE)
    stored["status"] = 200
    assert await backend.poll(OPERATION, PLACE) == Produced(f"{PLACE}sample_0.mp4")
    assert provider.seen[-1].body == b"mp4"


@pytest.mark.parametrize(
    "reply",
    [
        reset,
        says(text="<html>502</html>", status=502),
        says(text="<html>fine</html>"),
        says(text="<html>not here</html>", status=404),
        says(text="[" * 100_000),
        says([]),
        says({"done": "yes"}),
        says({"done": 1}),
        says({"name": f"{RESOURCE}/operations/other", "done": True}),
        says({"name": 5}),
        google_error(400),
        google_error(401),
        google_error(403),
        google_error(500),
    ],
)
async def test_a_poll_without_an_answer_is_asked_again(
    backend: VertexBackend, provider: Provider, reply: Reply
) -> None:
    provider.reply = reply
    with pytest.raises(Unavailable):
        await backend.poll(OPERATION, PLACE)
    assert len(provider.seen) == 1


@pytest.mark.parametrize("reply", [hang, drip])
async def test_a_poll_does_not_wait_for_ever(
    hasty: VertexBackend, provider: Provider, reply: Reply
) -> None:
    provider.reply = reply
    async with asyncio.timeout(5):
        with pytest.raises(Unavailable):
            await hasty.poll(OPERATION, PLACE)


async def test_a_busy_provider_tells_when(backend: VertexBackend, provider: Provider) -> None:
    provider.reply = google_error(429, retry_after="12")
    with pytest.raises(Unavailable) as caught:
        await backend.poll(OPERATION, PLACE)
    assert caught.value.retry_after == 12


async def test_an_unknown_operation_is_gone(backend: VertexBackend, provider: Provider) -> None:
    provider.reply = google_error(404, "Operation not found", "NOT_FOUND")
    with pytest.raises(OperationGone):
        await backend.poll(OPERATION, PLACE)


@pytest.mark.parametrize(
    "name",
    ["", "operations/1", f"{OPERATION}/../x", f"{OPERATION}?x", "x" * 9000, f"{OPERATION}\n"],
)
async def test_what_is_no_name_is_never_asked_for(
    backend: VertexBackend, provider: Provider, name: str
) -> None:
    with pytest.raises(OperationGone):
        await backend.poll(name, PLACE)
    assert provider.seen == []
