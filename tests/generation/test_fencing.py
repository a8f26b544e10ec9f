"""A worker that lost its lease writes nothing, whichever verb it calls."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import pytest

from credits.models import Wallet
from generation import lifecycle, waiting
from generation.models import Attempt, Generation
from generation.models.states import OPEN, TERMINAL, State
from tests.support.bring_to import ROUTE, claimed, reached
from tests.support.people import Person

Verb = Callable[[Generation], bool]


def everything(generation: Generation) -> Any:
    """All that a verb could write."""
    row = Generation.objects.filter(pk=generation.pk).values().get()
    attempts = list(Attempt.objects.filter(generation=generation).values())
    wallet = Wallet.objects.filter(account=generation.account_id).values().get()
    return row, attempts, list(generation.events.values()), wallet


def attempt_or_none(generation: Generation) -> Attempt:
    return generation.attempts.order_by("-number").first() or Attempt(pk=0)


VERBS: dict[str, Verb] = {
    "begin_attempt": lambda g: lifecycle.begin_attempt(g, ROUTE) is not None,
    "accept": lambda g: lifecycle.accept(g, attempt_or_none(g), "operations/new", 25),
    "requeue": lambda g: lifecycle.requeue(g, attempt_or_none(g), 1, "d"),
    "doubt": lambda g: lifecycle.doubt(g, attempt_or_none(g), "d", 900),
    "give_up_waiting": lifecycle.give_up_waiting,
    "adopt": lambda g: lifecycle.adopt(g, "gs://x", attempt_or_none(g)),
    "complete": lambda g: lifecycle.complete(g, output_key="k"),
    "fail": lambda g: lifecycle.fail(g, "timeout", "m", attempt=attempt_or_none(g)),
    "postpone": lambda g: waiting.postpone(g, 1, "d"),
}
FROM: dict[str, set[State]] = {
    "begin_attempt": {State.QUEUED},
    "accept": {State.SUBMITTING},
    "requeue": {State.SUBMITTING},
    "doubt": {State.SUBMITTING},
    "give_up_waiting": {State.SUBMIT_UNKNOWN},
    "adopt": {State.SUBMITTING, State.SUBMIT_UNKNOWN, State.RUNNING},
    "complete": {State.STORING},
    "fail": set(OPEN),
    "postpone": set(OPEN),
}


@pytest.mark.parametrize("state", [*OPEN, *TERMINAL])
def test_no_verb_writes_without_the_lease_or_from_a_wrong_state(
    state: State, alice: Person
) -> None:
    generation = reached(alice, state)
    before = everything(generation)
    held = generation.lease_token
    for name, verb in VERBS.items():
        for lease in (uuid.uuid4(), None):  # somebody else's, or none
            generation.lease_token = lease
            assert not verb(generation), (name, lease)
        generation.lease_token = held
        if state not in FROM[name]:
            assert not verb(generation), name
    assert everything(generation) == before


@pytest.mark.parametrize(
    ("state", "verb"),
    [(state, verb) for verb, states in FROM.items() for state in sorted(states)],
)
def test_a_worker_that_comes_back_too_late_writes_nothing(
    state: State, verb: str, alice: Person
) -> None:
    zombie = reached(alice, state)
    claimed(zombie)  # its lease was over, another worker has it now
    before = everything(zombie)
    assert not VERBS[verb](zombie)
    assert everything(zombie) == before


def test_a_second_submission_that_is_lost_needs_the_lease_too(alice: Person) -> None:
    generation = reached(alice, State.SUBMIT_UNKNOWN)
    Generation.objects.filter(pk=generation.pk).update(unknown_attempts=2)
    generation.unknown_attempts = 2
    zombie = generation
    claimed(generation)
    assert not lifecycle.give_up_waiting(zombie)
    assert Generation.objects.get(pk=zombie.pk).state == State.SUBMIT_UNKNOWN
