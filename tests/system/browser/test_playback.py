"""The link of a finished video plays in a page, without any header."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, Response

from dev.embedded.processes import wait_until
from tests.system.browser.checkout import RunningCheckout

PLAYER = Path(__file__).with_name("player.html").read_text()


def made(checkout: RunningCheckout, **order: Any) -> dict[str, Any]:
    """A finished video's status."""
    headers = {"Authorization": f"Bearer {checkout.key}"}
    with httpx.Client(base_url=checkout.base_url, headers=headers, timeout=20) as client:
        ordered = client.post("/api/v1/generate/video/", json=order).json()["data"]
        found: dict[str, Any] = {}

        def finished() -> bool:
            found.update(client.get(f"/api/v1/generate/{ordered['generation_id']}/").json())
            return bool(found["status"] != "processing")

        assert wait_until(finished, 60, interval=0.2)
    assert found["status"] == "completed", found
    return found


@pytest.mark.parametrize(
    ("aspect_ratio", "source"),
    [("16:9", None), ("9:16", None), ("16:9", "landscape"), ("9:16", "portrait")],
)
def test_a_video_plays_and_seeks(
    checkout: RunningCheckout, page: Page, tmp_path: Path, aspect_ratio: str, source: str | None
) -> None:
    order: dict[str, Any] = {"prompt": "A paper boat at sunrise", "aspect_ratio": aspect_ratio}
    if source:
        picture = f"{checkout.described['emulator_url']}/sample-images/{source}.png"
        order["source_image_urls"] = [picture]
    link = made(checkout, **order)["video_url"]
    answers: list[Response] = []
    page.on("response", lambda answer: answers.append(answer) if answer.url == link else None)
    page.route("**/player", lambda route: route.fulfill(body=PLAYER, content_type="text/html"))
    page.goto("/player")

    early = page.evaluate("link => play(link, 0.3)", link)
    late = page.evaluate("() => play(video.src, 1.2)")
    sought = page.evaluate("() => seek(6)")
    page.screenshot(path=tmp_path / "playing.png")

    landscape = aspect_ratio == "16:9"
    assert (early["width"] > early["height"]) is landscape
    assert early["duration"] == pytest.approx(8, abs=0.2)
    assert 0.3 <= early["time"] < late["time"] < sought["time"] == pytest.approx(6, abs=0.1)
    for moment in (early, late, sought):
        assert moment["colors"] > 20  # a blank frame has one
    assert len({early["frame"], late["frame"], sought["frame"]}) == 3
    assert {answer.status for answer in answers} == {206}
    assert "authorization" not in answers[0].request.all_headers()
