"""What each answer to a submit means: may it have been bought?"""

from __future__ import annotations

import asyncio
import base64
import json
import socket
from dataclasses import replace

import aiohttp
import pytest
from google.oauth2.credentials import Credentials

from generation.backends.base import (
    Accepted,
    NotAccepted,
    Rejected,
    SourceImage,
    SubmitRequest,
    Unknown,
)
from generation.backends.google.http import MAX_ANSWER
from generation.backends.vertex.backend import VertexBackend
from tests.generation.backends.conftest import (
    OPERATION,
    PLACE,
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
            "storageUri": PLACE,
            "durationSeconds": 8,
            "resolution": "720p",
            "aspectRatio": "16:9",
            "personGeneration": "allow_adult",
            "generateAudio": True,
        },
        "labels": {"generation": "g1"},
    }


async def test_what_was_ordered_is_what_is_asked_for(
    backend: VertexBackend, provider: Provider
) -> None:
    provider.reply = says({"name": OPERATION})
    asked = replace(
        video(),
        duration=4,
        resolution="1080p",
        audio=False,
        seed=0,
        negative_prompt="rain",
        token="g1-1",
    )
    await backend.submit(asked)
    body = json.loads(provider.seen[0].body)
    assert body["parameters"] == {
        "sampleCount": 1,
        "storageUri": PLACE,
        "durationSeconds": 4,
        "resolution": "1080p",
        "aspectRatio": "16:9",
        "personGeneration": "allow_adult",
        "generateAudio": False,
        "seed": 0,
        "negativePrompt": "rain",
    }
    assert body["labels"] == {"generation": "g1", "token": "g1-1"}


async def test_an_image_carries_its_token(backend: VertexBackend, provider: Provider) -> None:
    provider.reply = google_error(429)
    with pytest.raises(NotAccepted):
        await backend.submit(replace(image(), token="g1-1"))
    assert json.loads(provider.seen[0].body)["labels"] == {"generation": "g1", "token": "g1-1"}


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
async def test_a_connection_that_is_cut_is_unknown_and_not_repeated(
    backend: VertexBackend, provider: Provider, request_: SubmitRequest
) -> None:
    # Where aiohttp is installed google-genai would repeat this by itself after 1 to 10 seconds,
    # which this backend has the patience for.
    assert aiohttp.__version__
    provider.reply = reset
    with pytest.raises(Unknown):
        await backend.submit(request_)
    assert len(provider.seen) == 1


@pytest.mark.parametrize("request_", [video(), image()], ids=["video", "image"])
@pytest.mark.parametrize("reply", [hang, drip], ids=["hang", "drip"])
async def test_an_answer_that_does_not_come_is_unknown(
    hasty: VertexBackend, provider: Provider, reply: Reply, request_: SubmitRequest
) -> None:
    provider.reply = reply
    async with asyncio.timeout(5):
        with pytest.raises(Unknown):
            await hasty.submit(request_)
    assert len(provider.seen) <= 1  # a busy machine may give up before it has sent it


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
    provider.reply = says(text=b"x" * (MAX_ANSWER + 1))
    with pytest.raises(Unknown, match="AnswerTooLarge"):
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
        credentials=Credentials(token="t1"),
        base_url=provider.url,
        submit_timeout=2.1,
        max_connections=1,
    )
    first = asyncio.create_task(backend.submit(video()))
    for _ in range(100):
        if provider.seen:
            break
        await asyncio.sleep(0.01)
    with pytest.raises(NotAccepted):
        await backend.submit(video())
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    assert len(provider.seen) == 1
    await backend.aclose()


async def test_a_place_is_the_attempts_own_and_ours(
    backend: VertexBackend, provider: Provider
) -> None:
    place = backend.place_for("0192-aa", 2)
    assert place == "gs://outputs/generations/0192-aa/2/"
    assert provider.seen == []
    provider.reply = says({"name": OPERATION})
    assert await backend.submit(video(place=place)) == Accepted(OPERATION)


async def test_a_place_that_is_not_ours_is_never_asked_for(
    backend: VertexBackend, provider: Provider
) -> None:
    for place in ("gs://other/x/", "gs://outputs/x", "s3://outputs/x/", "gs://outputs/"):
        with pytest.raises(Rejected) as caught:
            await backend.submit(video(place=place))
        assert caught.value.operator_fault
    assert provider.seen == []
