"""Images: asked for, looked at part by part, and put into the bucket by us."""

from __future__ import annotations

import base64
import json

import pytest
from aiohttp import web

from generation.backends.base import (
    Produced,
    Rejected,
    Unknown,
)
from generation.backends.vertex import VertexBackend
from tests.generation.backends.conftest import (
    PREFIX,
    Provider,
    Reply,
    image,
    says,
)

pytestmark = pytest.mark.anyio


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
