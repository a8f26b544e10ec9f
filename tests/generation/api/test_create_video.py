"""POST /api/v1/generate/video/."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from credits import ledger
from generation.models import Attempt, Generation, GenerationEvent
from tests.support.people import Person

Api = Callable[..., httpx.Client]
PATH = "/api/v1/generate/video/"


def test_the_answer_is_the_contracts(api: Api, alice: Person) -> None:
    answer = api(alice.key).post(PATH, json={"prompt": "  a red fox  "})
    assert answer.status_code == 201
    body = answer.json()
    generation_id = body["data"].pop("generation_id")
    assert body == {
        "success": True,
        "data": {
            "status": "processing",
            "generation_type": "video",
            "video_model": "veo3_fast",
            "estimated_time": "45-60 seconds",
            "credits_used": 240,
            "credits_remaining": 760,
            "mode": "text-to-video",
            "message": "Video generation started successfully",
            "duration": 8,
            "resolution": "720p",
            "generate_audio": True,
            "seed": None,
            "negative_prompt": None,
        },
    }
    assert answer.headers["Location"] == f"/api/v1/generate/{generation_id}/"
    generation = Generation.objects.get(pk=generation_id)
    assert generation.prompt == "a red fox"
    assert generation.charge.amount == -240
    assert [event.state for event in generation.events.all()] == ["queued"]


@pytest.mark.parametrize(
    ("model", "sources", "price", "estimate", "message"),
    [
        ("veo3_fast", 0, 240, "45-60 seconds", "Video generation started successfully"),
        ("veo3_fast", 1, 240, "45-60 seconds", "Image-to-video generation started successfully"),
        ("veo3", 0, 500, "60-90 seconds", "Premium video generation started successfully"),
        (
            "veo3",
            3,
            500,
            "90-120 seconds",
            "Premium image-to-video generation started successfully",
        ),
    ],
)
def test_models_and_modes(
    api: Api, alice: Person, model: str, sources: int, price: int, estimate: str, message: str
) -> None:
    body: dict[str, Any] = {"prompt": "p", "video_model": model, "aspect_ratio": "9:16"}
    if sources:
        body["source_image_urls"] = [f"https://example.com/{n}.png" for n in range(sources)]
    data = api(alice.key).post(PATH, json=body).json()["data"]
    assert data["credits_used"] == price
    assert data["credits_remaining"] == 1000 - price
    assert data["estimated_time"] == estimate
    assert data["message"] == message
    assert data["mode"] == ("image-to-video" if sources else "text-to-video")
    assert data.get("source_images_count") == (sources or None)


def test_insufficient_credits_is_402_and_nothing_else_happens(api: Api, alice: Person) -> None:
    client = api(alice.key)
    assert client.post(PATH, json={"prompt": "p", "video_model": "veo3"}).status_code == 201
    assert client.post(PATH, json={"prompt": "p", "video_model": "veo3"}).status_code == 201
    answer = client.post(PATH, json={"prompt": "p"})
    assert answer.status_code == 402
    body = answer.json()
    assert body.pop("request_id") == answer.headers["X-Request-ID"]
    assert body == {
        "success": False,
        "error": "Insufficient credits. Need 240, have 0",
        "code": "insufficient_credits",
        "credits_needed": 240,
        "credits_balance": 0,
        "video_model": "veo3_fast",
        "generation_type": "video",
    }
    assert Generation.objects.count() == GenerationEvent.objects.count() == 2
    assert len(alice.entries) == 3
    assert Attempt.objects.count() == 0


def test_who_owes_credits_is_told_how_many_and_orders_nothing(api: Api, alice: Person) -> None:
    ledger.reverse(alice.account.pk, 1760, reversal_id=uuid.uuid4(), description="d")
    answer = api(alice.key).post(PATH, json={"prompt": "p"})
    assert answer.status_code == 402
    body = answer.json()
    assert body["error"] == "Insufficient credits. Need 240, have -760"
    assert (body["credits_needed"], body["credits_balance"]) == (240, -760)
    assert (alice.balance, Generation.objects.count()) == (-760, 0)


@pytest.mark.parametrize(
    ("body", "error", "details"),
    [
        ({}, "Prompt is required", {"prompt": "This field is required"}),
        ({"prompt": None}, "Prompt is required", {"prompt": "This field is required"}),
        ({"prompt": ""}, "Prompt is required", {"prompt": "This field is required"}),
        ({"prompt": " \n "}, "Prompt is required", {"prompt": "This field is required"}),
        ({"prompt": "\u200b"}, "Prompt is required", {"prompt": "This field is required"}),
        (
            {"prompt": "x" * 1001},
            "Prompt must be at most 1000 characters",
            {"prompt": "Must be at most 1000 characters"},
        ),
        ({"prompt": 7}, "Prompt must be a string", {"prompt": "Must be a string"}),
        (
            {"prompt": "p", "video_model": "sora"},
            "Invalid video_model. Must be one of: veo3_fast, veo3",
            {"video_model": "Invalid video_model. Must be one of: veo3_fast, veo3"},
        ),
        (
            {"prompt": "p", "aspect_ratio": "4:3"},
            "Invalid aspect_ratio. Must be one of: 16:9, 9:16",
            {"aspect_ratio": "Invalid aspect_ratio. Must be one of: 16:9, 9:16"},
        ),
        (
            {"prompt": "p", "source_image_urls": ["https://a.example/x.png", "ftp://b.example"]},
            "source_image_urls[1] must be an http or https URL",
            {"source_image_urls": "source_image_urls[1] must be an http or https URL"},
        ),
        (
            {"prompt": "p", "source_image_urls": ["https://a.example"] * 4},
            "Source image urls must be a list of at most 3 URLs",
            {"source_image_urls": "Must be a list of at most 3 URLs"},
        ),
        (
            {"aspect_ratio": "1:1", "video_model": ["x"]},
            "Prompt is required",
            {
                "prompt": "This field is required",
                "video_model": "Must be a string",
                "aspect_ratio": "Invalid aspect_ratio. Must be one of: 16:9, 9:16",
            },
        ),
    ],
)
def test_bad_fields(
    api: Api, alice: Person, body: dict[str, Any], error: str, details: dict[str, str]
) -> None:
    answer = api(alice.key).post(PATH, json=body)
    assert answer.status_code == 400
    assert answer.json() == {
        "success": False,
        "error": error,
        "code": "invalid_request",
        "details": details,
        "request_id": answer.headers["X-Request-ID"],
    }
    assert alice.balance == 1000
    assert not Generation.objects.exists()


def test_null_means_absent_and_unknown_fields_are_ignored(api: Api, alice: Person) -> None:
    body = {"prompt": "p", "video_model": None, "aspect_ratio": None, "source_image_urls": None}
    assert api(alice.key).post(PATH, json=body | {"seed": 3}).status_code == 201
    assert api(alice.key).post(PATH, json={"prompt": "p", "source_image_urls": []}).is_success


def test_a_thousand_characters_after_trimming_are_fine(api: Api, alice: Person) -> None:
    assert api(alice.key).post(PATH, json={"prompt": " " + "é" * 1000 + " "}).status_code == 201


@pytest.mark.parametrize("url", ["data:image/png;base64,AAAA", "DATA:," + "A" * 500_000])
def test_a_data_url_is_told_so_whatever_its_length(api: Api, alice: Person, url: str) -> None:
    urls = ["https://a.example/x.png", url]
    answer = api(alice.key).post(PATH, json={"prompt": "p", "source_image_urls": urls})
    assert answer.status_code == 400
    sentence = "source_image_urls[1] must be an http or https URL; data: URLs are not taken"
    assert answer.json()["error"] == sentence
    assert answer.json()["details"] == {"source_image_urls": sentence}
    assert not Generation.objects.exists()
