"""Debian's Chromium, Node and curl against a stack that `make run` brought up."""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.dev.embedded.conftest import standing_in_environment
from tests.system.browser.checkout import RunningCheckout

# What keeps it from asking the world for anything, and makes it run as root.
FLAGS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    "--disable-dev-shm-usage",
)


@pytest.fixture(autouse=True)
def _clean_slate() -> None:
    """Nothing to sweep: the stack has servers of its own."""


@pytest.fixture(scope="session")
def checkout() -> Iterator[RunningCheckout]:
    """A stack that is up; SIGTERM must end all of it."""
    folder = Path(tempfile.mkdtemp(prefix="rm-browser-"))
    running = RunningCheckout(folder)
    try:
        yield running
    finally:
        code = running.stop()
    assert code == 0, running.output
    assert "Traceback" not in running.output
    assert not (running.folder / "var" / "run.json").exists()
    assert standing_in_environment(str(folder)) == []
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def poor_key(checkout: RunningCheckout) -> str:
    """The key of somebody who has 100 credits."""
    created = checkout.manage("create_account", "poor@example.com", "--credits", "100")
    return str(json.loads(created)["key"])


@pytest.fixture
def nobody_joined_today(checkout: RunningCheckout) -> None:
    """One client address gets three gifts a day, and others of these tests have had them."""
    checkout.manage("shell", "-c", "from signup.models import Trial; Trial.objects.all().delete()")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    executable = shutil.which("chromium")
    assert executable, "chromium is not installed; `make test-browser` says how"
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=executable, args=list(FLAGS))
        yield launched
        launched.close()


@pytest.fixture
def page(browser: Browser, checkout: RunningCheckout) -> Iterator[Page]:
    context = browser.new_context(
        base_url=checkout.base_url, viewport={"width": 1280, "height": 800}
    )
    yield context.new_page()
    context.close()


def run(
    argv: list[str], checkout: RunningCheckout, folder: Path, key: str | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a customer's program in ``folder``."""
    environment = checkout.environment | {
        "BASE_URL": checkout.base_url,
        "API_KEY": key or checkout.key,
    }
    return subprocess.run(
        argv, cwd=folder, env=environment, capture_output=True, text=True, timeout=90
    )
