"""Buying credits as a customer does: our page, Stripe's, ours again, still logged in."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Literal

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Locator, Page, expect

from tests.system.browser.checkout import RunningCheckout
from tests.system.browser.customers import PASSWORD, Visit
from tests.system.browser.test_pages import Watched

CARD, IBAN = "4242 4242 4242 4242", "DE89 3704 0044 0532 0130 00"
BUY = "Buy 500 credits for $5.00"
SOON = 3_000  # milliseconds, as promised
THEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")


def customer(checkout: RunningCheckout, email: str) -> str:
    """A customer without credits, whose address is verified; the account's id."""
    made = checkout.manage("create_account", email, "--password", PASSWORD)
    return str(json.loads(made)["account"])


def log_in(page: Page, email: str, path: str) -> None:
    page.goto(path)
    page.get_by_label("E-mail or user name").fill(email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()


def pay(page: Page) -> None:
    page.get_by_label("Card number").fill(CARD)
    page.get_by_role("button", name="Pay", exact=True).click()


@pytest.mark.parametrize("scripts", [True, False], ids=["script", "no script"])
def test_from_nothing_to_paid(checkout: RunningCheckout, browser: Browser, scripts: bool) -> None:
    """Joins, changes their mind at Stripe's, pays; still logged in, and nothing was blocked."""
    with browser.new_context(base_url=checkout.base_url, java_script_enabled=scripts) as context:
        visit = Visit(context, checkout.base_url)
        page = visit.page
        visit.sign_up(f"pays-{scripts}@example.com".lower())
        before = balance(page)
        page.get_by_role("link", name="Billing").click()
        billing = page.url
        expect(page.get_by_text("Test mode, no real money")).to_be_visible()
        button = page.get_by_role("button", name=BUY, exact=True)
        button.dblclick() if scripts else button.click()
        expect(page.get_by_text("EMULATED, no money is charged")).to_be_visible()
        page.get_by_role("button", name="Back").click()
        expect(page).to_have_url(re.compile(rf"{billing}payments/[\w-]+/$"))
        ours = page.url
        page.wait_for_timeout(1_500)
        assert page.url == ours  # nothing forwards by itself from here
        page.get_by_role("link", name="Continue to payment").click()
        pay(page)
        expect(page).to_have_url(ours)
        credited = page.get_by_text("500 credits are in the balance")
        if not scripts:
            refresh_until(page, credited)
        expect(credited).to_be_visible(timeout=SOON)
        assert balance(page) == before + 500
        expect(page).to_have_title("Paid | Reelmint")
        page.goto(billing)
        expect(page.get_by_role("row")).to_have_count(2)  # the head, and one payment
        assert visit.watched.problems == []
        page.get_by_role("link", name="Receipt").click()
        expect(page.get_by_role("heading", name=re.compile("Invoice"))).to_be_visible()


def balance(page: Page) -> int:
    """What the header says."""
    return int(re.sub(r"\D", "", page.locator("#header-balance").inner_text()))


def refresh_until(page: Page, wanted: Locator) -> None:
    for _ in range(SOON // 250):
        if wanted.count():
            return
        page.wait_for_timeout(250)
        page.get_by_role("link", name="Refresh").click()


def test_no_webhook_comes(checkout: RunningCheckout, page: Page) -> None:
    """Whoever comes back is why Stripe is asked, also after a way back and forth."""
    email = "lost-buyer+lost@example.com"
    billing = f"/c/{customer(checkout, email)}/billing/"
    log_in(page, email, billing)
    credited = page.get_by_text("500 credits are in the balance")
    page.get_by_role("button", name=BUY, exact=True).click()
    pay(page)
    expect(credited).to_be_visible(timeout=SOON)
    page.goto(billing)
    page.get_by_role("button", name=BUY, exact=True).click()
    page.get_by_role("button", name="Back").click()
    page.get_by_role("link", name="Continue to payment").click()
    pay(page)
    expect(credited).to_be_visible(timeout=2 * SOON)  # one question in five seconds
    expect(page.locator("#header-balance")).to_have_text("1,000 credits")


def test_the_browsers_way_back_is_no_trap(checkout: RunningCheckout, page: Page) -> None:
    """The page that forwards leaves no entry in the history."""
    email = "back-buyer@example.com"
    billing = f"/c/{customer(checkout, email)}/billing/"
    log_in(page, email, billing)
    page.get_by_role("button", name=BUY, exact=True).click()
    expect(page.get_by_label("Card number")).to_be_visible()
    page.go_back()
    expect(page).to_have_url(re.compile(rf"{billing}$"))
    # a page that was kept orders the same again, a fresh one another
    page.get_by_role("button", name=BUY, exact=True).click()
    expect(page.get_by_label("Card number")).to_be_visible()


def test_a_bank_takes_days(checkout: RunningCheckout, page: Page) -> None:
    email = "bank-buyer@example.com"
    billing = f"/c/{customer(checkout, email)}/billing/"
    watched = Watched(page)
    log_in(page, email, billing)
    page.get_by_role("button", name=BUY, exact=True).click()
    page.get_by_label("SEPA Direct Debit").check()
    page.get_by_label("IBAN").fill(IBAN)
    page.get_by_role("button", name="Pay", exact=True).click()
    expect(page).to_have_url(re.compile(rf"{billing}payments/[\w-]+/$"))
    known = page.get_by_text(re.compile("Your bank confirms|500 credits are in the balance"))
    expect(known).to_be_visible(timeout=SOON)
    # the emulator's bank answers after a day, scaled; the page goes on asking
    expect(page.get_by_text("500 credits are in the balance")).to_be_visible(timeout=20_000)
    assert watched.problems == []


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("width", [360, 1280])
def test_how_they_look(
    width: int,
    theme: Literal["light", "dark"],
    checkout: RunningCheckout,
    browser: Browser,
    tmp_path: Path,
) -> None:
    """axe finds nothing, and nothing is wider than the window."""
    email = f"{'looker.' * 7}{theme}{width}@example.com"
    billing = f"/c/{customer(checkout, email)}/billing/"
    with browser.new_context(
        base_url=checkout.base_url,
        color_scheme=theme,
        viewport={"width": width, "height": 800},
    ) as context:
        page = context.new_page()
        log_in(page, email, billing)
        look(page, tmp_path / "billing-empty.png")
        page.get_by_role("button", name=BUY, exact=True).click()
        page.get_by_role("button", name="Back").click()
        expect(page.get_by_role("link", name="Continue to payment")).to_be_visible()
        look(page, tmp_path / "payment-open.png")
        page.get_by_role("link", name="Continue to payment").click()
        pay(page)
        expect(page.get_by_text("500 credits are in the balance")).to_be_visible()
        look(page, tmp_path / "payment-paid.png")
        payment = page.url.rstrip("/").rpartition("/")[2]
        asked = {"scenario": "partial-refund=200", "payment": payment}
        httpx.post(f"{checkout.described['stripe_url']}/emulator/control", json=asked)
        taken = page.get_by_role("heading", name="Taken back")
        for _ in range(20):
            if taken.count():
                break
            page.wait_for_timeout(250)
            page.reload()
        look(page, tmp_path / "payment-refunded.png")
        assert taken.count()
        page.goto(billing)
        look(page, tmp_path / "billing.png")


def look(page: Page, picture: Path) -> None:
    page.screenshot(path=picture, full_page=True)
    widest = page.evaluate("document.documentElement.scrollWidth")
    assert widest <= page.evaluate("window.innerWidth"), f"{page.url} is {widest} wide"
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
