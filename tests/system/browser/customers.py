"""A stranger in Chromium who becomes a customer: signs up, reads the code, orders."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field

from playwright.sync_api import BrowserContext, Page, expect

from tests.system.browser.test_pages import Watched

PASSWORD = "correct-horse-7-battery"
MAIL_WITHIN = 15.0  # seconds
VIDEO_WITHIN = 90_000  # milliseconds


@dataclass
class Visit:
    """One person's browser: the tab, what it complained about, and how often it was touched."""

    context: BrowserContext
    base_url: str
    page: Page = field(init=False)
    watched: Watched = field(init=False)
    interactions: int = 0

    def __post_init__(self) -> None:
        self.page = self.context.new_page()
        self.watched = Watched(self.page)

    def fill(self, label: str, text: str) -> None:
        self.interactions += 1
        self.page.get_by_label(label, exact=True).fill(text)

    def press(self, name: str | re.Pattern[str]) -> None:
        self.interactions += 1
        self.page.get_by_role("button", name=name).first.click()

    def sign_up(self, email: str) -> None:
        """From the landing page to Home, with the code of the mail."""
        self.page.goto("/")
        self.fill("E-mail", email)
        self.fill("Password", PASSWORD)
        self.press("Create account")
        self.fill("Code", self.code_for(email))
        self.press("Verify")
        expect(self.page).to_have_url(re.compile(r"/c/[0-9a-f-]{36}/$"))

    def code_for(self, email: str) -> str:
        """The six digits of the newest mail, read in a second tab."""
        tab = self.context.new_page()
        limit = time.monotonic() + MAIL_WITHIN
        while time.monotonic() < limit:
            tab.goto("/mailbox/")
            newest = tab.get_by_role("link").filter(has_text=email).first
            if newest.count():
                newest.click()
            found = re.search(r"\b(\d{6})\b", tab.locator("main").inner_text())
            if found and email in tab.locator("main").inner_text():
                tab.close()
                return found[1]
            time.sleep(0.2)
        raise AssertionError(f"no code for {email} came within {MAIL_WITHIN:.0f} s")

    @property
    def account(self) -> str:
        """The path of the account's pages, from the page that is open."""
        found = re.search(r"/c/[0-9a-f-]{36}/", self.page.url)
        assert found, self.page.url
        return found[0]

    def clean(self) -> None:
        """Nothing was complained about, and nothing was asked of anybody else."""
        assert self.watched.problems == []
        assert self.watched.outside(self.base_url) == []
