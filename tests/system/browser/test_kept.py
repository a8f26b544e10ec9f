"""What is typed on Create is still there after a log-out in another tab, and a log-in."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.system.browser.checkout import RunningCheckout
from tests.system.browser.customers import PASSWORD, Visit

ORDER = re.compile(r"^Create for \d+ credits$")
KEPT = re.compile("What you typed is kept")
QUIET = 2000  # milliseconds, until the page asks for nothing by itself any more
SHOWN = re.compile("This is what you typed")
PROMPT = 'a "red" fox & it\'s 100 % 🦊\n\n  in + snow'

pytestmark = pytest.mark.usefixtures("nobody_joined_today")


@pytest.fixture(params=[True, False], ids=["script", "no script"])
def visit(
    checkout: RunningCheckout, browser: Browser, request: pytest.FixtureRequest
) -> Iterator[Visit]:
    with browser.new_context(
        base_url=checkout.base_url, java_script_enabled=request.param
    ) as context:
        visit = Visit(context, checkout.base_url)
        visit.sign_up(f"kept-{uuid.uuid4()}@example.com")
        visit.page.goto(f"{visit.account}create/")
        yield visit
        assert visit.watched.outside(checkout.base_url) == []
        refused = (
            "403: ",
            "error: Failed to load resource",
            "error: Response Status Error Code 403",
        )
        assert [each for each in visit.watched.problems if not each.startswith(refused)] == []


def elsewhere(visit: Visit) -> Page:
    """A second tab, in which the person has logged out."""
    tab = visit.context.new_page()
    tab.goto("/me/")
    tab.locator("details.person summary").click()
    tab.get_by_role("button", name="Log out").click()
    expect(tab).to_have_url(re.compile("/log-in/"))
    return tab


def log_in(page: Page, email: str) -> None:
    page.get_by_label("E-mail or user name").fill(email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()


def email_of(visit: Visit) -> str:
    tab = visit.context.new_page()
    tab.goto("/me/email/")
    found = re.search(r"kept-[0-9a-f-]{36}@example\.com", tab.locator("main").inner_text())
    assert found is not None
    tab.close()
    return found[0]


def is_as_typed(page: Page, seed: str) -> None:
    expect(page.get_by_text(SHOWN)).to_be_visible()
    expect(page).to_have_url(re.compile("/create/"))
    expect(page.get_by_label("Prompt", exact=True)).to_have_value(PROMPT)
    expect(page.get_by_label("Seed")).to_have_value(seed)
    expect(page.get_by_label("Resolution")).to_have_value("1080p")


def looks_right(page: Page, request: pytest.FixtureRequest) -> None:
    """To axe, which is a script itself."""
    if "no script" not in request.node.name:
        assert Axe().run(page).response["violations"] == []


def test_the_text_is_there_after_the_log_in(visit: Visit, request: pytest.FixtureRequest) -> None:
    page, email = visit.page, email_of(visit)
    page.get_by_label("Prompt", exact=True).fill(PROMPT)
    page.get_by_label("Resolution").select_option("1080p")
    page.wait_for_timeout(QUIET)  # the options come anew
    page.get_by_label("Seed").fill("7")
    page.wait_for_timeout(QUIET)
    elsewhere(visit).close()
    page.get_by_role("button", name=ORDER).click()
    expect(page.get_by_text(KEPT)).to_be_visible()
    looks_right(page, request)
    log_in(page, email)
    is_as_typed(page, "7")
    # and forms that are older than the log-in
    other = visit.context.new_page()
    other.goto(f"{visit.account}settings/")
    tab = elsewhere(visit)
    log_in(tab, email)
    expect(tab).to_have_url(re.compile(r"/c/[0-9a-f-]{36}/$"))
    with page.expect_response(lambda each: each.request.is_navigation_request()) as answer:
        page.get_by_role("button", name="Show as code").click()
    assert answer.value.status == 403
    is_as_typed(page, "7")
    other.get_by_role("button", name="Save").first.click()
    expect(other.get_by_role("heading", name="This page is too old")).to_be_visible()
    looks_right(other, request)
    other.get_by_role("link", name="Open the page again").click()
    expect(other).to_have_url(re.compile("/settings/$"))
    page.goto(f"{visit.account}gallery/")
    expect(page.locator("main")).not_to_contain_text("fox")  # nothing was ordered by itself


def test_what_is_chosen_after_it_too(visit: Visit, request: pytest.FixtureRequest) -> None:
    """With a script the page asks for prices by itself, and learns of the end by that."""
    page, email = visit.page, email_of(visit)
    page.get_by_label("Seed").fill("8")
    page.get_by_label("Prompt", exact=True).fill(PROMPT)
    page.wait_for_timeout(QUIET)
    elsewhere(visit).close()
    page.get_by_label("Resolution").select_option("1080p")
    if "no script" in request.node.name:
        page.get_by_role("button", name="Show as code").click()
    expect(page.get_by_text(KEPT)).to_be_visible()
    log_in(page, email)
    is_as_typed(page, "8")
