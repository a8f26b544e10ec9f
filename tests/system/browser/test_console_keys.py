"""From a key to the first call of a program: what the page shows is pasted as it stands."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.system.browser.checkout import RunningCheckout
from tests.system.browser.customers import Visit

RUNS = {"curl": ("sh", "bash"), "python": ("py", sys.executable), "node": ("js", "node")}
TICK_WITHIN = 5_000  # milliseconds from the call's answer


@pytest.fixture(scope="module")
def visit(checkout: RunningCheckout, browser: Browser) -> Iterator[Visit]:
    """Somebody who has just joined, with the gift; a key for each language costs no sign-up."""
    checkout.manage("shell", "-c", "from signup.models import Trial; Trial.objects.all().delete()")
    permissions = ["clipboard-read", "clipboard-write"]
    with browser.new_context(base_url=checkout.base_url, permissions=permissions) as context:
        found = Visit(context, checkout.base_url)
        found.sign_up("programs@example.com")
        yield found


@pytest.mark.parametrize("language", RUNS)
def test_two_clicks_and_a_paste(visit: Visit, tmp_path: Path, language: str) -> None:
    page = visit.page
    page.goto(visit.account)
    page.get_by_role("link", name="API keys").first.click()
    name = page.get_by_label("Name", exact=True)
    if name.input_value() == "":  # the first key has one
        name.fill(f"for {language}")
    page.get_by_role("button", name="Create key").dblclick()
    if language != "curl":
        page.locator(
            "main summary", has_text={"python": "Python", "node": "Node"}[language]
        ).click()
    page.locator(f"[data-copy='#code-{language}']").click()
    pasted = page.evaluate("navigator.clipboard.readText()")
    assert page.locator("#secret").inner_text() in pasted
    expect(page.get_by_text("Waiting for your first request")).to_be_visible()
    suffix, program = RUNS[language]
    (tmp_path / f"first.{suffix}").write_text(pasted)
    run = [program, str(tmp_path / f"first.{suffix}")]
    done = subprocess.run(run, capture_output=True, text=True, timeout=60, check=True)
    assert '"generation_id"' in done.stdout
    expect(page.get_by_text("✓ Your first request has arrived.")).to_be_visible(timeout=TICK_WITHIN)
    page.reload()
    expect(page.get_by_text("This key is made already.")).to_be_visible()
    assert pasted.count("rmk_") == 1
    assert page.locator("#secret").count() == 0
    visit.clean()
