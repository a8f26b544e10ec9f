"""Every page of the console as axe sees it: both themes, a phone and a desk."""

from __future__ import annotations

import io
import os
import re
import shutil
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any, Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image, ImageChops, ImageStat
from playwright.sync_api import Browser, Page, Response, expect

from dev.embedded.paths import CHECKOUT
from tests.system.browser.checkout import RunningCheckout
from tests.system.browser.customers import VIDEO_WITHIN, Visit
from tests.system.browser.test_pages import Watched

PICTURES = CHECKOUT / "docs/pictures"
WIDTH, HEIGHT = 1280, 800
OUTSIDE = ("/", "/sign-up/", "/log-in/", "/reset/", "/nothing/", "/mailbox/")
PERSON = (
    *("verify/", "confirm/", "me/", "me/password/", "me/email/", "me/second-factor/"),
    *("me/sessions/", "nothing/"),
)
ACCOUNT = (
    *("", "create/", "gallery/", "keys/", "webhooks/", "webhooks/orders/", "ledger/", "billing/"),
    "settings/",
)


@pytest.fixture(scope="module")
def customer(checkout: RunningCheckout, browser: Browser) -> Iterator[dict[str, Any]]:
    """Somebody with a video, a failed one, a key and a payment: cookies and paths."""
    with browser.new_context(base_url=checkout.base_url) as context:
        visit = Visit(context, checkout.base_url)
        visit.sign_up("audited@example.com")
        home = visit.account
        for prompt in ("A boat [emulator:filtered] at sea", "A boat at sea"):
            checkout.manage("shell", "-c", GRANT.format(home.split("/")[2]))
            visit.page.goto(f"{home}create/")
            visit.page.get_by_label("Prompt").fill(prompt)
            visit.page.get_by_role("button", name=re.compile("^Create for")).click()
            expect(visit.page).to_have_title(re.compile("^[✓✗]"), timeout=VIDEO_WITHIN)
        made = visit.page.url.removeprefix(checkout.base_url)
        visit.page.goto(f"{home}keys/")
        visit.page.get_by_label("Name", exact=True).fill("my program")
        visit.page.get_by_role("button", name="Create key").click()
        more = _webhooks(visit, f"{home}webhooks/", checkout.described["receiver_url"])
        visit.page.goto(f"{home}billing/")
        visit.page.get_by_role("button", name=re.compile("^Buy")).first.click()
        visit.page.wait_for_url(re.compile("127.0.0.1"))
        yield {"state": context.storage_state(), "home": home, "made": made, "more": more}


def _webhooks(visit: Visit, path: str, receiver: str) -> list[str]:
    """The pages of an endpoint and of a delivery that failed at first."""
    page = visit.page
    page.goto(path)
    page.get_by_label("URL", exact=True).fill(f"{receiver}/hooks/audited/500=1")
    page.get_by_role("button", name="Create endpoint").click()
    page.get_by_role("link", name="To the endpoint").click()
    endpoint = page.url.removeprefix(visit.base_url)
    page.get_by_role("button", name="Send test").click()
    expect(page.get_by_text("delivered", exact=True)).to_be_visible(timeout=20_000)
    return [endpoint, page.url.removeprefix(visit.base_url)]


GRANT = (
    "from credits import ledger; import uuid; "
    "ledger.grant(uuid.UUID('{}'), 1000, description='for the test')"
)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_every_page(
    checkout: RunningCheckout,
    browser: Browser,
    customer: dict[str, Any],
    width: int,
    theme: Literal["light", "dark"],
) -> None:
    """No violation, nothing to move sideways, everything reached by the Tab key."""
    options: dict[str, Any] = {
        "base_url": checkout.base_url,
        "color_scheme": theme,
        "viewport": {"width": width, "height": 900},
    }
    home = customer["home"]
    inside = [f"/{path}" for path in PERSON] + [home + path for path in ACCOUNT]
    inside += [customer["made"], *customer["more"]]
    walks = theme == "light"  # a colour moves nothing: the Tab key goes the same way in the dark
    with browser.new_context(**options) as context:
        faults = faults_of(context.new_page(), list(OUTSIDE), checkout.base_url, walks)
    with browser.new_context(storage_state=customer["state"], **options) as context:
        faults |= faults_of(context.new_page(), inside, checkout.base_url, walks)
    assert faults == {}


def faults_of(page: Page, paths: list[str], base_url: str, walks: bool) -> dict[str, list[str]]:
    """What is wrong with each of these pages; nothing of those that are as they should be."""
    return {path: found for path in paths if (found := _faults(page, path, base_url, walks))}


def _faults(page: Page, path: str, base_url: str, walks: bool) -> list[str]:
    watched = Watched(page)
    page.goto(path, wait_until="load")
    found = [
        f"{each['id']}: {node['target']} {node['failureSummary']}"
        for each in Axe().run(page).response["violations"]
        for node in each["nodes"]
    ]
    width = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    if width[0] > width[1]:
        found.append(f"{width[0]} px wide in a window of {width[1]}")
    if walks:
        found += [f"not reached by Tab: {each}" for each in _unreached(page)]
    found += [each for each in watched.problems if not each.startswith(("404", "error: Failed"))]
    found += [f"asked elsewhere: {each}" for each in watched.outside(base_url)]
    return found


WALK = """() => {
  const all = [...document.querySelectorAll(
    'a[href], button, input:not([type=hidden]), select, textarea, summary, video[controls]')]
    .filter(e => !e.disabled && e.checkVisibility({visibilityProperty: true}));
  all.forEach((e, i) => { e.dataset.walk = i; });
  return all.map(e => [e.dataset.walk, e.outerHTML.slice(0, 80), e.type === 'radio' ? e.name : '']);
}"""


def _unreached(page: Page) -> list[str]:
    """What is seen and cannot be come to by the Tab key; a group of radios is one stop."""
    wanted = page.evaluate(WALK)
    page.evaluate("document.activeElement.blur()")
    reached: set[str] = set()
    for _ in range(3 * len(wanted) + 30):
        page.keyboard.press("Tab")
        at = page.evaluate("document.activeElement.dataset.walk ?? ''")
        if at in reached and len(reached) > 1 and at == min(reached, key=int):
            break
        if at:
            reached.add(at)
    groups = {name for at, _, name in wanted if name and at in reached}
    return [html for at, html, name in wanted if at not in reached and name not in groups]


def test_a_first_load_is_light(
    checkout: RunningCheckout, browser: Browser, customer: dict[str, Any]
) -> None:
    """At most 100 kB with style and scripts, not even compressed; videos are not counted."""
    for path, state in (("/", None), (customer["home"], customer["state"])):
        with browser.new_context(base_url=checkout.base_url, storage_state=state) as context:
            weights: list[int] = []
            page = context.new_page()
            page.on("response", partial(_weigh, weights))
            page.goto(path, wait_until="networkidle")
            assert len(weights) >= 4
            weight = sum(weights)
        assert weight <= 100_000, (path, weight)


def _weigh(weights: list[int], answer: Response) -> None:
    if answer.status == 200 and "/media/" not in answer.url:
        weights.append(int(answer.headers["content-length"]))


def test_the_pictures_of_the_readme(
    checkout: RunningCheckout, browser: Browser, customer: dict[str, Any], tmp_path: Path
) -> None:
    """They show the pages as they are; KEEP_PICTURES=1 takes them anew."""
    shown: list[tuple[str, str, Literal["light", "dark"]]] = [
        ("create", f"{customer['home']}create/?example=0", "light"),
        ("video", customer["made"], "dark"),
    ]
    for name, path, theme in shown:
        with browser.new_context(
            base_url=checkout.base_url,
            storage_state=customer["state"],
            color_scheme=theme,
            viewport={"width": WIDTH, "height": HEIGHT},
        ) as context:
            page = context.new_page()
            page.goto(path, wait_until="networkidle")
            picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
        picture.save(tmp_path / f"{name}.webp", quality=60, method=6)
        if os.environ.get("KEEP_PICTURES"):
            PICTURES.mkdir(exist_ok=True)
            shutil.copy(tmp_path / f"{name}.webp", PICTURES)
        with Image.open(PICTURES / f"{name}.webp") as kept:
            assert kept.size == (WIDTH, HEIGHT)
            before, now = (each.convert("L").resize((32, 20)) for each in (kept, picture))
        differ = ImageStat.Stat(ImageChops.difference(before, now)).mean[0]
        assert differ < 12, (
            f"{name}: take it anew"
        )  # of 255; a video's frame is not always the same
    assert sum(each.stat().st_size for each in PICTURES.iterdir()) <= 150_000
