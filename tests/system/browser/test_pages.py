"""The pages that people look at: complete, without errors, without a request to the outside."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import httpx
import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, Response, expect

from tests.system.browser.checkout import RunningCheckout

CREATE = "/api/v1/generate/video/"


class Watched:
    """What a page asks for and complains about, from now on."""

    def __init__(self, page: Page) -> None:
        self.requests: list[str] = []
        self.problems: list[str] = []
        page.on("request", lambda request: self.requests.append(request.url))
        page.on("pageerror", lambda error: self.problems.append(str(error)))
        page.on("requestfailed", self._failed)
        page.on("console", self._console)
        page.on("response", self._response)

    def _console(self, message: ConsoleMessage) -> None:
        # a browser asks for it by itself where a page names no icon
        if message.location["url"].endswith("/favicon.ico"):
            return
        if message.type in ("error", "warning"):
            self.problems.append(f"{message.type}: {message.text}")

    def _failed(self, request: Request) -> None:
        # what the browser itself gave up, since it left the page, has enough of a video
        if request.failure != "net::ERR_ABORTED":
            self.problems.append(f"failed: {request.url} {request.failure}")

    def _response(self, response: Response) -> None:
        if response.status >= 400:
            self.problems.append(f"{response.status}: {response.url}")

    def outside(self, base_url: str) -> list[str]:
        """Requests that left our origin."""
        return [url for url in self.requests if not url.startswith((base_url, "data:", "blob:"))]


def test_the_documentation(checkout: RunningCheckout, page: Page, tmp_path: Path) -> None:
    watched = Watched(page)
    page.goto("/api/docs/", wait_until="networkidle")
    create = page.locator(".opblock-summary-post", has_text=CREATE).first
    expect(create).to_be_visible()
    schema = httpx.get(f"{checkout.base_url}/api/schema/?format=json", timeout=20).json()
    described = (*schema["paths"].values(), *schema["webhooks"].values())
    operations = [method for path in described for method in path]
    expect(page.locator(".opblock")).to_have_count(len(operations))
    create.click()
    expect(page.locator(".opblock-body").first).to_be_visible()
    page.screenshot(path=tmp_path / "docs.png")
    assert watched.problems == []
    assert watched.outside(checkout.base_url) == []


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_the_page_after_a_payment(
    width: int, theme: Literal["light", "dark"], checkout: RunningCheckout, browser: Browser
) -> None:
    """Anybody's, without JavaScript; nothing has to be moved to be read."""
    with browser.new_context(
        base_url=checkout.base_url,
        color_scheme=theme,
        java_script_enabled=False,
        viewport={"width": width, "height": 700},
    ) as context:
        page = context.new_page()
        watched = Watched(page)
        page.goto("/c/anybody/billing/payments/any/", wait_until="networkidle")
        expect(page.get_by_text("If you paid, the credits are on their way.")).to_be_in_viewport()
        expect(page.get_by_text("You can close this page.")).to_be_in_viewport()
        box = page.locator("main").bounding_box()
        assert box is not None
        assert box["x"] > 0
        assert box["x"] + box["width"] < width
        expect(page.locator("body")).to_have_css(
            "background-color", "rgb(24, 24, 27)" if theme == "dark" else "rgb(244, 244, 245)"
        )
        assert watched.problems == []
        assert watched.outside(checkout.base_url) == []
