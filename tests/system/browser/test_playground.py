"""The playground in Chromium: images by file, code that runs, and how it tells of a failure."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, FilePayload, expect

from tests.support.images import encoded, halves
from tests.system.browser.checkout import RunningCheckout
from tests.system.browser.customers import VIDEO_WITHIN, Visit

GRANT = (
    "from credits import ledger; import uuid; "
    "ledger.grant(uuid.UUID('{}'), 1000, description='for the test')"
)
ORDER = re.compile(r"^Create for \d+ credits$")
PICTURE: FilePayload = {
    "name": "a.png",
    "mimeType": "image/png",
    "buffer": encoded(halves(640, 360), "PNG"),
}
PROMPT = "it's a \"red\" fox 🦊, `ls` $HOME ${x} ''' \\\nand snow"


@pytest.fixture
def visit(checkout: RunningCheckout, browser: Browser, request: Any) -> Iterator[Visit]:
    """Somebody with credits, on Create; with scripts unless the test says otherwise."""
    scripts = (
        getattr(request.node, "callspec", None) is None or request.node.callspec.params["scripts"]
    )
    with browser.new_context(base_url=checkout.base_url, java_script_enabled=scripts) as context:
        visit = Visit(context, checkout.base_url)
        visit.sign_up(f"playing-{uuid.uuid4()}@example.com")
        checkout.manage("shell", "-c", GRANT.format(visit.account.split("/")[2]))
        visit.page.goto(f"{visit.account}create/")
        yield visit
        visit.clean()


@pytest.mark.parametrize("scripts", [True, False], ids=["script", "no script"])
def test_an_image_by_file(visit: Visit, scripts: bool) -> None:
    page = visit.page
    page.get_by_label("Prompt", exact=True).fill(PROMPT)
    page.get_by_label("Or a file").set_input_files(PICTURE)
    if not scripts:
        visit.press("Add image")
    expect(page.get_by_text("Image 1: uploaded")).to_be_visible()
    expect(page.get_by_label("Prompt", exact=True)).to_have_value(PROMPT)
    visit.press(ORDER)
    expect(page.get_by_role("definition").filter(has_text=re.compile("^1$"))).to_be_visible()
    expect(page).to_have_url(re.compile("/gallery/[0-9a-f-]{36}/$"))


def test_the_code_runs_as_it_stands(
    visit: Visit, checkout: RunningCheckout, tmp_path: Path
) -> None:
    programs = {"curl": ["bash"], "python": [sys.executable], "node": ["node"]}
    page = visit.page
    page.get_by_label("Prompt", exact=True).fill(PROMPT)
    page.get_by_label("Seed").fill("7")
    before = int(page.locator("#price").inner_text())
    page.get_by_label("Duration").select_option("4")
    price = -(-before // 2)  # half of it, rounded up
    expect(page.get_by_role("button", name=f"Create for {price} credits")).to_be_visible()
    visit.press("Show as code")
    for name, program in programs.items():
        file = tmp_path / f"{name}.txt"
        code = page.locator(f"#code-{name}")
        expect(code).to_contain_text("7")
        file.write_text(code.text_content() or "")
        environment = {"PATH": os.environ["PATH"], "API_KEY": checkout.key}
        done = subprocess.run(
            [*program, file], env=environment, capture_output=True, text=True, check=True
        )
        data = json.loads(done.stdout)["data"]
        assert (data["credits_used"], data["seed"], data["duration"]) == (price, 7, 4)


def test_a_failure_is_told_and_the_prompt_kept(visit: Visit) -> None:
    page, prompt = visit.page, "A storm [emulator:filtered=violence]"
    balance = page.locator("#header-balance").inner_text()
    price = page.locator("#price").inner_text()
    page.get_by_label("Prompt", exact=True).fill(prompt)
    visit.press(ORDER)
    expect(page).to_have_title("✗ Failed | Reelmint", timeout=VIDEO_WITHIN)
    expect(page.get_by_text(f"Your {price} credits are back.")).to_be_visible()
    expect(page.locator("#header-balance")).to_have_text(balance)
    expect(page.get_by_text("The provider's safety filter refused it.")).to_be_visible()
    expect(page.get_by_role("heading", name="✗ Failed")).to_be_focused()
    page.get_by_role("link", name="Try again").click()
    expect(page.get_by_label("Prompt", exact=True)).to_have_value(prompt)
    page.go_back()
    expect(page.get_by_role("heading", name="✗ Failed")).to_be_visible()
