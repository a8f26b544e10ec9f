from __future__ import annotations

import base64
import io
import uuid
from typing import Any

import httpx
import pytest
from PIL import Image

from tests.dev.emulator.conftest import RunningEmulator
from tests.dev.emulator.pictures import RED, plain_image

MODEL = "gemini-3.1-flash-image"


def generate(
    emulator: RunningEmulator, prompt: str, *, model: str = MODEL, **body: Any
) -> httpx.Response:
    config = {"responseModalities": ["IMAGE"], "imageConfig": body.pop("image_config", {})}
    contents = [{"role": "user", "parts": [{"text": prompt}, *body.pop("parts", [])]}]
    payload = {"contents": contents, "generationConfig": config, **body}
    return emulator.client.post(emulator.model_url(model, "generateContent"), json=payload)


@pytest.mark.parametrize("model", [MODEL, "gemini-2.5-flash-image", "gemini-3-pro-image"])
def test_a_picture_comes_inline_in_the_asked_ratio(emulator: RunningEmulator, model: str):
    label = uuid.uuid4().hex
    answer = generate(
        emulator,
        "A cup of tea",
        model=model,
        image_config={"aspectRatio": "3:2"},
        labels={"generation": label},
    ).json()
    (candidate,) = answer["candidates"]
    assert candidate["finishReason"] == "STOP"
    (inline,) = [
        each["inlineData"] for each in candidate["content"]["parts"] if "inlineData" in each
    ]
    assert inline["mimeType"] == "image/png"
    with Image.open(io.BytesIO(base64.b64decode(inline["data"]))) as picture:
        assert picture.width / picture.height == pytest.approx(1.5, abs=0.01)
    assert answer["usageMetadata"]["candidatesTokenCount"] > 0
    assert (emulator.bought(label), emulator.billed(label)) == (1, 1)


def test_images_can_be_given(emulator: RunningEmulator):
    data = base64.b64encode(plain_image(RED)).decode()
    parts = [{"inlineData": {"mimeType": "image/png", "data": data}}]
    assert generate(emulator, "Put it on a wall", parts=parts).status_code == 200


def test_filtered_is_a_success_without_a_picture(emulator: RunningEmulator):
    answer = generate(emulator, "A face [emulator:filtered]")
    assert answer.status_code == 200
    (candidate,) = answer.json()["candidates"]
    assert candidate["finishReason"] == "IMAGE_SAFETY"
    assert "content" not in candidate


def test_filtered_prompt_has_a_block_reason(emulator: RunningEmulator):
    answer = generate(emulator, "A face [emulator:filtered=prompt]").json()
    assert answer["promptFeedback"]["blockReason"] == "PROHIBITED_CONTENT"
    assert "candidates" not in answer


def test_empty_is_text_only(emulator: RunningEmulator):
    label = uuid.uuid4().hex
    labels = {"generation": label}
    answer = generate(emulator, "A face [emulator:empty]", labels=labels).json()
    assert (emulator.bought(label), emulator.billed(label)) == (1, 0)
    assert [list(part) for part in answer["candidates"][0]["content"]["parts"]] == [["text"]]


@pytest.mark.parametrize(
    ("marker", "status"),
    [
        *(("busy", 429), ("overloaded", 503), ("error", 500), ("error=14", 503)),
        *(("rejected", 400), ("html502", 502)),
    ],
)
def test_refused_pictures_are_not_bought(emulator: RunningEmulator, marker: str, status: int):
    label = uuid.uuid4().hex
    labels = {"generation": label}
    answer = generate(emulator, f"A cup [emulator:{marker}]", labels=labels)
    assert answer.status_code == status
    assert emulator.bought(label) == 0


def test_a_reset_after_acceptance_counts_as_bought(emulator: RunningEmulator):
    label = uuid.uuid4().hex
    with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
        generate(emulator, "A cup [emulator:accepted-then-reset]", labels={"generation": label})
    assert emulator.bought(label) == 1


@pytest.mark.parametrize(
    "body",
    [
        {"image_config": {"aspectRatio": "7:3"}},
        {"image_config": {"imageSize": "8K"}},
        {"labels": {"generation": "Not Allowed"}},
        {"parts": [{"inlineData": {"mimeType": "image/png", "data": "bm8="}}]},
        {"parts": [{"fileData": {}}]},
    ],
)
def test_wrong_requests_are_invalid(emulator: RunningEmulator, body: dict[str, Any]):
    assert generate(emulator, "A cup", **body).status_code == 400


@pytest.mark.parametrize("verb", ["generateContent", "predict"])
def test_imagen_is_retired(emulator: RunningEmulator, verb: str):
    url = emulator.model_url("imagen-4.0-generate-001", verb)
    assert emulator.client.post(url, json={}).status_code == 404
