"""An operator's day in a real browser, from the first log-in on."""

from __future__ import annotations

import base64
import json
import re
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from django_otp.oath import totp
from playwright.sync_api import Browser, Page, expect

from tests.system.browser.checkout import RunningCheckout
from tests.system.browser.test_pages import Watched

PASSWORD = "correct-horse-7-battery"


class Operator:
    """Somebody with a browser and an authenticator app; a new one, since codes are counted."""

    def __init__(self, checkout: RunningCheckout, page: Page, folder: Path) -> None:
        self.email = f"ops-{time.time_ns()}@example.com"
        role = ("--role", "superuser", "--password", PASSWORD)
        checkout.manage("create_staff", self.email, *role)
        self.page = page
        self.folder = folder
        self.secret = b""
        self.shots = 0

    def enrol(self) -> None:
        """The first log-in: the password, the app's key, a code, the recovery codes."""
        page = self.page
        page.goto("/admin/")
        page.get_by_label("Username").fill(self.email)
        page.get_by_label("Password").fill(PASSWORD)
        self.shoot("log-in")
        page.get_by_role("button", name="Log in").click()
        expect(page.locator("#qr-code svg")).to_be_visible()
        self.shoot("enroll")
        self.secret = base32(page.locator("#typed-key").inner_text())
        self.type_code(0)
        expect(page.locator("#recovery-codes li")).to_have_count(10)
        self.shoot("recovery-codes")
        page.get_by_role("link", name="I have kept them").click()
        expect(page).to_have_url(re.compile("/admin/$"))

    def log_in_again(self) -> None:
        """The next one asks for a code."""
        page = self.page
        page.goto("/admin/")
        page.get_by_label("Username").fill(self.email)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Log in").click()
        self.shoot("second-factor")
        self.type_code(1)
        expect(page).to_have_url(re.compile("/admin/$"))

    def press(self, button: str, under: str = "") -> None:
        """One of the page's verbs; a narrow window has them behind three dots."""
        page = self.page
        if page.viewport_size["width"] < 1024:  # type: ignore[index]
            page.locator("a", has_text="more_horiz").first.click()
        if under:
            page.locator("li a", has_text=re.compile(rf"\b{under}\b")).first.click()
        self.shoot("menu")
        page.get_by_role("link", name=button).click()

    def type_code(self, steps: int) -> None:
        """The code of now, or of a later step: each is good once."""
        now = int(time.time())
        self.page.get_by_label("Code").fill(f"{totp(self.secret, t0=-30 * steps):06d}")
        assert int(time.time()) - now < 5
        self.page.get_by_role("button", name="Go on").click()

    def shoot(self, name: str) -> None:
        """A picture for whoever wants to look, and no page is wider than its window."""
        self.shots += 1
        self.page.screenshot(path=self.folder / f"{self.shots:02d}-{name}.png", full_page=True)
        width = self.page.evaluate("document.documentElement.scrollWidth")
        assert width <= self.page.viewport_size["width"], name  # type: ignore[index]


def base32(text: str) -> bytes:
    plain = text.replace(" ", "")
    return base64.b32decode(plain + "=" * (-len(plain) % 8))


@pytest.fixture
def customer(checkout: RunningCheckout) -> dict[str, str]:
    """Somebody with 500 credits."""
    name = f"customer-{time.time_ns()}"
    made = checkout.manage("create_account", f"{name}@example.com", "--credits", "500")
    found: dict[str, str] = json.loads(made)
    return found


@pytest.fixture
def api(checkout: RunningCheckout, customer: dict[str, str]) -> Iterator[httpx.Client]:
    """The customer's program."""
    headers = {"Authorization": f"Bearer {customer['key']}"}
    with httpx.Client(base_url=checkout.base_url, headers=headers) as client:
        yield client


def preview(key: str) -> str:
    return f"{key[:8]}...{key[-4:]}"


@pytest.mark.parametrize("width", [1280, 390])
def test_an_operators_day(
    width: int,
    checkout: RunningCheckout,
    browser: Browser,
    customer: dict[str, str],
    api: httpx.Client,
    tmp_path: Path,
) -> None:
    context = browser.new_context(
        base_url=checkout.base_url, viewport={"width": width, "height": 800}
    )
    page = context.new_page()
    watched = Watched(page)
    operator = Operator(checkout, page, tmp_path)

    operator.enrol()
    operator.shoot("dashboard")

    # find the customer by what they can read to us
    page.goto("/admin/accounts/account/")
    operator.shoot("accounts")
    page.get_by_role("searchbox").or_(page.locator("#searchbar")).first.fill(
        preview(customer["key"])
    )
    page.keyboard.press("Enter")
    expect(page.locator("#result_list")).to_contain_text(customer["email"])
    operator.shoot("found")
    page.get_by_role("link", name=customer["username"], exact=True).click()
    expect(page.locator("#content")).to_contain_text("500")
    operator.shoot("account")
    account = page.url

    # give credits, with a reason
    operator.press("Give credits")
    page.get_by_label("Amount").fill("250")
    page.get_by_label("Reason").fill("the video had no sound")
    operator.shoot("grant")
    page.get_by_role("button", name="Give credits").click()
    expect(page.locator("body")).to_contain_text("+250 credits")
    operator.shoot("granted")
    assert api.get("/api/v1/credits/").json()["credits_balance"] == 750

    # suspend and resume
    operator.press("Suspend")
    page.get_by_label("Reason").fill("a chargeback")
    operator.shoot("suspend")
    page.get_by_role("button", name="Suspend").click()
    expect(page.locator("body")).to_contain_text("suspended")
    answer = api.get("/api/v1/credits/")
    assert (answer.status_code, answer.json()["code"]) == (403, "account_suspended")
    page.goto(account)
    operator.press("Resume", under="More")
    page.get_by_label("Reason").fill("paid after all")
    page.get_by_role("button", name="Resume").click()
    expect(page.locator("body")).to_contain_text("active")
    assert api.get("/api/v1/credits/").status_code == 200

    # a price, in force at once
    price = 240 + width % 7
    page.goto("/admin/generation/catalogmodel/veo3_fast/change/")
    page.get_by_label("720p, with sound").fill(str(price))
    page.get_by_label("Reason").fill("Google's price list")
    operator.shoot("catalog")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator("#result_list")).to_contain_text(str(price))
    operator.shoot("catalog-saved")
    shown = {
        model["name"]: model["credits"] for model in api.get("/api/v1/models/").json()["models"]
    }
    assert shown["veo3_fast"] == price

    for name in (
        *("credits/ledgerentry", "accounts/apikey", "staff/auditentry", "accounts/user"),
        "payments/creditpack",
    ):
        page.goto(f"/admin/{name}/")
        expect(page.locator("#result_list")).to_be_visible()
        operator.shoot(name.replace("/", "-"))
    page.goto("/admin/staff/auditentry/?action=grant_credits")
    page.locator("#result_list a").first.click()
    expect(page.locator("#content")).to_contain_text("the video had no sound")
    operator.shoot("audit-entry")

    context.clear_cookies()
    operator.log_in_again()
    assert watched.problems == []
    assert watched.outside(checkout.base_url) == []

    # last, since a browser notes every 404 as a problem
    page.goto("/admin/nothing/")
    operator.shoot("not-found")
    page.get_by_role("link", name="Back to the dashboard").click()
    expect(page).to_have_url(re.compile("/admin/$"))
    context.close()
