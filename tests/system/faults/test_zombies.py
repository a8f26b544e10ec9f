"""A process that was stopped past its lease comes back with an answer, and writes nothing.

Four of them, one a stage, each stopped in the middle of a call: the provider is stopped until the
row is leased, so the call is under way, however fast or slow the machine is.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.db.models.functions import Now

from dev.embedded.processes import wait_until
from generation.models import Attempt, Generation
from generation.models.states import State
from tests.e2e.conftest import Provider
from tests.e2e.customer import VIDEO, Customer
from tests.system.faults.conftest import assert_delivered_once
from tests.system.faults.process_controls import Hands

SPARE = "spare"
STAGES = ("prepare", "submit", "poll", "store")


def row(name: str) -> Generation:
    return Generation.objects.get(pk=name)


def reaches(name: str, state: State) -> None:
    assert wait_until(lambda: row(name).state == state, 30), row(name).state


def stop_in_the_middle(hands: Hands, stage: str, name: str, state: State) -> uuid.UUID:
    """The stage's process holds a lease on the row and waits for an answer; the lease."""
    hands.hold("emulator")
    hands.let_go(stage)
    assert wait_until(lambda: row(name).state == state and bool(row(name).lease_token), 30)
    time.sleep(0.2)  # after the claim, the question is sent
    hands.hold(stage)
    hands.let_go("emulator")
    token = row(name).lease_token
    assert token is not None
    return token


def everything(names: list[str]) -> dict[str, Any]:
    """All that a worker could have written, by table, row and column."""
    kept: dict[str, Any] = {}
    found: dict[str, Iterable[Any]] = {
        "generation": Generation.objects.filter(pk__in=names).values(),
        "attempt": Attempt.objects.filter(generation_id__in=names).values(),
    }
    for table, rows in found.items():
        for columns in rows:
            columns.pop("next_look_at", None)  # the sweep's, on its own lease
            kept |= {f"{table} {columns['id']} {name}": columns[name] for name in columns}
    return kept | {f"{name} events": row(name).events.count() for name in names}


def test_zombies_of_all_stages_write_nothing(
    customer: Customer, provider: Provider, hands: Hands
) -> None:
    hands.hold("store")
    stored = customer.create(VIDEO, "stopped while its file is fetched")
    reaches(stored, State.STORING)
    leases = {stored: stop_in_the_middle(hands, "store", stored, State.STORING)}

    hands.hold("poll")
    polled = customer.create(VIDEO, "stopped while it is looked at")
    reaches(polled, State.RUNNING)
    leases[polled] = stop_in_the_middle(hands, "poll", polled, State.RUNNING)

    hands.hold("submit")
    asked = customer.create(VIDEO, "stopped while the provider is asked")
    leases[asked] = stop_in_the_middle(hands, "submit", asked, State.SUBMITTING)
    assert wait_until(lambda: provider.bought(asked) == 1, 10)  # the answer waits for the zombie

    hands.hold("prepare")
    image = f"{provider.url}/sample-images/square.png"
    pictured = customer.create(VIDEO, "stopped while it is fetched", source_image_urls=[image])
    leases[pictured] = stop_in_the_middle(hands, "prepare", pictured, State.QUEUED)

    # another worker takes each of them over, and is in the middle of it, too, until its call ends
    hands.hold("emulator")
    held = Generation.objects.filter(pk__in=leases)
    assert wait_until(lambda: not held.filter(next_attempt_at__gt=Now()).exists(), 40)
    hands.add_worker(SPARE, STAGES)
    left = dict(leases)

    def are_all_taken_over() -> bool:
        for name, token in list(left.items()):
            if row(name).lease_token not in (None, token):
                del left[name]
        return not left

    assert wait_until(are_all_taken_over, 40), [row(name).state for name in left]
    hands.hold(SPARE)
    hands.let_go("emulator")
    taken = list(leases)
    # its leases get long, so that from here on only a zombie could touch the rows
    later = Now() + timedelta(hours=1)
    Generation.objects.filter(pk__in=taken).update(next_attempt_at=later)
    Generation.objects.filter(pk=pictured).update(images_until=later)
    before = everything(taken)

    hands.let_go(*STAGES)
    new = customer.create(VIDEO, "the zombies work again")
    reaches(new, State.COMPLETED)  # each of them has gone on, with its old answer first
    after = everything(taken)
    assert {name: after[name] for name in after if after[name] != before.get(name)} == {}

    # whatever the spare had just given back, or has to ask again, is due now
    still_open = Generation.objects.filter(pk__in=taken, next_attempt_at__isnull=False)
    assert still_open.update(next_attempt_at=Now()) == len(taken)
    hands.let_go(SPARE)
    assert_delivered_once(customer, provider, [*taken, new])
