"""A generation that kills whoever works on it is given up; those claimed with it are delivered."""

from __future__ import annotations

import time
from pathlib import Path

from django.db.models.functions import Now

from dev.embedded.processes import wait_until
from generation.models import Generation
from generation.models.states import State
from tests.e2e.conftest import Provider
from tests.e2e.customer import VIDEO, Customer
from tests.system.faults.conftest import CREDITS, PRICE, finished
from tests.system.faults.process_controls import Hands

STRIKES = 5
PATIENCE = 60.0  # seconds


def crashes(log: Path) -> int:
    return len(log.read_text().splitlines()) if log.exists() else 0


def test_a_poison_row_is_refunded_and_its_neighbours_are_delivered(
    customer: Customer, provider: Provider, hands: Hands, tmp_path: Path
) -> None:
    hands.hold("poll")
    ordered = [customer.create(VIDEO, f"clip {number}") for number in range(5)]
    rows = Generation.objects.filter(pk__in=ordered)
    assert wait_until(lambda: rows.filter(state=State.RUNNING).count() == 5, 30)
    poison, *neighbours = ordered
    names, log = tmp_path / "names", tmp_path / "crashes"
    names.write_text(poison)
    armed = {"CRASH_POINTS": "poisoned=1", "CRASH_LOG": str(log), "POISON": str(names)}
    hands.add_worker("poisoned", ("poll",), "tests.system.faults.poisoned_worker", **armed)

    limit = time.monotonic() + PATIENCE
    seen = 0
    while rows.exclude(state__in=[State.COMPLETED, State.FAILED]).exists():
        assert time.monotonic() < limit, list(rows.values_list("state", "strikes"))
        if crashes(log) > seen:
            seen = crashes(log)
            # the leases of the dead process end now: five of them would be half a minute
            rows.filter(state=State.RUNNING).update(next_attempt_at=Now())
        time.sleep(0.05)

    assert crashes(log) == STRIKES
    assert finished(customer, ordered) == ["failed"] + ["completed"] * 4
    error = customer.status(poison)["error"]
    assert error["code"] == "provider_error"
    assert "our side" in error["message"]
    assert [provider.bought(name) for name in ordered] == [1] * 5
    assert customer.balance() == CREDITS - PRICE * len(neighbours)
