"""Write-backs, switches and retries at once: nobody waits for whoever waits for him."""

from __future__ import annotations

import contextlib
from functools import partial

from django.db import transaction
from django.db.models.functions import Now

from events.models import (
    AttemptError,
    DisabledReason,
    WebhookAttempt,
    WebhookDelivery,
    WebhookEndpoint,
)
from generation import lifecycle
from generation.models.states import State
from tests.support.bring_to import created, reached
from tests.support.deliveries import endpoint_of
from tests.support.people import Person
from tests.support.racing import race
from webhooks import again, ending, switching
from webhooks.refusals import EndpointDisabled
from webhooks.send import Answer
from webhooks.stage import DeliverStage

ROUNDS = 15
ANSWERS = (
    Answer(200, None, 100),
    Answer(500, AttemptError.HTTP_STATUS, 100),
    Answer(410, AttemptError.HTTP_STATUS, 100),
    Answer(None, AttemptError.TIMEOUT, 15_000),
)


def work(answer: Answer) -> None:
    """Write back to whatever is due; nothing is sent."""
    for _ in range(ROUNDS):
        for claimed in DeliverStage().claim(2):
            ending.attempted(claimed, answer)
        make_due()


def make_due() -> None:
    """Time passes. It waits for no row, so that a deadlock is one of ours."""
    pending = WebhookDelivery.objects.filter(state="pending", lease_token=None)
    with transaction.atomic():
        rows = pending.select_for_update(skip_locked=True).values_list("pk", flat=True)
        WebhookDelivery.objects.filter(pk__in=list(rows)).update(next_attempt_at=Now())


def switch(endpoint: WebhookEndpoint) -> None:
    for _ in range(ROUNDS):
        switching.switch_off(endpoint.pk, DisabledReason.OPERATOR)
        switching.switch_on(endpoint.pk)


def send_again(endpoint: WebhookEndpoint) -> None:
    for number in range(ROUNDS):
        with contextlib.suppress(EndpointDisabled):
            again.recover(endpoint, endpoint.created_at)
            again.resend(WebhookDelivery.objects.order_by("id")[number % 8])


def end(person: Person) -> None:
    for _ in range(ROUNDS):
        lifecycle.cancel(created(person, model="image").pk)


def test_no_order_of_them_deadlocks(alice: Person) -> None:
    endpoint = endpoint_of(alice)
    for _ in range(8):
        reached(alice, State.CANCELED, model="image")
    calls = [partial(work, answer) for answer in ANSWERS]
    calls += [partial(switch, endpoint), partial(send_again, endpoint)] * 2
    calls += [partial(end, alice)]
    assert race(calls, at_once=len(calls)) == [None] * len(calls)
    for delivery in WebhookDelivery.objects.all():
        numbers = WebhookAttempt.objects.filter(delivery=delivery).values_list("number", flat=True)
        assert sorted(numbers) == list(range(1, delivery.attempts_made + 1))
