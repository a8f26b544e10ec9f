"""A customer's way: register, get credits, order, wait, fetch, look at the ledger, log out."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from PIL import Image

from dev.embedded.stack import Stack
from generation.outputs.playable import inspect_video
from tests.e2e.conftest import Provider
from tests.e2e.customer import IMAGE, VIDEO, Customer

PASSWORD = "correct-horse-7-battery"


@pytest.fixture
def newcomer(stack: Stack) -> Iterator[Customer]:
    customer = Customer(stack)
    yield customer
    customer.http.close()


def test_from_registering_to_the_file_and_the_ledger(
    stack: Stack, newcomer: Customer, tmp_path: Path
) -> None:
    form = {"username": "newcomer", "email": "newcomer@example.com", "password": PASSWORD}
    registered = newcomer.http.post("/api/register/", json=form)
    assert registered.status_code == 201
    assert registered.json()["user"]["credits_balance"] == 0
    newcomer.http.headers["Authorization"] = f"Token {registered.json()['token']}"
    refused = newcomer.http.post(VIDEO, json={"prompt": "too early"})
    assert (refused.status_code, refused.json()["credits_needed"]) == (402, 240)

    account = newcomer.http.get("/api/account/").json()["id"]
    grant = ("--credits", "500", "--reason", "welcome", "--account", account, "--skip-checks")
    granted = json.loads(stack.manage("grant_credits", "newcomer@example.com", *grant))
    assert granted["credits_balance"] == 500

    first = newcomer.create(VIDEO, "A paper boat", key="order-1")
    assert newcomer.create(VIDEO, "A paper boat", key="order-1") == first
    done = newcomer.finished(first)
    assert (done["status"], done["progress"], done["credits_used"]) == ("completed", 1, 240)

    file = tmp_path / "boat.mp4"
    file.write_bytes(httpx.get(done["video_url"], timeout=20).content)
    assert inspect_video(file).duration_seconds == pytest.approx(8, abs=0.2)
    download = newcomer.http.get(f"/api/v1/generate/{first}/download/")
    assert download.content == file.read_bytes()
    assert f"{first}.mp4" in download.headers["Content-Disposition"]

    entries = newcomer.ledger()
    assert [(row["kind"], row["amount"]) for row in entries] == [("charge", -240), ("grant", 500)]
    assert sum(row["amount"] for row in entries) == newcomer.balance() == 260


def test_a_part_of_the_file_by_range(rich: Customer) -> None:
    link = rich.finished(rich.create(VIDEO, "A red kite"))["video_url"]
    whole = httpx.get(link, timeout=20)
    assert (whole.status_code, whole.headers["Accept-Ranges"]) == (200, "bytes")
    size = len(whole.content)
    part = httpx.get(link, headers={"Range": "bytes=100-299"}, timeout=20)
    assert part.status_code == 206
    assert part.headers["Content-Range"] == f"bytes 100-299/{size}"
    assert part.content == whole.content[100:300]
    tail = httpx.get(link, headers={"Range": "bytes=-50"}, timeout=20)
    assert tail.content == whole.content[-50:]
    beyond = httpx.get(link, headers={"Range": f"bytes={size}-"}, timeout=20)
    assert beyond.status_code == 416
    forged = httpx.get(link[:-1] + ("A" if link[-1] != "A" else "B"), timeout=20)
    assert forged.status_code == 403


def test_an_image(rich: Customer) -> None:
    before = rich.balance()
    done = rich.finished(rich.create(IMAGE, "A lighthouse", size="3:2"))
    assert (done["status"], done["generation_type"], done["size"]) == ("completed", "image", "3:2")
    picture = Image.open(io.BytesIO(httpx.get(done["image_url"], timeout=20).content))
    assert picture.width > picture.height
    assert rich.balance() == before - 24


def test_a_video_from_a_picture(stack: Stack, rich: Customer, tmp_path: Path) -> None:
    source = f"{stack.emulator_url}/sample-images/portrait.png"
    ordered = rich.create(
        VIDEO, "The camera flies", source_image_urls=[source], aspect_ratio="9:16"
    )
    done = rich.finished(ordered)
    assert (done["status"], done["mode"]) == ("completed", "image-to-video")
    assert done["source_images_count"] == 1
    file = tmp_path / "flight.mp4"
    file.write_bytes(httpx.get(done["video_url"], timeout=20).content)
    facts = inspect_video(file)
    assert facts.height > facts.width


# what the prompt makes the emulator do, and how that ends
FAILURES = {
    "filtered=violence": "content_filtered",
    "error": "provider_error",
    "empty": "empty_result",
    "rejected": "provider_rejected",
    "truncated": "provider_error",
}
HARMLESS = ("busy=2", "accepted-then-reset", "unavailable=2")


@pytest.fixture(scope="module")
def ordered(rich: Customer) -> dict[str, str]:
    """One generation for every scenario, all under way at the same time."""
    return {
        marker: rich.create(VIDEO, f"A storm [emulator:{marker}]")
        for marker in (*FAILURES, *HARMLESS)
    }


@pytest.mark.parametrize("marker", FAILURES)
def test_what_failed_is_paid_back_and_says_why(
    rich: Customer, ordered: dict[str, str], marker: str
) -> None:
    done = rich.finished(ordered[marker])
    assert (done["status"], done["error"]["code"]) == ("failed", FAILURES[marker])
    assert (done["credits_used"], done["credits_refunded"]) == (0, 240)
    assert done["video_url"] is None
    mine = [row for row in rich.ledger() if row["generation_id"] == done["id"]]
    assert [(row["kind"], row["amount"]) for row in mine] == [("refund", 240), ("charge", -240)]


@pytest.mark.parametrize("marker", HARMLESS)
def test_a_provider_that_stumbles_is_paid_once(
    rich: Customer, provider: Provider, ordered: dict[str, str], marker: str
) -> None:
    """With accepted-then-reset nobody hears that the order was taken: it must not be repeated."""
    done = rich.finished(ordered[marker])
    assert done["status"] == "completed"
    assert provider.bought(done["id"]) == 1


def test_racing_orders_with_one_key_are_one_order(rich: Customer, provider: Provider) -> None:
    before = rich.balance()
    with ThreadPoolExecutor(10) as pool:
        orders = [pool.submit(rich.create, VIDEO, "A race", "race-1") for _ in range(10)]
    (only,) = {order.result() for order in orders}
    assert rich.finished(only)["status"] == "completed"
    assert (rich.balance(), provider.bought(only)) == (before - 240, 1)


def test_a_login_token_is_dead_after_logout(stack: Stack, newcomer: Customer) -> None:
    form = {"username": "leaver", "email": "leaver@example.com", "password": PASSWORD}
    newcomer.http.post("/api/register/", json=form)
    login = newcomer.http.post("/api/login/", json={"username": "leaver", "password": PASSWORD})
    newcomer.http.headers["Authorization"] = f"Bearer {login.json()['token']}"
    assert newcomer.balance() == 0
    assert newcomer.http.post("/api/logout/").status_code == 204
    after = newcomer.http.get("/api/v1/credits/")
    assert (after.status_code, after.json()["code"]) == (401, "invalid_credentials")
