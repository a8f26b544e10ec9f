"""A worker's host has the wrong time: leases, deadlines and windows are the database's."""

from __future__ import annotations

from datetime import timedelta

import pytest

from generation.models import Generation
from tests.e2e.conftest import TIME_SCALE, Provider
from tests.e2e.customer import VIDEO, Customer
from tests.system.faults.conftest import assert_delivered_once
from tests.system.faults.process_controls import Hands

TEN_MINUTES = 600  # seconds: longer than lease, window and deadline of this stack together
WINDOW = timedelta(minutes=15 * TIME_SCALE)
STAGES = ("prepare", "submit", "poll", "store")


@pytest.mark.parametrize("skew", [TEN_MINUTES, -TEN_MINUTES], ids=["ahead", "behind"])
def test_a_worker_with_the_wrong_time_works(
    skew: int, customer: Customer, provider: Provider, hands: Hands
) -> None:
    hands.hold(*STAGES)
    hands.add_worker("skewed", STAGES, "tests.system.faults.skewed_worker", CLOCK_SKEW=str(skew))
    lost = "its answer is lost [emulator:accepted-then-no-answer]"
    ordered = [customer.create(VIDEO, "the wrong time"), customer.create(VIDEO, lost)]
    assert_delivered_once(customer, provider, ordered)
    doubted = Generation.objects.get(pk=ordered[1])
    assert (doubted.unknown_attempts, doubted.attempts.count()) == (1, 1)
    assert doubted.unknown_until is not None
    window = doubted.unknown_until - doubted.created_at
    assert WINDOW < window < WINDOW + timedelta(minutes=5)
    for generation in Generation.objects.filter(pk__in=ordered):
        assert generation.accepted_at is None or generation.accepted_at > generation.created_at
        assert generation.finished_at is not None
        lasted = generation.finished_at - generation.created_at
        assert timedelta(0) < lasted < timedelta(minutes=5)
        assert generation.deadline_at > generation.finished_at
