"""The page of Stripe's emulator, as a person without JavaScript pays on it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.stripe_works import StripeEmulator, stripe_emulator

DECLINED, ASKS = "4000 0000 0000 0002", "4000 0025 0000 3155"
LONG_ADDRESS = f"{'somebody.' * 12}+twice@example.com"


@pytest.fixture(scope="module")
def seller(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StripeEmulator]:
    with stripe_emulator(tmp_path_factory.mktemp("stripe")) as running:
        yield running


@pytest.fixture(params=["light", "dark"])
def phone(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    """A narrow window in one of the two themes."""
    context = browser.new_context(
        java_script_enabled=False,
        viewport={"width": 390, "height": 800},
        color_scheme=request.param,
    )
    yield context.new_page()
    context.close()


def pay(page: Page) -> None:
    page.get_by_role("button", name="Pay", exact=True).click()


def test_a_person_pays(seller: StripeEmulator, phone: Page, tmp_path: Path) -> None:
    back = f"{seller.url}/"
    session = seller.order(
        "p1", LONG_ADDRESS, allow_promotion_codes=True, success_url=back, cancel_url=back
    )
    phone.goto(session.url)
    expect(phone.get_by_text("EMULATED, no money is charged")).to_be_visible()
    expect(phone.get_by_text("Emulated scenario: twice")).to_be_visible()
    expect(phone.get_by_label("E-mail")).to_have_value(LONG_ADDRESS)
    expect(phone.get_by_role("row", name="Total 25.00 USD")).to_be_visible()
    width = phone.locator("html").bounding_box()
    assert width
    assert width["width"] <= 390
    for field in ("E-mail", "Promotion code", "Card number", "IBAN"):
        box = phone.get_by_label(field).bounding_box()
        assert box
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 390
    phone.screenshot(path=tmp_path / "pay.png", full_page=True)
    phone.get_by_label("Promotion code").fill("nothing")
    phone.get_by_role("button", name="Apply").click()
    expect(phone.get_by_role("alert")).to_have_text("This code is invalid.")
    phone.get_by_label("Card", exact=True).check()
    phone.get_by_label("Card number").fill(DECLINED)
    pay(phone)
    expect(phone.get_by_role("alert")).to_have_text("Your card was declined.")
    phone.get_by_label("Card number").fill(ASKS)
    pay(phone)
    phone.get_by_role("button", name="Fail").click()
    expect(phone.get_by_role("alert")).to_contain_text("unable to authenticate")
    phone.get_by_label("Card number").fill(ASKS)
    pay(phone)
    phone.get_by_role("button", name="Complete").click()
    expect(phone).to_have_url(back)
    assert seller.payment("p1")["taken"] == 2500
    seller.http.post("/emulator/reset")


def test_a_person_debits_a_bank(seller: StripeEmulator, phone: Page) -> None:
    back = f"{seller.url}/"
    session = seller.order("p1", success_url=back, cancel_url=f"{back}?back")
    phone.goto(session.url)
    phone.get_by_role("button", name="Back").click()
    expect(phone).to_have_url(f"{back}?back")
    phone.goto(session.url)
    phone.get_by_label("SEPA Direct Debit").check()
    phone.get_by_label("IBAN").fill("DE00")
    pay(phone)
    expect(phone.get_by_role("alert")).to_have_text("The IBAN you provided is invalid.")
    expect(phone.get_by_label("SEPA Direct Debit")).to_be_checked()
    phone.get_by_label("IBAN").fill("DE89 3704 0044 0532 0130 00")
    phone.get_by_label("IBAN").press("Enter")
    expect(phone).to_have_url(back)
    assert seller.fetch(session).payment_status == "unpaid"
    seller.http.post("/emulator/reset")
