"""From a create to a file: the stages against the emulator, and how each scenario ends."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from django.core.files.storage import default_storage
from PIL import Image

from generation.models import Attempt, Generation
from generation.models.states import State
from generation.outputs.playable import inspect_video
from tests.support.people import Person
from tests.support.works import Emulator, Works

Api = Callable[..., httpx.Client]
Start = Callable[..., str]


def test_a_video_is_made_stored_and_shown(
    api: Api, alice: Person, start: Start, works: Works, emulator: Emulator, tmp_path: Path
) -> None:
    generation_id = start(alice, aspect_ratio="9:16")
    generation = works.finish(generation_id)
    assert generation.state == State.COMPLETED, generation.last_error
    body = api(alice.key).get(f"/api/v1/generate/{generation_id}/").json()
    assert body["status"] == "completed"
    assert body["progress"] == 1
    assert body["credits_used"] == 240
    assert body["error"] is None
    film = api().get(body["video_url"])
    assert film.status_code == 200
    assert film.headers["Content-Type"] == "video/mp4"
    (tmp_path / "film.mp4").write_bytes(film.content)
    facts = inspect_video(tmp_path / "film.mp4")
    assert facts.duration_seconds == pytest.approx(8, abs=0.2)
    assert facts.height > facts.width
    assert emulator.bought(generation_id) == 1
    assert [event.state for event in generation.events.all()] == [
        "queued",
        "submitting",
        "running",
        "storing",
        "completed",
    ]
    assert [attempt.outcome for attempt in generation.attempts.all()] == [Attempt.Outcome.ACCEPTED]
    alice.account.wallet.refresh_from_db()
    assert alice.account.wallet.open_charges == 0
    assert alice.balance == 760


def test_an_image_is_made_stored_and_shown(
    api: Api, alice: Person, start: Start, works: Works, emulator: Emulator
) -> None:
    generation_id = start(alice, "/api/v1/generate/", size="3:2")
    assert works.finish(generation_id).state == State.COMPLETED
    body = api(alice.key).get(f"/api/v1/generate/{generation_id}/").json()
    assert body["video_url"] is None
    picture = Image.open(io.BytesIO(api().get(body["image_url"]).content))
    assert picture.width / picture.height == pytest.approx(1.5, abs=0.05)
    assert emulator.bought(generation_id) == 1


def test_source_images_are_sent_as_bytes(
    alice: Person, start: Start, works: Works, emulator: Emulator
) -> None:
    url = f"{emulator.url}/sample-images/landscape.png"
    for count in (1, 2, 3):
        generation_id = start(alice, source_image_urls=[url] * count)
        generation = works.finish(generation_id)
        assert generation.state == State.COMPLETED, (count, generation.last_error)


@pytest.mark.parametrize(
    ("marker", "code", "outcome"),
    [
        ("filtered", "content_filtered", "accepted"),
        ("error", "provider_error", "accepted"),
        ("empty", "empty_result", "accepted"),
        ("truncated", "provider_error", "accepted"),
        ("retired", "provider_error", "rejected"),
        ("rejected", "provider_rejected", "rejected"),
    ],
)
def test_scenarios_that_fail_refund_in_full(
    api: Api, alice: Person, start: Start, works: Works, marker: str, code: str, outcome: str
) -> None:
    generation_id = start(alice, prompt=f"a red fox [emulator:{marker}]")
    assert alice.balance == 760
    generation = works.finish(generation_id)
    body = api(alice.key).get(f"/api/v1/generate/{generation_id}/").json()
    assert body["status"] == "failed"
    assert body["error"]["code"] == code, generation.last_error
    assert (body["credits_used"], body["credits_refunded"]) == (0, 240)
    assert body["video_url"] is None
    assert body["failed_at"] is not None
    assert alice.balance == 1000
    assert [entry.kind for entry in alice.entries] == ["grant", "charge", "refund"]
    assert generation.attempts.get().outcome == outcome


def test_busy_waits_and_succeeds_without_using_up_an_attempt(
    alice: Person, start: Start, works: Works, emulator: Emulator
) -> None:
    generation_id = start(alice, prompt="a red fox, please wait [emulator:busy=2]")
    generation = works.finish(generation_id)
    assert generation.state == State.COMPLETED
    assert [attempt.outcome for attempt in generation.attempts.all()] == [
        "not_accepted",
        "not_accepted",
        "accepted",
    ]
    assert generation.unknown_attempts == 0
    assert emulator.bought(generation_id) == 1


def test_accepted_then_reset_is_adopted_and_bought_once(
    alice: Person, start: Start, works: Works, emulator: Emulator
) -> None:
    generation_id = start(alice, prompt="a red fox, cut off [emulator:accepted-then-reset]")
    generation = works.finish(generation_id)
    assert generation.state == State.COMPLETED
    assert generation.attempts.get().outcome == Attempt.Outcome.ADOPTED
    assert emulator.bought(generation_id) == 1


def test_an_unusable_source_image_fails_before_the_provider_is_asked(
    alice: Person, start: Start, works: Works, emulator: Emulator
) -> None:
    generation_id = start(alice, source_image_urls=[f"{emulator.url}/nothing-here.png"])
    generation = works.finish(generation_id)
    assert generation.error_code == "invalid_source_image"
    assert generation.error_message.startswith("source_image_urls[0]")
    assert not generation.attempts.exists()
    assert emulator.bought(generation_id) == 0
    assert alice.balance == 1000


def test_nothing_is_stored_for_what_failed(alice: Person, start: Start, works: Works) -> None:
    generation_id = start(alice, prompt="[emulator:truncated] x")
    generation = works.finish(generation_id)
    assert generation.output_key == ""
    assert not default_storage.exists(f"outputs/{generation.pk.hex[:2]}/{generation.pk}.mp4")
    assert Generation.objects.get().refund is not None
