"""Two beats, and none: the clock of the workers is a convenience, not a promise."""

from __future__ import annotations

import time
from dataclasses import replace

from dev.embedded.processes import wait_until
from dev.embedded.stack import Stack
from generation.models import Generation
from generation.models.states import State
from tests.e2e.conftest import Provider
from tests.e2e.customer import VIDEO, Customer
from tests.system.faults.conftest import assert_delivered_once
from tests.system.faults.process_controls import Hands
from work.wake import FLAG_SECONDS

MINUTE = 60 * 0.03  # seconds, at the stack's time scale


def test_two_beats_do_no_harm(
    stack: Stack, customer: Customer, provider: Provider, hands: Hands
) -> None:
    beat = stack.processes.children["beat"].program
    hands.add(replace(beat, name="beat-2"))
    ordered = [customer.create(VIDEO, f"two clocks {number}") for number in range(3)]
    hands.hold("beat")  # and the second one works
    ordered += [customer.create(VIDEO, f"the other clock {number}") for number in range(3)]
    assert_delivered_once(customer, provider, ordered)


def test_without_a_beat_orders_start_at_once_and_nothing_is_lost(
    customer: Customer, provider: Provider, hands: Hands
) -> None:
    hands.hold("beat")
    time.sleep(FLAG_SECONDS)  # a beat that was stopped within a tick may have left a flag
    began = time.monotonic()
    ordered = [customer.create(VIDEO, f"no clock {number}") for number in range(5)]
    assert wait_until(lambda: sum(provider.bought(name) for name in ordered) == 5, 10)
    assert time.monotonic() - began < 5
    time.sleep(max(0.0, began + 2 * MINUTE - time.monotonic()))
    hands.let_go("beat")
    assert_delivered_once(customer, provider, ordered)
    assert not Generation.objects.filter(pk__in=ordered).exclude(state=State.COMPLETED).exists()
