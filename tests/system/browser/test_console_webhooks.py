"""From an endpoint to a delivery, in Chromium: the receiver verifies what the page promised."""

from __future__ import annotations

import time
from typing import Any

import httpx
from playwright.sync_api import Browser, Page, expect

from tests.system.browser.checkout import RunningCheckout
from tests.system.browser.customers import Visit

BOX = "console"
DELIVERED_WITHIN = 10_000  # milliseconds


def received(checkout: RunningCheckout) -> list[dict[str, Any]]:
    """What the box got so far, oldest first."""
    url = f"{checkout.described['receiver_url']}/receiver/received"
    found: list[dict[str, Any]] = httpx.get(url, params={"box": BOX}).json()["received"]
    return found


def test_from_an_endpoint_to_a_delivery(checkout: RunningCheckout, browser: Browser) -> None:
    receiver = checkout.described["receiver_url"]
    with browser.new_context(base_url=checkout.base_url) as context:
        visit = Visit(context, checkout.base_url)
        visit.sign_up("webhooks@example.com")
        page = visit.page
        page.get_by_role("link", name="Webhooks").first.click()
        expect(page.get_by_text("Be told when a generation ends")).to_be_visible()
        visit.fill("URL", f"{receiver}/hooks/{BOX}")
        page.get_by_role("button", name="Create endpoint").dblclick()
        secret = page.locator("#secret").inner_text()
        httpx.put(f"{receiver}/receiver/boxes/{BOX}", json={"secrets": [secret]})
        with context.expect_page() as opened:
            page.get_by_role("button", name="Send test").click()
        sent = opened.value
        expect(sent.get_by_text("answered 200")).to_be_visible(timeout=DELIVERED_WITHIN)
        expect(sent.get_by_text("delivered", exact=True)).to_be_visible()
        assert page.locator("#secret").inner_text() == secret  # it stays readable here
        [test] = received(checkout)
        assert (test["verified"], test["attempt"]) == (True, 1)
        assert test["id"] in sent.locator("main").inner_text()

        page.get_by_role("link", name="To the endpoint").click()
        assert secret not in page.content()
        page.get_by_role("button", name="Switch off").click()
        expect(page.get_by_text("You switched it off.")).to_be_visible()
        page.get_by_role("button", name="Switch on").click()
        address = page.url
        visit.clean()
        state: Any = context.storage_state()
    with browser.new_context(
        base_url=checkout.base_url, storage_state=state, java_script_enabled=False
    ) as context:
        _again_without_a_script(context.new_page(), address)
    first, second = received(checkout)
    assert (first["id"], second["attempt"], second["verified"]) == (second["id"], 2, True)


def _again_without_a_script(page: Page, address: str) -> None:
    """Send the delivery again, look at it until it is there, and delete the endpoint."""
    page.goto(address)
    page.get_by_role("link", name="See it").first.click()
    page.get_by_role("button", name="Send again").click()
    limit = time.monotonic() + DELIVERED_WITHIN / 1000
    while page.get_by_text("answered 200").count() < 2 and time.monotonic() < limit:
        page.get_by_role("link", name="Refresh").click()
    assert page.get_by_text("answered 200").count() == 2
    page.goto(address)
    page.get_by_text("Delete", exact=True).click()
    page.get_by_role("button", name="Delete this endpoint").click()
    expect(page.get_by_text("Be told when a generation ends")).to_be_visible()
