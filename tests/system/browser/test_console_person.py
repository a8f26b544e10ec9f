"""Second factor and a forgotten password in Chromium, whose forms tell where they come from."""

from __future__ import annotations

import re
import time

from django_otp.oath import totp
from playwright.sync_api import Browser, expect

from tests.system.browser.checkout import RunningCheckout
from tests.system.browser.customers import MAIL_WITHIN, PASSWORD, Visit
from tests.system.browser.test_operators import base32

EMAIL, NEW = "careful@example.com", "a-new-one-9-battery"
LINK = re.compile(r"https?://\S+/reset/\S+")


def log_out(visit: Visit) -> None:
    visit.page.locator("details.person summary").click()
    visit.press("Log out")
    expect(visit.page).to_have_url(re.compile("/log-in/"))


def log_in(visit: Visit, password: str, code: str) -> None:
    visit.fill("E-mail or user name", EMAIL)
    visit.fill("Password", password)
    visit.press("Log in")
    visit.fill("Code", code)
    visit.press("Log in")
    expect(visit.page).to_have_url(re.compile(r"/c/[0-9a-f-]{36}/$"))


def link_in_mailbox(visit: Visit) -> str:
    tab = visit.context.new_page()
    limit = time.monotonic() + MAIL_WITHIN
    while time.monotonic() < limit:
        tab.goto("/mailbox/")
        if found := LINK.search(tab.locator("main").inner_text()):
            tab.close()
            return found[0]
        time.sleep(0.2)
    raise AssertionError("no link came")


def test_a_second_factor_and_a_forgotten_password(
    checkout: RunningCheckout, browser: Browser
) -> None:
    with browser.new_context(base_url=checkout.base_url) as context:
        visit = Visit(context, checkout.base_url)
        visit.sign_up(EMAIL)
        visit.page.goto("/me/second-factor/")
        key = base32(visit.page.locator("#typed-key").inner_text())
        visit.fill("Code", f"{totp(key):06d}")
        visit.press("Turn on")
        codes = visit.page.locator("#recovery-codes").inner_text().split()
        assert len(codes) == 10
        log_out(visit)  # from a page with a secret
        log_in(visit, PASSWORD, codes[0])
        log_out(visit)

        visit.page.get_by_role("link", name="Forgot the password?").click()
        visit.fill("E-mail", EMAIL)
        visit.press("Send link")
        link = link_in_mailbox(visit)
        visit.page.goto(link)
        visit.fill("New password", NEW)
        visit.press("Save")
        expect(visit.page.get_by_role("status")).to_contain_text("Your password is set")
        log_in(visit, NEW, codes[1])
        visit.clean()
