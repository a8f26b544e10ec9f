"""POST /api/v1/generate/ and /api/v1/generate/image/, one view."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from credits import ledger
from generation.models import Generation
from tests.support.people import Person

Api = Callable[..., httpx.Client]
SIZE = "Invalid size. Must be one of: 1:1, 3:2, 2:3"


@pytest.mark.parametrize("path", ["/api/v1/generate/", "/api/v1/generate/image/"])
def test_the_answer_is_the_contracts(api: Api, alice: Person, path: str) -> None:
    answer = api(alice.key).post(path, json={"prompt": " a red fox\n"})
    assert answer.status_code == 201
    body = answer.json()
    generation_id = body["data"].pop("generation_id")
    assert answer.headers["Location"] == f"/api/v1/generate/{generation_id}/"
    assert body == {
        "success": True,
        "data": {
            "status": "processing",
            "generation_type": "image",
            "size": "1:1",
            "estimated_time": "15-30 seconds",
            "credits_used": 24,
            "credits_remaining": 976,
            "mode": "text-to-image",
            "message": "Image generation started successfully",
            "duration": None,
            "resolution": None,
            "generate_audio": None,
            "seed": None,
            "negative_prompt": None,
        },
    }
    assert Generation.objects.get(pk=generation_id).prompt == "a red fox"
    assert alice.balance == 976


@pytest.mark.parametrize("size", ["1:1", "3:2", "2:3"])
def test_every_size_costs_the_same(api: Api, alice: Person, size: str) -> None:
    data = api(alice.key).post("/api/v1/generate/", json={"prompt": "p", "size": size}).json()
    assert data["data"]["size"] == size
    assert data["data"]["credits_used"] == 24


@pytest.mark.parametrize(
    ("body", "error", "fields"),
    [
        ({}, "Prompt is required", ["prompt"]),
        ({"prompt": "x" * 1001}, "Prompt must be at most 1000 characters", ["prompt"]),
        ({"prompt": "p", "size": "4:3"}, SIZE, ["size"]),
        ({"prompt": "p", "size": ""}, SIZE, ["size"]),
        ({"size": 1}, "Prompt is required", ["prompt", "size"]),
    ],
)
def test_bad_fields(
    api: Api, alice: Person, body: dict[str, Any], error: str, fields: list[str]
) -> None:
    answer = api(alice.key).post("/api/v1/generate/", json=body)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request")
    assert answer.json()["error"] == error
    assert list(answer.json()["details"]) == fields
    assert alice.balance == 1000
    assert not Generation.objects.exists()


def test_not_enough_credits_names_no_video_model(api: Api, alice: Person) -> None:
    ledger.adjust(alice.account.pk, -977, description="test", created_by=alice.user.pk)
    answer = api(alice.key).post("/api/v1/generate/", json={"prompt": "p"})
    assert answer.status_code == 402
    body = answer.json()
    assert body.pop("request_id") == answer.headers["X-Request-ID"]
    assert body == {
        "success": False,
        "error": "Insufficient credits. Need 24, have 23",
        "code": "insufficient_credits",
        "credits_needed": 24,
        "credits_balance": 23,
        "generation_type": "image",
    }
    assert not Generation.objects.exists()


def test_a_video_models_name_means_nothing_here(api: Api, alice: Person) -> None:
    body = {"prompt": "p", "video_model": "veo3", "aspect_ratio": "9:16"}
    data = api(alice.key).post("/api/v1/generate/", json=body).json()["data"]
    assert (data["generation_type"], data["credits_used"]) == ("image", 24)
