"""What a client of the Interactions API does, over HTTP."""

from __future__ import annotations

import time
import uuid
from typing import Any

import httpx

from tests.dev.emulator.conftest import RunningEmulator

OMNI = "gemini-omni-1.2-flash"
BUCKET = "interactions"
PATH = "projects/shop/locations/global/interactions"


def url(emulator: RunningEmulator, path: str = PATH) -> str:
    return f"{emulator.url}/v1beta1/{path}"


def body(text: str, key: str, *images: dict[str, str], **wanted: Any) -> dict[str, Any]:
    """A whole request whose label and place are named ``key``; ``wanted`` is of its format."""
    place = {"delivery": "uri", "gcs_uri": f"gs://{BUCKET}/{key}/"}
    content = [{"type": "text", "text": text}, *({"type": "image"} | each for each in images)]
    return {
        "model": OMNI,
        "background": True,
        "store": True,
        "input": [{"type": "user_input", "content": content}],
        "response_format": [{"type": "video", "duration": "3s"} | place | wanted],
        "labels": {"generation": key},
    }


def begin(
    emulator: RunningEmulator, text: str, *images: dict[str, str], **wanted: Any
) -> tuple[httpx.Response, str]:
    key = uuid.uuid4().hex
    payload = body(text, key, *images, **wanted)
    return emulator.client.post(url(emulator), json=payload), key


def get(emulator: RunningEmulator, identity: str, **query: str) -> httpx.Response:
    params = {"stream": "false", "include_input": "false"} | query
    return emulator.client.get(f"{url(emulator)}/{identity}", params=params)


def finish(emulator: RunningEmulator, identity: str) -> dict[str, Any]:
    """Ask until the interaction is done."""
    for _ in range(1000):
        answer: dict[str, Any] = get(emulator, identity).raise_for_status().json()
        if answer["status"] in ("completed", "failed", "incomplete", "cancelled"):
            return answer
        time.sleep(0.02)
    raise AssertionError("the interaction did not end")


def done(
    emulator: RunningEmulator, text: str, *images: dict[str, str], **wanted: Any
) -> tuple[dict[str, Any], str]:
    answer, key = begin(emulator, text, *images, **wanted)
    assert answer.status_code == 200, answer.text
    return finish(emulator, answer.json()["id"]), key


def output(answer: dict[str, Any]) -> list[dict[str, Any]]:
    """The content of all model_output steps."""
    steps = [each for each in answer["steps"] if each["type"] == "model_output"]
    return [piece for each in steps for piece in each["content"]]


def told(emulator: RunningEmulator, key: str) -> dict[str, Any]:
    """What the emulator tells of the one operation with this label."""
    found = emulator.client.get(f"{emulator.url}/emulator/operations/{key}").json()["operations"]
    assert len(found) == 1
    operation: dict[str, Any] = found[0]
    return operation
