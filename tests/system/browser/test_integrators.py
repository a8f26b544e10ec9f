"""Client code written for the contract, under Node and in a page, and the examples we print."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, expect

from dev.embedded.mp4 import duration
from dev.embedded.paths import CHECKOUT
from dev.embedded.processes import wait_until
from tests.system.browser.checkout import RunningCheckout
from tests.system.browser.conftest import run

HERE = Path(__file__).parent
CLIENT = (HERE / "client.js").read_text()
EXAMPLES = CHECKOUT / "examples"
FILTERED = "A storm [emulator:filtered=violence]"
IN_THE_PAGE = """
async ([token, prompt]) => {
  try {
    return await makeVideo(token, prompt, {pollEvery: 300});
  } catch ({message, code, refunded, missing}) {
    return {message, code, refunded, missing};
  }
}
"""
Make = Callable[[str, str], dict[str, Any]]


@pytest.fixture(params=["node", "chromium"])
def make(request: pytest.FixtureRequest, checkout: RunningCheckout) -> Make:
    """``make(key, prompt)`` is the status at the end, or what the thrown error holds."""

    def under_node(key: str, prompt: str) -> dict[str, Any]:
        argv = ["node", str(HERE / "run_under_node.mjs"), prompt]
        done = run(argv, checkout, HERE, key)
        assert done.returncode == 0, done.stderr
        answer: dict[str, Any] = json.loads(done.stdout)
        return answer

    if request.param == "node":
        return under_node
    page: Page = request.getfixturevalue("page")
    # a customer's own page: ours forbid scripts that do not lie in a file of ours
    page.route(
        "**/customer.html",
        lambda route: route.fulfill(content_type="text/html", body="<title>A customer</title>"),
    )
    page.goto("/customer.html")
    page.add_script_tag(content=CLIENT)

    def in_the_page(key: str, prompt: str) -> dict[str, Any]:
        answer: dict[str, Any] = page.evaluate(IN_THE_PAGE, [key, prompt])
        return answer

    return in_the_page


def test_a_client_gets_its_video(checkout: RunningCheckout, make: Make) -> None:
    status = make(checkout.key, "A red fox in the snow")
    assert (status["status"], status["generation_type"]) == ("completed", "video")
    assert status["video_model"] == "veo3_fast"
    assert status["video_url"].startswith(f"{checkout.base_url}/media/")


def test_a_client_learns_that_credits_are_missing(make: Make, poor_key: str) -> None:
    thrown = make(poor_key, "A red fox in the snow")
    assert thrown["message"] == "Insufficient credits. Need 240, have 100"
    assert thrown["missing"] == 140


def test_a_client_learns_why_a_video_failed(checkout: RunningCheckout, make: Make) -> None:
    thrown = make(checkout.key, FILTERED)
    assert (thrown["code"], thrown["refunded"]) == ("content_filtered", 240)


def test_the_printed_curl_lines_work_as_they_are(checkout: RunningCheckout) -> None:
    lines = re.findall(r"^\s*(curl .*)$", checkout.output, re.MULTILINE)
    assert len(lines) == 4
    answers = [bash(line) for line in lines]
    assert [answer["success"] for answer in answers] == [True] * 4
    assert [answer["data"]["mode"] for answer in answers[:2]] == ["text-to-video", "image-to-video"]
    newest = answers[2]["results"][0]
    assert newest["id"] == answers[1]["data"]["generation_id"]
    assert answers[3]["url"].startswith(f"{checkout.described['stripe_url']}/c/pay/")


def test_the_printed_link_is_paid_as_the_banner_says(checkout: RunningCheckout, page: Page) -> None:
    (line,) = re.findall(r"^\s*(curl .*/credits/checkout/.*)$", checkout.output, re.MULTILINE)
    (card,) = re.findall(r"by card ([\d ]+)\)", checkout.output)
    ordered = bash(line)
    page.goto(ordered["url"])
    page.get_by_label("Card number").fill(card)
    page.get_by_role("button", name="Pay", exact=True).click()
    expect(page).to_have_url(re.compile(f"^{checkout.base_url}/.*{ordered['payment_id']}"))
    headers = {"Authorization": f"Bearer {checkout.key}"}
    paid = f"{checkout.base_url}/api/v1/credits/payments/{ordered['payment_id']}/"

    def is_paid() -> bool:
        return bool(httpx.get(paid, headers=headers).json()["status"] == "paid")

    assert wait_until(is_paid, 10)


def bash(line: str) -> dict[str, Any]:
    done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, check=True)
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


@pytest.mark.parametrize("program", [("node", "make_video.mjs"), ("sh", "make_video.sh")])
def test_an_example_saves_a_video(
    checkout: RunningCheckout, tmp_path: Path, program: tuple[str, str]
) -> None:
    argv = [program[0], str(EXAMPLES / program[1])]
    done = run([*argv, 'A "quoted" boat \\ ship', "made.mp4"], checkout, tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert duration((tmp_path / "made.mp4").read_bytes()) == pytest.approx(8, abs=0.2)


@pytest.mark.parametrize("program", [("node", "make_video.mjs"), ("sh", "make_video.sh")])
def test_an_example_says_why_there_is_no_video(
    checkout: RunningCheckout, tmp_path: Path, poor_key: str, program: tuple[str, str]
) -> None:
    argv = [program[0], str(EXAMPLES / program[1])]
    failed = run([*argv, FILTERED], checkout, tmp_path)
    assert (failed.returncode, "paid back" in failed.stderr) == (1, True)
    refused = run([*argv, "A boat"], checkout, tmp_path, poor_key)
    assert refused.returncode == 1
    assert "Insufficient credits. Need 240, have 100" in refused.stderr
    assert list(tmp_path.iterdir()) == []
