"""GET /api/v1/models/, /models/video/ and /models/image/: public."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from common.fresh import Fresh
from generation.models import CatalogModel
from tests.support.people import Person

Api = Callable[..., httpx.Client]

VEO3: dict[str, Any] = {
    "name": "veo3",
    "slug": "veo3",
    "available": True,
    "aliases": [],
    "generation_type": "video",
    "credits": 500,
    "quality": "premium",
    "modes": ["text-to-video", "image-to-video"],
    "aspect_ratios": ["16:9", "9:16"],
    "default": "16:9",
    "durations": [4, 6, 8],
    "default_duration": 8,
    "durations_by_resolution": {"1080p": [8], "4k": [8]},
    "durations_by_images": {"3": [8]},
    "resolutions": ["720p", "1080p", "4k"],
    "audio": "optional",
    "seed": True,
    "negative_prompt": True,
    "max_images": 3,
    "prices": {
        "720p": {"audio": 500, "silent": 250},
        "1080p": {"audio": 500, "silent": 250},
        "4k": {"audio": 750, "silent": 500},
    },
    "price_unit_seconds": 8,
    "estimated_time": {"text-to-video": "60-90 seconds", "image-to-video": "90-120 seconds"},
    "source_images_max": 3,
    "retires_at": None,
}
VEO3_FAST = VEO3 | {
    "name": "veo3_fast",
    "slug": "veo3_fast",
    "credits": 240,
    "prices": {
        "720p": {"audio": 240, "silent": 192},
        "1080p": {"audio": 288, "silent": 240},
        "4k": {"audio": 720, "silent": 600},
    },
    "quality": "standard",
    "estimated_time": {"text-to-video": "45-60 seconds", "image-to-video": "45-60 seconds"},
}
IMAGE: dict[str, Any] = {
    "name": "image",
    "slug": "image",
    "available": True,
    "aspect_ratios": None,
    "durations": None,
    "default_duration": None,
    "durations_by_resolution": None,
    "durations_by_images": None,
    "resolutions": None,
    "audio": None,
    "seed": None,
    "negative_prompt": None,
    "max_images": 0,
    "prices": None,
    "price_unit_seconds": None,
    "aliases": [],
    "generation_type": "image",
    "credits": 24,
    "quality": "standard",
    "modes": ["text-to-image"],
    "sizes": ["1:1", "3:2", "2:3"],
    "default": "1:1",
    "estimated_time": {"text-to-image": "15-30 seconds"},
    "source_images_max": 0,
    "retires_at": None,
}


@pytest.mark.parametrize(
    ("path", "models"),
    [
        ("/api/v1/models/", [VEO3_FAST, VEO3, IMAGE]),
        ("/api/v1/models/video/", [VEO3_FAST, VEO3]),
        ("/api/v1/models/image/", [IMAGE]),
    ],
)
def test_everything_that_is_sold(api: Api, path: str, models: list[dict[str, object]]) -> None:
    answer = api().get(path)
    assert answer.status_code == 200
    assert answer.json() == {"success": True, "models": models}


def test_a_bad_secret_does_not_hurt(api: Api) -> None:
    assert api("nonsense").get("/api/v1/models/").status_code == 200


def test_what_is_switched_off_is_neither_shown_nor_sold(api: Api, alice: Person) -> None:
    CatalogModel.objects.filter(name="veo3_fast").update(enabled=False)
    Fresh.clear_all()
    CatalogModel.objects.filter(name="image").update(enabled=False)
    Fresh.clear_all()
    names = [model["name"] for model in api().get("/api/v1/models/").json()["models"]]
    assert names == ["veo3"]


def test_the_default_is_the_first_that_is_sold(api: Api, alice: Person) -> None:
    key = alice.key
    CatalogModel.objects.filter(name="veo3_fast").update(enabled=False)
    Fresh.clear_all()
    data = api(key).post("/api/v1/generate/video/", json={"prompt": "p"}).json()["data"]
    assert data["video_model"] == "veo3"
    answer = api(key).post(
        "/api/v1/generate/video/", json={"prompt": "p", "video_model": "veo3_fast"}
    )
    assert answer.json()["error"] == "Invalid video_model. Must be one of: veo3"


def test_an_alias_orders_the_same(api: Api, alice: Person) -> None:
    CatalogModel.objects.filter(name="veo3").update(aliases=["veo-3"])
    Fresh.clear_all()
    body = {"prompt": "p", "video_model": "veo-3"}
    answer = api(alice.key).post("/api/v1/generate/video/", json=body)
    assert answer.json()["data"]["video_model"] == "veo3"
    assert str(CatalogModel.objects.get(name="veo3")) == "veo3"


def test_with_nothing_on_sale_a_create_says_so(api: Api, alice: Person) -> None:
    CatalogModel.objects.filter(kind="video").update(enabled=False)
    Fresh.clear_all()
    answer = api(alice.key).post("/api/v1/generate/video/", json={"prompt": "p"})
    assert answer.status_code == 400
    assert answer.json()["error"] == "No video model is on sale at the moment"
