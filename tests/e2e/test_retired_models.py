"""The day a model retires, as docs/runbook.md has it: real programs, and its own command."""

from __future__ import annotations

import json
import re
import shlex
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from dev.embedded import StackError
from dev.embedded.stack import Stack
from tests.e2e.conftest import Provider
from tests.e2e.customer import VIDEO, Customer

RUNBOOK = Path(__file__).resolve().parents[2] / "docs" / "runbook.md"
FAST, OTHER = "veo-3.1-fast-generate-001", "veo-3.1-generate-001"
BACK = (
    *("--backend", "vertex", "--provider-model", "", "--audio", "optional", "--negative-prompt"),
    *("--seed-max", "4294967295", "--fallback", "", "--reason", "back to Veo"),
)
IN_FORCE = 1.1  # seconds after a save


@pytest.fixture
def buyer(stack: Stack) -> Iterator[Customer]:
    """Nothing that other tests ordered is refunded to this account meanwhile."""
    options = ("--credits", "5000", "--skip-checks")
    answer = stack.manage("create_account", f"{uuid.uuid4().hex}@example.com", *options)
    customer = Customer(stack, json.loads(answer)["key"])
    yield customer
    customer.http.close()


def switch(provider: Provider, model: str, verb: str) -> None:
    httpx.post(f"{provider.url}/emulator/models/{model}/{verb}", timeout=10).raise_for_status()


@pytest.fixture(autouse=True)
def _as_before(stack: Stack, provider: Provider) -> Iterator[None]:
    yield
    switch(provider, FAST, "revive")
    stack.manage("catalog", "veo3_fast", *BACK)
    time.sleep(IN_FORCE)


def of_runbook() -> list[str]:
    """The command that the runbook names, without ``manage.py``."""
    found = re.search(
        r"`manage\.py (catalog veo3_fast --backend interactions [^`]+)`", RUNBOOK.read_text()
    )
    assert found
    return shlex.split(found[1])


def asked(provider: Provider, generation: str) -> dict[str, Any]:
    answer = httpx.get(f"{provider.url}/emulator/operations/{generation}", timeout=10).json()
    [found] = answer["operations"]
    assert isinstance(found, dict)
    return found


def warnings(stack: Stack) -> str:
    return "; ".join(httpx.get(f"{stack.base_url}/readyz", timeout=10).json()["warnings"])


def available(stack: Stack) -> bool:
    models = httpx.get(f"{stack.base_url}/api/v1/models/video/", timeout=10).json()["models"]
    return bool(next(each["available"] for each in models if each["name"] == "veo3_fast"))


def test_the_day_a_model_retires(stack: Stack, buyer: Customer, provider: Provider) -> None:
    before = buyer.balance()
    running = buyer.create(VIDEO, "a kite [emulator:slow=25]")
    while not provider.bought(running):
        time.sleep(0.1)

    switch(provider, FAST, "retire")
    for _ in range(3):
        lost = buyer.finished(buyer.create(VIDEO, "a kite"))
        assert (lost["status"], lost["error"]["code"]) == ("failed", "provider_error")
        assert lost["credits_refunded"] == 240
    time.sleep(IN_FORCE)
    refused = buyer.http.post(VIDEO, json={"prompt": "a kite"})
    assert (refused.status_code, refused.json()["code"]) == (503, "model_unavailable")
    assert int(refused.headers["Retry-After"]) >= 1
    assert buyer.balance() == before - 240
    assert not available(stack)
    assert "veo3_fast is paused until" in warnings(stack)
    with pytest.raises(StackError, match=f"{FAST}\tunknown"):
        stack.manage("check_models")
    time.sleep(IN_FORCE)
    assert f"the provider does not know {FAST}" in warnings(stack)

    stack.manage(*of_runbook())
    time.sleep(IN_FORCE)
    assert available(stack)
    assert buyer.status(running)["status"] == "processing"
    switched = buyer.create(VIDEO, "a kite")
    done = buyer.finished(switched)
    assert (done["status"], done["credits_used"]) == ("completed", 240)
    assert (asked(provider, switched)["api"], asked(provider, switched)["model"]) == (
        "interactions",
        "gemini-omni-1.2-flash",
    )
    assert "veo3_fast" not in warnings(stack)
    silent = buyer.http.post(VIDEO, json={"prompt": "a kite", "generate_audio": False})
    assert silent.json()["error"] == "Generate audio must be true for veo3_fast"

    assert buyer.finished(running)["status"] == "completed"
    assert asked(provider, running)["model"] == FAST
    assert provider.bought(running) == provider.bought(switched) == 1
    assert buyer.balance() == before - 480


def test_with_a_fallback_nobody_notices(stack: Stack, buyer: Customer, provider: Provider) -> None:
    stack.manage("catalog", "veo3_fast", "--fallback", OTHER, "--reason", "before the day")
    switch(provider, FAST, "retire")
    before = buyer.balance()
    with ThreadPoolExecutor(5) as pool:
        five = list(pool.map(lambda number: buyer.create(VIDEO, f"kite {number}"), range(5)))
    assert [buyer.finished(each)["status"] for each in five] == ["completed"] * 5
    assert [provider.bought(each) for each in five] == [1] * 5
    assert {asked(provider, each)["model"] for each in five} == {OTHER}
    assert buyer.balance() == before - 5 * 240
    time.sleep(IN_FORCE)
    assert "veo3_fast is made by its fallback" in warnings(stack)
