"""A stranger gets from the landing page to a playing video, with and without JavaScript."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from dev.embedded.processes import wait_until
from tests.system.browser.checkout import RunningCheckout
from tests.system.browser.customers import VIDEO_WITHIN, Visit

ORDER = re.compile(r"^Create for \d+ credits$")
MOST_INTERACTIONS = 6
ORDERED_WITHIN = 12.0  # seconds, of the test's own time


pytestmark = pytest.mark.usefixtures("nobody_joined_today")


@pytest.mark.parametrize("scripts", [True, False], ids=["script", "no script"])
def test_from_nothing_to_a_video(
    checkout: RunningCheckout, browser: Browser, tmp_path: Path, scripts: bool
) -> None:
    context = browser.new_context(
        base_url=checkout.base_url,
        viewport={"width": 1280, "height": 900},
        java_script_enabled=scripts,
    )
    with context:
        visit = Visit(context, checkout.base_url)
        begun = time.monotonic()
        visit.sign_up(f"stranger-{scripts}@example.com".lower())
        visit.press(ORDER)
        expect(visit.page).to_have_url(re.compile(r"/gallery/[0-9a-f-]{36}/"))
        ordered = time.monotonic() - begun
        assert visit.interactions <= MOST_INTERACTIONS
        assert ordered <= ORDERED_WITHIN, ordered
        video = visit.page.locator("video")
        if scripts:
            expect(video).to_be_visible(timeout=VIDEO_WITHIN)  # without a reload
            expect(visit.page).to_have_title(re.compile("^✓"))
            # by itself, and muted; no wait_for_function, which our policy keeps from evaluating
            assert wait_until(lambda: bool(video.evaluate("each => each.currentTime > 0.3")), 10)
        else:
            limit = time.monotonic() + VIDEO_WITHIN / 1000
            while not video.count() and time.monotonic() < limit:
                visit.page.get_by_role("link", name="Refresh").click()
                time.sleep(0.5)
            expect(video).to_be_visible()
        visit.page.screenshot(path=tmp_path / "video.png", full_page=True)
        visit.clean()


def test_a_double_click_and_a_reload_order_once(
    checkout: RunningCheckout, browser: Browser
) -> None:
    with browser.new_context(base_url=checkout.base_url) as context:
        visit = Visit(context, checkout.base_url)
        visit.sign_up("twice@example.com")
        visit.page.get_by_role("button", name=ORDER).dblclick()
        expect(visit.page).to_have_url(re.compile(r"/gallery/[0-9a-f-]{36}/"))
        ordered = visit.page.url
        visit.page.go_back()
        visit.page.get_by_role("button", name=ORDER).click()
        expect(visit.page).to_have_url(re.compile(r"/gallery/[0-9a-f-]{36}/"))
        visit.page.reload()
        visit.page.goto(f"{visit.account}ledger/")
        # a back button that shows a fresh form is another order; the same form is the same order
        charges = visit.page.get_by_role("row").filter(has_text=re.compile("240"))
        assert ordered
        expect(charges).to_have_count(1)
