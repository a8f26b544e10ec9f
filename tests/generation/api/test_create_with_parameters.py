"""What a video can be asked for besides its prompt: section 2 of the contract."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from generation.models import CatalogModel, Generation
from generation.offer import catalog
from tests.support.people import Person

Api = Callable[..., httpx.Client]

PATH = "/api/v1/generate/video/"
PICTURES = [f"https://a.example/{number}.png" for number in range(4)]
SEED = "ust be an integer from 0 to 4294967295"
DURATIONS = "Invalid duration. Must be one of: 4, 6, 8"
RESOLUTIONS = "Invalid resolution. Must be one of: 720p, 1080p, 4k"

FAULTS: list[tuple[dict[str, Any], str, str, str]] = [
    ({"duration": "8"}, "duration", "Must be an integer", "Duration must be an integer"),
    ({"duration": True}, "duration", "Must be an integer", "Duration must be an integer"),
    ({"duration": 7.5}, "duration", "Must be an integer", "Duration must be an integer"),
    ({"duration": 5}, "duration", DURATIONS, DURATIONS),
    ({"duration": 10**400}, "duration", DURATIONS, DURATIONS),
    (
        {"duration": 4, "resolution": "1080p"},
        "duration",
        "Must be 8 at 1080p",
        "Duration must be 8 at 1080p",
    ),
    (
        {"duration": 6, "resolution": "4k"},
        "duration",
        "Must be 8 at 4k",
        "Duration must be 8 at 4k",
    ),
    (
        {"duration": 4, "source_image_urls": PICTURES[:3]},
        "duration",
        "Must be 8 with 3 source images",
        "Duration must be 8 with 3 source images",
    ),
    (
        {"duration": 4, "resolution": "1080p", "source_image_urls": PICTURES[:3]},
        "duration",
        "Must be 8 at 1080p",
        "Duration must be 8 at 1080p",
    ),
    ({"resolution": 720}, "resolution", "Must be a string", "Resolution must be a string"),
    ({"resolution": "8k"}, "resolution", RESOLUTIONS, RESOLUTIONS),
    ({"resolution": ""}, "resolution", RESOLUTIONS, RESOLUTIONS),
    (
        {"generate_audio": 0},
        "generate_audio",
        "Must be true or false",
        "Generate audio must be true or false",
    ),
    (
        {"generate_audio": "false"},
        "generate_audio",
        "Must be true or false",
        "Generate audio must be true or false",
    ),
    ({"seed": -1}, "seed", f"M{SEED}", f"Seed m{SEED}"),
    ({"seed": 2**32}, "seed", f"M{SEED}", f"Seed m{SEED}"),
    ({"seed": "7"}, "seed", f"M{SEED}", f"Seed m{SEED}"),
    ({"seed": False}, "seed", f"M{SEED}", f"Seed m{SEED}"),
    (
        {"negative_prompt": "b" * 1001},
        "negative_prompt",
        "Must be at most 1000 characters",
        "Negative prompt must be at most 1000 characters",
    ),
    (
        {"negative_prompt": 7},
        "negative_prompt",
        "Must be a string",
        "Negative prompt must be a string",
    ),
    (
        {"source_image_urls": PICTURES},
        "source_image_urls",
        "Must be a list of at most 3 URLs",
        "Source image urls must be a list of at most 3 URLs",
    ),
    *(
        (
            {"max_credits": value},
            "max_credits",
            "Must be an integer, 0 or more",
            "Max credits must be an integer, 0 or more",
        )
        for value in (-1, "240", True, 0.5)
    ),
]


@pytest.fixture
def omni() -> CatalogModel:
    """The row that is in the catalog and not sold yet."""
    CatalogModel.objects.filter(pk="omni").update(enabled=True)
    catalog.sold.clear()
    return CatalogModel.objects.get(pk="omni")


@pytest.mark.parametrize(("asked", "field", "detail", "sentence"), FAULTS)
def test_a_fault_is_told_and_nothing_is_charged(
    api: Api, alice: Person, asked: dict[str, Any], field: str, detail: str, sentence: str
) -> None:
    answer = api(alice.key).post(PATH, json={"prompt": "a", **asked})
    assert answer.status_code == 400
    body = answer.json()
    assert (body["code"], body["error"]) == ("invalid_request", sentence)
    assert body["details"] == {field: detail}
    assert alice.balance == 1000
    assert not Generation.objects.exists()


@pytest.mark.parametrize(
    ("asked", "field", "detail"),
    [
        ({"generate_audio": False}, "generate_audio", "Must be true for omni"),
        ({"seed": "x"}, "seed", "Must be an integer from 0 to 2147483647"),
        ({"seed": 2**31}, "seed", "Must be an integer from 0 to 2147483647"),
        ({"negative_prompt": "rain"}, "negative_prompt", "Must be absent for omni"),
        (
            {"duration": 11, "source_image_urls": PICTURES[:2]},
            "duration",
            "Must be one of 3, 4, 5, 6, 7, 8, 9, 10 with 2 source images",
        ),
    ],
)
def test_the_chosen_models_row_judges(
    api: Api, alice: Person, omni: CatalogModel, asked: dict[str, Any], field: str, detail: str
) -> None:
    answer = api(alice.key).post(PATH, json={"prompt": "a", "video_model": "omni", **asked})
    assert answer.status_code == 400
    assert answer.json()["details"] == {field: detail}


def test_a_row_without_sound_or_seed_says_so(api: Api, alice: Person, omni: CatalogModel) -> None:
    omni.abilities |= {"audio": "never", "seed_max": None, "max_images": 2}
    omni.prices = {"1080p": {"silent": 252}, "4k": {"silent": 504}}
    omni.save()
    catalog.sold.clear()
    body = {"prompt": "a", "video_model": "omni"}
    wrong = {"generate_audio": True, "seed": 1, "source_image_urls": PICTURES[:3]}
    answer = api(alice.key).post(PATH, json=body | wrong)
    assert answer.json()["details"] == {
        "source_image_urls": "Must be a list of at most 2 URLs",
        "generate_audio": "Must be false for omni",
        "seed": "Must be absent for omni",
    }
    assert api(alice.key).post(PATH, json=body).json()["data"]["generate_audio"] is False


def test_a_wrong_model_leaves_the_others_to_the_defaults_row(api: Api, alice: Person) -> None:
    body = {"prompt": " ", "video_model": "sora", "duration": 5, "max_credits": "x", "seed": []}
    answer = api(alice.key).post(PATH, json=body).json()
    assert answer["error"] == "Prompt is required"
    fields = ["prompt", "video_model", "duration", "seed", "max_credits"]
    assert list(answer["details"]) == fields
    assert answer["details"]["duration"] == DURATIONS


@pytest.mark.parametrize(
    ("model", "resolution", "sound", "duration", "price"),
    [
        ("veo3_fast", "720p", True, 8, 240),
        ("veo3_fast", "720p", False, 8, 192),
        ("veo3_fast", "1080p", True, 8, 288),
        ("veo3_fast", "1080p", False, 8, 240),
        ("veo3_fast", "4k", True, 8, 720),
        ("veo3_fast", "4k", False, 8, 600),
        ("veo3", "720p", True, 8, 500),
        ("veo3", "720p", False, 8, 250),
        ("veo3", "1080p", True, 8, 500),
        ("veo3", "1080p", False, 8, 250),
        ("veo3", "4k", True, 8, 750),
        ("veo3", "4k", False, 8, 500),
        ("veo3_fast", "720p", True, 4, 120),
        ("veo3_fast", "720p", True, 6, 180),
        ("veo3_fast", "720p", False, 4, 96),
        ("veo3_fast", "720p", False, 6, 144),
        ("veo3", "720p", True, 4, 250),
        ("veo3", "720p", True, 6, 375),
        ("veo3", "720p", False, 4, 125),
        ("veo3", "720p", False, 6, 188),
    ],
)
def test_a_quotes_price_is_what_is_charged(
    api: Api, alice: Person, model: str, resolution: str, sound: bool, duration: int, price: int
) -> None:
    body = {
        "prompt": "a",
        "video_model": model,
        "resolution": resolution,
        "generate_audio": sound,
        "duration": duration,
    }
    quote = api(alice.key).post("/api/v1/quote/", json=body).json()
    assert quote["credits_needed"] == price
    answer = api(alice.key).post(PATH, json=body | {"max_credits": price})
    data = answer.json()["data"]
    assert (data["credits_used"], data["credits_remaining"]) == (price, 1000 - price)
    row = Generation.objects.get(pk=data["generation_id"])
    assert (row.price, row.charge.amount) == (price, -price)
    assert data["estimated_time"] == quote["estimated_time"]


def test_all_that_was_asked_is_shown_and_repeated(api: Api, alice: Person) -> None:
    body = {
        "prompt": "a",
        "duration": 4.0,
        "generate_audio": False,
        "seed": 0,
        "negative_prompt": "  rain ",
        "source_image_urls": PICTURES[:1],
    }
    shown = {
        "duration": 4,
        "resolution": "720p",
        "generate_audio": False,
        "seed": 0,
        "negative_prompt": "rain",
    }
    key = {"Idempotency-Key": "once"}
    made = api(alice.key).post(PATH, json=body, headers=key).json()["data"]
    assert made.items() >= shown.items()
    CatalogModel.objects.filter(pk="veo3_fast").update(price=300, enabled=False)
    catalog.sold.clear()
    assert api(alice.key).post(PATH, json=body, headers=key).json()["data"] == made
    status = api(alice.key).get(f"/api/v1/generate/{made['generation_id']}/").json()
    assert status.items() >= shown.items()
    (listed,) = api(alice.key).get("/api/v1/generate/history/").json()["results"]
    assert listed == status
    assert alice.balance == 1000 - 96


def test_what_was_made_before_shows_what_it_was(api: Api, alice: Person) -> None:
    made = api(alice.key).post(PATH, json={"prompt": "a"}).json()["data"]
    row = Generation.objects.get(pk=made["generation_id"])
    Generation.objects.filter(pk=row.pk).update(
        parameters={"aspect_ratio": "16:9", "source_image_urls": []}
    )
    status = api(alice.key).get(f"/api/v1/generate/{row.pk}/").json()
    old = {"duration": 8, "resolution": "720p", "generate_audio": True}
    assert status.items() >= (old | {"seed": None, "negative_prompt": None}).items()


@pytest.mark.parametrize("blank", [None, "", " \t"])
def test_a_blank_negative_prompt_is_absent(api: Api, alice: Person, blank: str | None) -> None:
    made = api(alice.key).post(PATH, json={"prompt": "a", "negative_prompt": blank}).json()
    assert made["data"]["negative_prompt"] is None


@pytest.mark.parametrize(
    ("path", "body", "price", "named"),
    [
        (
            PATH,
            {"resolution": "1080p", "max_credits": 287},
            288,
            {"max_credits": 287, "video_model": "veo3_fast", "generation_type": "video"},
        ),
        (
            "/api/v1/generate/",
            {"max_credits": 0},
            24,
            {"max_credits": 0, "generation_type": "image"},
        ),
    ],
)
def test_what_costs_more_than_the_most_is_refused(
    api: Api, alice: Person, path: str, body: dict[str, Any], price: int, named: dict[str, Any]
) -> None:
    answer = api(alice.key).post(path, json={"prompt": "a", **body})
    assert answer.status_code == 409
    content = answer.json()
    del content["request_id"]
    most = body["max_credits"]
    assert content == {
        "success": False,
        "error": f"This costs {price} credits, more than max_credits ({most})",
        "code": "price_above_max",
        "credits_needed": price,
        **named,
    }
    assert alice.balance == 1000
    assert not Generation.objects.exists()
    paid = api(alice.key).post(path, json={"prompt": "a", **body, "max_credits": price})
    assert paid.status_code == 201


def test_the_most_is_judged_before_the_balance_and_after_a_replay(
    api: Api, alice: Person, settings: Any
) -> None:
    body, key = {"prompt": "a", "max_credits": 240}, {"Idempotency-Key": "once"}
    first = api(alice.key).post(PATH, json=body, headers=key)
    CatalogModel.objects.filter(pk="veo3_fast").update(price=241)
    catalog.sold.clear()
    again = api(alice.key).post(PATH, json=body, headers=key)
    assert (again.status_code, again.json()) == (201, first.json())
    settings.MAX_OPEN_GENERATIONS = 1
    assert api(alice.key).post(PATH, json=body).json()["code"] == "price_above_max"


def test_images_go_on_ignoring_what_only_videos_have(api: Api, alice: Person) -> None:
    body = {"prompt": "a", "duration": "x", "resolution": 7, "seed": -1, "negative_prompt": []}
    answer = api(alice.key).post("/api/v1/generate/", json=body)
    assert (answer.status_code, answer.json()["data"]["credits_used"]) == (201, 24)
