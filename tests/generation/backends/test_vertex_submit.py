"""What each answer to a submit means: may it have been bought?"""

from __future__ import annotations

import asyncio
import base64
import datetime as dt
import json
import socket
from email.utils import format_datetime

import aiohttp
import pytest
from aiohttp import web

from generation.backends.base import (
    Accepted,
    NotAccepted,
    Produced,
    Rejected,
    SourceImage,
    Unknown,
)
from generation.backends.vertex import VertexBackend
from tests.generation.backends.conftest import (
    OPERATION,
    PREFIX,
    RESOURCE,
    Provider,
    Reply,
    drip,
    google_error,
    hang,
    image,
    open_backend,
    reset,
    says,
    video,
)

pytestmark = pytest.mark.anyio
FRAMES = [SourceImage(bytes([n]) * 4, "image/png") for n in range(3)]
B64 = [base64.b64encode(frame.data).decode() for frame in FRAMES]


async def test_text_to_video_is_one_request(backend: VertexBackend, provider: Provider) -> None:
    provider.reply = says({"name": OPERATION})
    assert await backend.submit(video()) == Accepted(OPERATION)
    [seen] = provider.seen
    assert seen.path == f"/v1/{RESOURCE}:predictLongRunning"
    assert seen.headers["authorization"] == "Bearer t1"
    assert seen.headers["x-goog-user-project"] == "q1"
    assert json.loads(seen.body) == {
        "instances": [{"prompt": "a red kite"}],
        "parameters": {
            "sampleCount": 1,
            "storageUri": PREFIX,
            "durationSeconds": 8,
            "aspectRatio": "16:9",
            "personGeneration": "allow_adult",
            "generateAudio": True,
        },
        "labels": {"generation": "g1"},
    }


def encoded(n: int) -> dict[str, str]:
    return {"bytesBase64Encoded": B64[n], "mimeType": "image/png"}


@pytest.mark.parametrize(
    ("count", "sent"),
    [
        (1, {"image": encoded(0)}),
        (2, {"image": encoded(0), "lastFrame": encoded(1)}),
        (
            3,
            {
                "referenceImages": [
                    {"image": encoded(n), "referenceType": "ASSET"} for n in range(3)
                ]
            },
        ),
    ],
)
async def test_source_images_have_their_roles(
    backend: VertexBackend, provider: Provider, count: int, sent: dict[str, object]
) -> None:
    provider.reply = says({"name": OPERATION})
    await backend.submit(video("a red kite", *FRAMES[:count]))
    body = json.loads(provider.seen[0].body)
    assert body["instances"] == [{"prompt": "a red kite", **sent}]


@pytest.mark.parametrize("request_", [video(), image()], ids=["video", "image"])
@pytest.mark.parametrize("reply", [reset, hang, drip], ids=["reset", "hang", "drip"])
async def test_an_answer_that_is_lost_is_unknown_and_not_repeated(
    backend: VertexBackend, provider: Provider, reply: Reply, request_: object
) -> None:
    # aiohttp is what makes google-genai repeat a request by itself: this test needs it installed.
    assert aiohttp.__version__
    provider.reply = reply
    with pytest.raises(Unknown):
        await backend.submit(request_)
    await asyncio.sleep(0.05)
    assert len(provider.seen) == 1


@pytest.mark.parametrize(
    "reply",
    [
        says(text="<html>502</html>", status=502),
        says(text="<html>fine</html>"),
        says(text=b"\xff\xfe\x00", status=400),
        says(text="[" * 100_000),
        says([1, 2]),
        says("name"),
        says({}),
        says({"name": 5}),
        says({"name": "projects/p1/operations/1"}),
        says({"name": f"{RESOURCE}/operations/../x"}),
        says({"name": OPERATION, "done": {"a": []}}),
        says({"name": OPERATION, "metadata": 5}),
        says(text="", status=204),
        says(status=302, headers={"Location": "/elsewhere"}),
        says({"name": OPERATION}, headers={"Content-Encoding": "gzip"}),
        google_error(408),
        google_error(409),
        google_error(500),
        google_error(503, retry_after="1"),
        google_error(504),
    ],
)
async def test_an_unreadable_answer_is_unknown(
    backend: VertexBackend, provider: Provider, reply: Reply
) -> None:
    provider.reply = reply
    with pytest.raises(Unknown):
        await backend.submit(video())
    assert len(provider.seen) == 1


async def test_a_huge_answer_is_unknown(backend: VertexBackend, provider: Provider) -> None:
    provider.reply = says(text=b"x" * (100 * 1024 * 1024))
    with pytest.raises(Unknown):
        await backend.submit(video())


async def test_a_huge_refusal_is_still_a_refusal(
    backend: VertexBackend, provider: Provider
) -> None:
    provider.reply = says(text=b"x" * (20 * 1024 * 1024), status=400)
    with pytest.raises(Rejected) as caught:
        await backend.submit(video())
    assert caught.value.code == "provider_rejected"
    assert len(caught.value.detail) <= 2000


async def test_no_connection_is_not_accepted() -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    backend = open_backend(f"http://127.0.0.1:{port}")
    with pytest.raises(NotAccepted):
        await backend.submit(video())
    await backend.aclose()


async def test_a_full_pool_is_not_accepted(provider: Provider) -> None:
    provider.reply = hang
    backend = VertexBackend(
        project="p1",
        location="us-central1",
        bucket="outputs",
        credentials=open_backend(provider.url)._token._credentials,
        base_url=provider.url,
        submit_timeout=0.9,
        max_connections=1,
    )
    outcomes = await asyncio.gather(
        backend.submit(video()), backend.submit(video()), return_exceptions=True
    )
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["NotAccepted", "Unknown"]
    assert len(provider.seen) == 1
    await backend.aclose()


async def test_busy_is_not_accepted_and_tells_when(
    backend: VertexBackend, provider: Provider
) -> None:
    soon = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=90)
    for value, low, high in [
        ("7", 7, 7),
        ("99999", 600, 600),
        (format_datetime(soon, usegmt=True), 80, 91),
        ("Mon, 01 Jan 2024 00:00:00 GMT", 0, 0),
    ]:
        provider.reply = google_error(429, "Quota exceeded", retry_after=value)
        with pytest.raises(NotAccepted) as caught:
            await backend.submit(video())
        assert caught.value.retry_after is not None
        assert low <= caught.value.retry_after <= high
    for value in ("", "soon", "-1", "nan"):
        provider.reply = google_error(429, retry_after=value)
        with pytest.raises(NotAccepted) as caught:
            await backend.submit(video())
        assert caught.value.retry_after is None


@pytest.mark.parametrize(
    ("reply", "code", "operator", "category"),
    [
        (google_error(400, "aspectRatio is bad"), "provider_rejected", False, ""),
        (google_error(422, "bad"), "provider_rejected", False, ""),
        (
            google_error(400, "blocked. Support codes: 61493863"),
            "content_filtered",
            False,
            "violence",
        ),
        (
            google_error(400, "This violates our usage guidelines"),
            "content_filtered",
            False,
            "other",
        ),
        (
            google_error(400, "Billing is disabled", "FAILED_PRECONDITION"),
            "provider_error",
            True,
            "",
        ),
        (google_error(401, "who?"), "provider_error", True, ""),
        (google_error(403, "organisation policy"), "provider_error", True, ""),
        (google_error(404, "Publisher Model was not found"), "provider_error", True, ""),
        (says(text="<html>no</html>", status=404), "provider_error", True, ""),
    ],
)
async def test_a_refusal_is_final(
    backend: VertexBackend,
    provider: Provider,
    reply: Reply,
    code: str,
    operator: bool,
    category: str,
) -> None:
    provider.reply = reply
    with pytest.raises(Rejected) as caught:
        await backend.submit(video("my secret prompt"))
    error = caught.value
    assert (error.code, error.operator_fault, error.category) == (code, operator, category)
    assert str(error).endswith(".")
    assert error.__suppress_context__  # what the provider said does not reach a traceback


async def test_a_prefix_that_is_not_ours_is_never_asked_for(
    backend: VertexBackend, provider: Provider
) -> None:
    for prefix in ("gs://other/x/", "gs://outputs/x", "s3://outputs/x/", "gs://outputs/"):
        with pytest.raises(Rejected) as caught:
            await backend.submit(video(prefix=prefix))
        assert caught.value.operator_fault
    assert provider.seen == []


def gemini(*parts: object, **candidate: object) -> Reply:
    content = {"role": "model", "parts": list(parts)}
    answer = says({"candidates": [{"content": content, "finishReason": "STOP", **candidate}]})

    async def reply(request: web.Request, body: bytes) -> web.StreamResponse:
        if request.path.startswith("/upload/"):
            return web.json_response({"size": str(len(body))})
        return await answer(request, body)

    return reply


def blob(data: bytes, mime_type: str = "image/png") -> dict[str, object]:
    return {"inlineData": {"mimeType": mime_type, "data": base64.b64encode(data).decode()}}


async def test_an_image_is_stored_under_the_prefix(
    backend: VertexBackend, provider: Provider
) -> None:
    draft = {**blob(b"draft"), "thought": True}
    provider.reply = gemini({"text": "Here it is"}, draft, blob(b"jpeg", "image/jpeg"))
    assert await backend.submit(image()) == Produced(f"{PREFIX}image_0.jpg", "image/jpeg")
    asked, stored = provider.seen
    assert asked.path.endswith("/publishers/google/models/gemini-3.1-flash-image:generateContent")
    assert json.loads(asked.body) == {
        "contents": [{"role": "user", "parts": [{"text": "a red kite"}]}],
        "generationConfig": {
            "responseModalities": ["IMAGE"],
            "imageConfig": {"aspectRatio": "3:2"},
        },
        "labels": {"generation": "g1"},
    }
    assert (
        stored.path == "/upload/storage/v1/b/outputs/o?uploadType=media&name=g1%2Fa1%2Fimage_0.jpg"
    )
    assert (stored.body, stored.headers["content-type"]) == (b"jpeg", "image/jpeg")


@pytest.mark.parametrize(
    ("reply", "code", "category"),
    [
        (gemini({"text": "I would rather not"}), "empty_result", ""),
        (gemini(blob(b"gif", "image/gif")), "empty_result", ""),
        (gemini(blob(b"")), "empty_result", ""),
        (gemini(finishReason="NO_IMAGE"), "empty_result", ""),
        (says({}), "empty_result", ""),
        (says({"candidates": [{"finishReason": "IMAGE_SAFETY"}]}), "content_filtered", "other"),
        (
            says({"candidates": [{"finishReason": "SPII"}]}),
            "content_filtered",
            "personal_information",
        ),
        (
            gemini(
                finishReason="IMAGE_SAFETY",
                safetyRatings=[{"category": "HARM_CATEGORY_HATE_SPEECH", "blocked": True}],
            ),
            "content_filtered",
            "hate",
        ),
        (
            says({"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}}),
            "content_filtered",
            "prohibited",
        ),
    ],
)
async def test_a_200_without_an_image_is_a_rejection(
    backend: VertexBackend, provider: Provider, reply: Reply, code: str, category: str
) -> None:
    provider.reply = reply
    with pytest.raises(Rejected) as caught:
        await backend.submit(image())
    assert (caught.value.code, caught.value.category) == (code, category)
    assert len(provider.seen) == 1


async def test_an_image_that_could_not_be_stored_is_unknown(
    backend: VertexBackend, provider: Provider
) -> None:
    made = gemini(blob(b"png"))

    async def reply(request: web.Request, body: bytes) -> web.StreamResponse:
        if request.path.startswith("/upload/"):
            return web.Response(status=503)
        return await made(request, body)

    provider.reply = reply
    with pytest.raises(Unknown):
        await backend.submit(image())


async def test_a_continuation_is_not_followed(backend: VertexBackend, provider: Provider) -> None:
    provider.reply = gemini(finishReason="CONTINUATION", continuationToken="dG9rZW4=")
    with pytest.raises(Rejected):
        await backend.submit(image())
    assert len(provider.seen) == 1
