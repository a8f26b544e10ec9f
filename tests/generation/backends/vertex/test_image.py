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
from generation.backends.vertex.backend import VertexBackend
from tests.generation.backends.conftest import (
    PLACE,
    TYPES,
    Provider,
    Reply,
    image,
    says,
)

pytestmark = pytest.mark.anyio
# as far as a format shows in the first bytes
PNG, JPEG = b"\x89PNG\r\n\x1a\n...", b"\xff\xd8\xff\xe0..."
WEBP = b"RIFF\x10\x00\x00\x00WEBPVP8 "


def gemini(*parts: object, **candidate: object) -> Reply:
    content = {"role": "model", "parts": list(parts)}
    answer = says({"candidates": [{"content": content, "finishReason": "STOP", **candidate}]})

    async def reply(request: web.Request, body: bytes) -> web.StreamResponse:
        if request.path.startswith("/upload/"):
            return web.json_response({"size": str(len(body))})
        return await answer(request, body)

    return reply


def blob(data: bytes, mime_type: object = "image/png") -> dict[str, object]:
    return {"inlineData": {"mimeType": mime_type, "data": base64.b64encode(data).decode()}}


async def test_an_image_is_stored_in_its_place(backend: VertexBackend, provider: Provider) -> None:
    draft = {**blob(PNG), "thought": True}
    provider.reply = gemini({"text": "Here it is"}, draft, blob(JPEG, "image/jpeg"))
    assert await backend.submit(image()) == Produced(f"{PLACE}image_0.jpg")
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
    assert (stored.body, stored.headers["content-type"]) == (JPEG, "image/jpeg")


VIOLENCE = ("content_filtered", "violence")


def refused(finish: object, message: object) -> Reply:
    return says({"candidates": [{"finishReason": finish, "finishMessage": message}]})


def blocked(reason: object, message: object) -> Reply:
    return says({"promptFeedback": {"blockReason": reason, "blockReasonMessage": message}})


@pytest.mark.parametrize(
    ("reply", "code", "category"),
    [
        (gemini({"text": "I would rather not"}), "empty_result", ""),
        (gemini(blob(b"GIF89a", "image/gif")), "empty_result", ""),
        (gemini(blob(b"GIF89a", "image/png")), "empty_result", ""),
        (gemini({"inlineData": {"mimeType": "image/png", "data": "%"}}), "empty_result", ""),
        (gemini({"inlineData": {"mimeType": "image/png", "data": 5}}), "empty_result", ""),
        (gemini({"inlineData": "image"}, 5, None), "empty_result", ""),
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
        *(
            (refused(finish, "The image was blocked. Support codes: 61493863"), *VIOLENCE)
            for finish in ("IMAGE_SAFETY", "SAFETY", "IMAGE_OTHER", "OTHER", "STOP", "NEW", 5, None)
        ),
        (
            refused("IMAGE_RECITATION", "It violates our usage guidelines"),
            "content_filtered",
            "third_party",
        ),
        (
            refused("NO_IMAGE", "It violates our usage guidelines"),
            "content_filtered",
            "other",
        ),
        (refused("NO_IMAGE", "I found no image in that"), "empty_result", ""),
        (blocked("OTHER", "Blocked. Support codes: 61493863"), *VIOLENCE),
        (blocked("SAFETY", "Blocked. Support codes: 61493863"), *VIOLENCE),
        (blocked(None, "Blocked. Support codes: 61493863"), *VIOLENCE),
        (blocked("BLOCKLIST", 5), "content_filtered", "prohibited"),
    ],
)
async def test_a_200_without_an_image_is_a_rejection(
    backend: VertexBackend, provider: Provider, reply: Reply, code: str, category: str
) -> None:
    provider.reply = reply
    with pytest.raises(Rejected) as caught:
        await backend.submit(image())
    error = caught.value
    assert (error.code, error.category) == (code, category)
    assert error.support_codes == (("61493863",) if category == "violence" else ())
    assert ("61493863" in error.detail) == (category == "violence")
    assert error.retryable == (code == "empty_result")
    assert len(provider.seen) == 1


@pytest.mark.parametrize("mime_type", TYPES, ids=str)
@pytest.mark.parametrize(
    ("data", "suffix", "stored_as"),
    [(PNG, "png", "image/png"), (JPEG, "jpg", "image/jpeg"), (WEBP, "webp", "image/webp")],
    ids=["png", "jpeg", "webp"],
)
async def test_an_image_is_what_its_bytes_say(
    backend: VertexBackend,
    provider: Provider,
    data: bytes,
    suffix: str,
    stored_as: str,
    mime_type: object,
) -> None:
    provider.reply = gemini(blob(data, mime_type))
    assert await backend.submit(image()) == Produced(f"{PLACE}image_0.{suffix}")
    _asked, stored = provider.seen
    assert (stored.body, stored.headers["content-type"]) == (data, stored_as)


@pytest.mark.parametrize("text", ["", "[]", "null", "<html>", "[" * 100_000, '{"candidates": ['])
async def test_a_200_that_is_no_answer_is_unknown(
    backend: VertexBackend, provider: Provider, text: str
) -> None:
    provider.reply = says(text=text)
    with pytest.raises(Unknown):
        await backend.submit(image())
    assert len(provider.seen) == 1


async def test_an_image_that_could_not_be_stored_is_unknown(
    backend: VertexBackend, provider: Provider
) -> None:
    made = gemini(blob(PNG))

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
