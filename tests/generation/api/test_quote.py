"""POST /api/v1/quote/: judged like a create; nothing is charged or kept."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from credits import ledger
from credits.models import LedgerEntry
from generation.models import Generation
from tests.support.people import Person

Api = Callable[..., httpx.Client]
PATH = "/api/v1/quote/"


def test_every_key_of_a_videos(api: Api, alice: Person) -> None:
    body = {"prompt": "a", "resolution": "1080p", "max_credits": 1}
    answer = api(alice.key).post(PATH, json=body, headers={"Idempotency-Key": "k"})
    assert answer.status_code == 200
    assert answer.json() == {
        "success": True,
        "type": "video",
        "model": "veo3_fast",
        "mode": "text-to-video",
        "credits_needed": 288,
        "credits_balance": 1000,
        "sufficient": True,
        "price_per_8_seconds": 288,
        "price_per_image": None,
        "estimated_time": "90-120 seconds",
        "aspect_ratio": "16:9",
        "size": None,
        "source_images_count": 0,
        "duration": 8,
        "resolution": "1080p",
        "generate_audio": True,
        "seed": None,
        "negative_prompt": None,
    }
    assert '"reads"' in answer.headers["RateLimit"]
    assert LedgerEntry.objects.count() == 1  # what the account began with
    assert not Generation.objects.exists()


def test_a_balance_below_zero_is_shown_and_not_sufficient(api: Api, alice: Person) -> None:
    ledger.reverse(alice.account.pk, 1760, reversal_id=uuid.uuid4(), description="d")
    answer = api(alice.key).post(PATH, json={"prompt": "a"}).json()
    assert (answer["credits_balance"], answer["sufficient"]) == (-760, False)


def test_every_key_of_an_images(api: Api, alice: Person) -> None:
    body = {"type": "image", "prompt": "a", "size": "3:2"}
    answer = api(alice.key).post(PATH, json=body).json()
    assert answer == {
        "success": True,
        "type": "image",
        "model": "image",
        "mode": "text-to-image",
        "credits_needed": 24,
        "credits_balance": 1000,
        "sufficient": True,
        "price_per_8_seconds": None,
        "price_per_image": 24,
        "estimated_time": "15-30 seconds",
        "aspect_ratio": None,
        "size": "3:2",
        "source_images_count": None,
        "duration": None,
        "resolution": None,
        "generate_audio": None,
        "seed": None,
        "negative_prompt": None,
    }


def test_a_part_of_the_unit(api: Api, alice: Person) -> None:
    body = {"prompt": "a", "video_model": "veo3", "duration": 6, "generate_audio": False}
    answer = api(alice.key).post(PATH, json=body).json()
    assert (answer["price_per_8_seconds"], answer["credits_needed"]) == (250, 188)


def test_a_low_balance_refuses_nothing(api: Api, alice: Person) -> None:
    body = {"prompt": "a", "video_model": "veo3", "resolution": "4k"}
    for _ in range(2):
        api(alice.key).post("/api/v1/generate/video/", json={"prompt": "a", "video_model": "veo3"})
    answer = api(alice.key).post(PATH, json=body).json()
    assert (answer["credits_balance"], answer["sufficient"]) == (0, False)


@pytest.mark.parametrize(
    ("body", "details"),
    [
        ({"type": "audio"}, {"type": "Invalid type. Must be one of: video, image"}),
        ({"type": 1}, {"type": "Must be a string"}),
        ({"type": None, "duration": 5}, {"duration": "Invalid duration. Must be one of: 4, 6, 8"}),
        ({"max_credits": "x"}, {"max_credits": "Must be an integer, 0 or more"}),
        (
            {"type": "image", "size": "4:3", "duration": 5},
            {"size": "Invalid size. Must be one of: 1:1, 3:2, 2:3"},
        ),
    ],
)
def test_it_is_judged_like_the_create(
    api: Api, alice: Person, body: dict[str, Any], details: dict[str, str]
) -> None:
    answer = api(alice.key).post(PATH, json={"prompt": "a", **body})
    assert (answer.status_code, answer.json()["details"]) == (400, details)


def test_it_needs_a_credential(api: Api) -> None:
    assert api().post(PATH, json={"prompt": "a"}).status_code == 401
