"""At 3 a.m.: a generation failed. Why? Mend it, try again, and watch what the customer gets."""

from __future__ import annotations

import json
import time
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, expect

from dev.embedded.processes import wait_until
from tests.system.browser.checkout import RunningCheckout
from tests.system.browser.test_operators import Operator
from tests.system.browser.test_pages import Watched

WRONG = "veo-9.9-that-is-not"
PLAYED = """video => new Promise((resolve, reject) => {
    video.muted = true;
    video.onerror = () => reject(video.error.message);
    video.ontimeupdate = () => video.currentTime > 0.5 && resolve(video.videoWidth);
    video.play();
})"""


def set_provider_model(checkout: RunningCheckout, name: str) -> None:
    code = (
        "from generation.models import CatalogModel;"
        f"CatalogModel.objects.filter(pk='veo3').update(provider_model='{name}')"
    )
    checkout.manage("shell", "--no-imports", "--command", code)


def failed(checkout: RunningCheckout, key: str) -> str:
    """The id of a video that the provider refused to make."""
    headers = {"Authorization": f"Bearer {key}"}
    with httpx.Client(base_url=checkout.base_url, headers=headers, timeout=20) as client:
        order = {"prompt": "A paper boat at sunrise", "video_model": "veo3"}
        answer = client.post("/api/v1/generate/video/", json=order)
        pk = str(answer.json()["data"]["generation_id"])
        path = f"/api/v1/generate/{pk}/"
        assert wait_until(lambda: client.get(path).json()["status"] == "failed", 60, interval=0.2)
    return pk


@pytest.mark.parametrize("width", [1280, 390])
def test_a_failed_generation_is_followed_to_its_cause_and_made_after_all(
    width: int, checkout: RunningCheckout, browser: Browser, tmp_path: Path
) -> None:
    email = f"customer-{time.time_ns()}@example.com"
    customer = json.loads(checkout.manage("create_account", email, "--credits", "500"))
    set_provider_model(checkout, WRONG)
    pk = failed(checkout, customer["key"])
    context = browser.new_context(
        base_url=checkout.base_url, viewport={"width": width, "height": 800}
    )
    page = context.new_page()
    watched = Watched(page)
    operator = Operator(checkout, page, tmp_path)
    operator.enrol()

    # the dashboard says that something failed, and why
    expect(page.locator("#reasons")).to_contain_text("provider_error")
    expect(page.locator("#workers")).not_to_contain_text("silent")
    operator.shoot("dashboard")
    page.locator("#reasons").get_by_role("link", name="provider_error").click()
    operator.shoot("failed-ones")
    page.get_by_role("link", name=pk[-8:]).click()

    # its page says what exactly
    expect(page.locator("#content")).to_contain_text(WRONG)
    expect(page.locator("#content")).to_contain_text("refund +500")
    operator.shoot("cause")
    page.goto("/admin/generation/catalogmodel/veo3/change/")
    page.locator("#id_provider_model").fill("")
    page.get_by_label("Reason").fill("a wrong id")
    page.get_by_role("button", name="Save", exact=True).click()

    # once more, and nobody pays
    page.goto(f"/admin/generation/generation/{pk}/change/")
    page.get_by_role("link", name="Try again").click()
    page.get_by_label("Grant 500 credits").check()
    page.get_by_label("Reason").fill("our mistake")
    operator.shoot("try-again")
    page.get_by_role("button", name="Try again").click()
    expect(page.locator("#content")).to_contain_text("Tries again")
    operator.shoot("ordered-again")

    def is_made() -> bool:
        page.reload()
        return page.locator("video").count() == 1

    assert wait_until(is_made, 60, interval=0.5)
    assert page.locator("video").evaluate(PLAYED) > 0
    operator.shoot("playing")
    page.goto("/admin/")
    operator.shoot("dashboard-afterwards")
    page.goto("/admin/generation/generation/?q=" + email)
    operator.shoot("both")
    page.goto("/admin/generation/orphan/")
    operator.shoot("orphans")
    # a browser stops loading a video when it has enough of it, or leaves the page
    assert [problem for problem in watched.problems if "/media/outputs/" not in problem] == []
    assert watched.outside(checkout.base_url) == []
    context.close()
