"""Receivers that hang hold up nobody: measured at one that answers."""

from __future__ import annotations

import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connections

from events.models import WebhookDelivery
from generation.models.states import State
from tests.support.bring_to import reached
from tests.support.deliveries import endpoint_of
from tests.support.people import Person, make_person
from tests.support.receiver import Receiver
from webhooks import due, payload
from webhooks.send import SECONDS
from webhooks.stage import DeliverStage
from work.engine import Engine

DEAD = 60
EVERY = 0.3  # seconds between two ends
BOUND = 3.0


@pytest.fixture
def hanging() -> Iterator[str]:
    """The origin of a host that takes connections and says nothing."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(512)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


def ends_until(over: threading.Event, person: Person) -> None:
    """Generations of the person's that end one after another."""
    try:
        while not over.wait(EVERY):
            reached(person, State.CANCELED, model="image")
    finally:
        connections.close_all()


@pytest.mark.parametrize("is_prompt", [True, None])
def test_sixty_dead_receivers_hold_up_nobody(
    is_prompt: bool | None, hooks: Receiver, hanging: str, settings: Any, bob: Person
) -> None:
    """Nor one that is new."""
    settings.WEBHOOK_ALLOWED_ORIGINS = frozenset({hooks.url, hanging})
    for number in range(DEAD // 10):
        person = make_person(f"dead{number}")
        for place in range(10):
            endpoint_of(person, url=f"{hanging}/{place}", is_prompt=False)
        for _ in range(2):
            reached(person, State.CANCELED, model="image")
    endpoint_of(bob, url=hooks.hook("bob"), is_prompt=is_prompt)
    stage = DeliverStage()
    stage.patience = 0.0  # what hangs at the end of the test is handed back
    over, until, engine = threading.Event(), time.monotonic() + SECONDS + 3, Engine()
    ends = threading.Thread(target=ends_until, args=(over, bob))
    ends.start()
    try:
        engine.run(stage, SECONDS, lambda: time.monotonic() > until)
    finally:
        over.set()
        ends.join()
        engine.close()
    rows = WebhookDelivery.objects.filter(account=bob.account)
    sent = {payload.shown_id(row.event_id): row.created_at.timestamp() for row in rows}
    waited = sorted(got["at"] - sent[got["id"]] for got in hooks.received("bob"))
    assert len(waited) > SECONDS / EVERY / 3
    assert waited[int(len(waited) * 0.95)] < BOUND, waited
    tried = WebhookDelivery.objects.exclude(account=bob.account).filter(attempts_made__gt=0)
    assert due.OF_SLOW - 2 <= tried.count() <= due.OF_SLOW
    assert max(Counter(tried.values_list("target", flat=True)).values()) <= due.OF_A_TARGET
