"""The command line, and what a person sees at the address."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.support.stripe_works import ROOT, StripeEmulator, stripe_emulator


def test_the_home_page_says_what_it_is(seller: StripeEmulator) -> None:
    assert "no money is charged" in seller.http.get("/").text
    answer = seller.http.get("/", headers={"Accept": "application/json"}).json()
    assert answer["emulator"] is True


def test_another_address_for_others(tmp_path: Path) -> None:
    ready = tmp_path / "ready"
    url = "http://stripe:9100"
    command = [sys.executable, "-m", "dev.stripe", "--port", "0", "--public-url", url]
    process = subprocess.Popen(
        [*command, "--ready-file", str(ready)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout
    line = process.stdout.readline()
    assert "not Stripe: no money is charged" in line
    assert url in line
    process.terminate()
    assert process.wait(5) == 0
    process.stdout.close()
    assert ready.read_text().strip() == url


@pytest.mark.parametrize(
    "options",
    [
        ["--webhook-url", "http://127.0.0.1:9/"],
        ["--webhook-url", "http://127.0.0.1:9/", "--webhook-secret", ""],
        ["--host", "192.0.2.1"],
    ],
)
def test_it_says_why_it_cannot_start(options: list[str]) -> None:
    command = [sys.executable, "-m", "dev.stripe", "--port", "0", *options]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=20)
    assert done.returncode == 1
    assert done.stderr.startswith("The emulator cannot start: ")


def test_any_test_key_where_none_is_named(tmp_path: Path) -> None:
    with stripe_emulator(tmp_path, "--secret-key", "") as running:

        def status(key: str) -> int:
            headers = {"Authorization": f"Bearer {key}"}
            return httpx.get(f"{running.url}/v1/customers", headers=headers).status_code

        assert [status(key) for key in ("sk_test_1", "rk_test_1")] == [200, 200]
        refused = ("sk_live_1", "rk_live_1", "pk_test_1", "sk_test_", "x")
        assert {status(key) for key in refused} == {401}
