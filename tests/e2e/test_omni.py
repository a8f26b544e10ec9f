"""A model of the second backend, through every program: ordered, made, delivered, forgotten."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from dev.embedded.stack import Stack
from generation.outputs.playable import inspect_video
from tests.e2e.conftest import Provider
from tests.e2e.customer import PATIENCE, VIDEO, Customer


@pytest.fixture(scope="module", autouse=True)
def on_sale(stack: Stack) -> Iterator[None]:
    """The catalog's row is there, and switched off until an operator decides."""
    switch = "UPDATE generation_catalogmodel SET enabled = %s WHERE name = 'omni'"
    with psycopg.connect(stack.env["DATABASE_URL"], autocommit=True) as database:
        database.execute(switch, [True])
        time.sleep(1.5)  # as long as a process goes by what it read
        yield
        database.execute(switch, [False])
        time.sleep(1.5)


def interaction(provider: Provider, generation: str) -> dict[str, Any]:
    """The one that the emulator knows of this generation."""
    asked = httpx.get(f"{provider.url}/emulator/operations/{generation}", timeout=10)
    [found] = asked.json()["operations"]
    assert isinstance(found, dict)
    return found


def soon(holds: Callable[[], bool]) -> bool:
    limit = time.monotonic() + PATIENCE
    while not holds():
        if time.monotonic() > limit:
            return False
        time.sleep(0.2)
    return True


def test_a_video_is_made_and_nothing_of_the_order_stays_at_the_provider(
    rich: Customer, provider: Provider, tmp_path: Path
) -> None:
    before = rich.balance()
    prompt = "a <FIRST_FRAME> cat"
    generation = rich.create(VIDEO, prompt, video_model="omni", duration=10)
    done = rich.finished(generation)
    assert (done["status"], done["credits_used"], done["prompt"]) == ("completed", 210, prompt)
    assert rich.balance() == before - 210
    file = tmp_path / "cat.mp4"
    file.write_bytes(httpx.get(done["video_url"], timeout=20).content)
    assert inspect_video(file).duration_seconds == pytest.approx(10, abs=0.2)

    asked = interaction(provider, generation)
    assert (asked["api"], asked["location"]) == ("interactions", "global")
    assert asked["prompt"] == "a  cat"
    assert provider.bought(generation) == 1
    assert soon(lambda: interaction(provider, generation)["deleted"])


@pytest.mark.parametrize("marker", ["unlisted", "accepted-then-reset", "status=idle"])
def test_the_customer_gets_a_video_of_his_picture_and_never_the_picture(
    rich: Customer, provider: Provider, tmp_path: Path, marker: str
) -> None:
    picture = f"{provider.url}/sample-images/photo.jpg"
    generation = rich.create(
        VIDEO,
        f"a [emulator:{marker}]",
        video_model="omni",
        duration=3,
        source_image_urls=[picture],
    )
    done = rich.finished(generation)
    assert done["status"] == "completed"
    file = tmp_path / "out.mp4"
    file.write_bytes(httpx.get(done["video_url"], timeout=20).content)
    assert inspect_video(file).duration_seconds == pytest.approx(3, abs=0.2)
    assert provider.bought(generation) == 1


def test_a_refusal_in_words_is_refunded(rich: Customer, provider: Provider) -> None:
    before = rich.balance()
    generation = rich.create(VIDEO, "a [emulator:refused-in-words]", video_model="omni")
    done = rich.finished(generation)
    assert (done["status"], done["error"]["code"]) == ("failed", "content_filtered")
    assert rich.balance() == before
    assert provider.bought(generation) == 1
