"""The lifecycle against its model: any order of verbs, by workers with live and stale leases.

After every step all generations, attempts, events, entries and wallets are exactly what the model
says, so a fenced verb wrote nothing. Every example ends with a drain: nothing stays open or charged
undelivered, and both checks of the product find nothing.
"""

from __future__ import annotations

import copy
import uuid

import psycopg
from django.db import transaction
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from credits.books import check_ledger
from generation.books import check_generations
from generation.interventions import PaidBy
from generation.models import Generation
from generation.models.states import OPEN, TERMINAL, State
from tests.support.lifecycle_model import MEANING, ONWARDS, sensible
from tests.support.lifecycle_world import World
from tests.support.machines import profile
from tests.support.people import Person, make_person

PICK, CHOICE = st.integers(0, 7), st.integers(0, 20)
SOMEBODY_HOLDS = precondition(lambda self: self.world.holds)


class LifecycleMachine(RuleBasedStateMachine):
    """What may happen, in any order; each rule picks a row or a worker by a small number."""

    owner: psycopg.Connection
    people: list[Person]

    def __init__(self) -> None:
        super().__init__()
        self.world = World(self.owner, self.people)

    @initialize()
    def begin(self) -> None:
        self.world.order(0, "veo3_fast")

    @rule(who=st.integers(0, 1), model=st.sampled_from(["image", "veo3_fast"]))
    def order(self, who: int, model: str) -> None:
        self.world.order(who, model)

    @rule(
        states=st.sampled_from([OPEN, OPEN, (State.QUEUED,), (State.RUNNING, State.STORING)]),
        limit=st.sampled_from([1, 2, 10]),
    )
    def claim(self, states: tuple[State, ...], limit: int) -> None:
        self.world.claim(states, limit)

    @rule(deaths=st.integers(1, 4))
    def workers_die(self, deaths: int) -> None:
        """All are claimed and lost, until rows are suspected of killing their workers."""
        for _ in range(deaths):
            for pk in self.world.rows:
                self.world.comes_due(pk)
            self.world.claim()

    @rule(
        pick=PICK,
        choices=st.lists(CHOICE, min_size=1, max_size=5),
        event=st.sampled_from(["nothing", "cancel", "deadline", "by hand"]),
        last=CHOICE,
    )
    def go_on(self, pick: int, choices: list[int], event: str, last: int) -> None:
        """What mostly happens: a row is claimed when it is due, gets further, and then …"""
        pk = self._row(pick)
        for choice in choices:
            self._step(pk, choice)
        self._happens(pk, event)
        self._step(pk, last)

    @SOMEBODY_HOLDS
    @rule(pick=PICK, choice=CHOICE)
    def work(self, pick: int, choice: int) -> None:
        """A worker does anything that the row's state allows."""
        self._work(self._hold(pick), choice)

    @SOMEBODY_HOLDS
    @rule(pick=PICK, choice=CHOICE)
    def work_nonsense(self, pick: int, choice: int) -> None:
        """A worker does what the row's state does not allow."""
        hold = self._hold(pick)
        verbs = sorted(set(MEANING) - set(sensible(self.world.rows[hold.pk])))
        verb = verbs[choice % len(verbs)]
        self.world.call(verb, hold)

    @SOMEBODY_HOLDS
    @rule(pick=PICK, choice=CHOICE)
    def come_back_too_late(self, pick: int, choice: int) -> None:
        """A worker slept until another one had its row, and goes on as if nothing had been."""
        hold = self._hold(pick)
        self.world.comes_due(hold.pk)
        self.world.claim()
        self._work(hold, choice)

    @SOMEBODY_HOLDS
    @rule(pick=PICK, choice=CHOICE)
    def die_before_the_commit(self, pick: int, choice: int) -> None:
        """Whatever the verb had done by then, nothing of it is left."""
        before = copy.deepcopy(self.world.rows)
        with transaction.atomic():
            self._work(self._hold(pick), choice)
            transaction.set_rollback(True)
        self.world.rows = before

    @rule(pick=PICK, event=st.sampled_from(["cancel", "deadline", "time", "by hand"]))
    def nobody_asked_a_worker(self, pick: int, event: str) -> None:
        """The customer cancels, the deadline passes, a look comes due, a lease or all is over."""
        self._happens(self._row(pick), event)

    @rule(pick=PICK, paid_by=st.sampled_from(["charge", "grant"]))
    def try_again(self, pick: int, paid_by: PaidBy) -> None:
        """An operator orders once more what was not delivered, and what was."""
        self.world.try_again(self._row(pick), paid_by)

    @invariant()
    def the_rows_are_what_the_model_says(self) -> None:
        self.world.compare()

    def teardown(self) -> None:
        """Everything comes to an end when there is nobody but one good worker."""
        world = self.world
        while open_rows := [pk for pk, row in world.rows.items() if row.is_open]:
            for pk in open_rows:
                world.comes_due(pk)
            world.claim()
            for pk in open_rows:
                if (hold := world.holder(pk)) is not None:
                    is_stored = world.rows[pk].state == State.STORING
                    world.call("complete" if is_stored else "fail", hold)
        world.compare()
        assert not Generation.objects.exclude(state__in=TERMINAL).exists()
        assert check_ledger().differences == check_generations().differences == []

    def _row(self, pick: int) -> uuid.UUID:
        return list(self.world.rows)[-1 - pick % len(self.world.rows)]

    def _hold(self, pick: int) -> Generation:
        """Mostly one whose lease is good, if there is any."""
        live = [hold for pk in self.world.rows if (hold := self.world.holder(pk)) is not None]
        among = live if live and pick > 1 else self.world.holds
        return among[-1 - pick % len(among)]

    def _work(self, hold: Generation, choice: int) -> None:
        verbs = sensible(self.world.rows[hold.pk])
        if verbs:
            self.world.call(verbs[choice % len(verbs)], hold)

    def _step(self, pk: uuid.UUID, choice: int) -> None:
        row = self.world.rows[pk]
        if row.is_open and (row.lease is None or row.due):
            self.world.comes_due(pk)
            self.world.claim()
        if (hold := self.world.holder(pk)) is not None:
            verbs = ONWARDS[row.state]
            self.world.call(verbs[choice % len(verbs)], hold)

    def _happens(self, pk: uuid.UUID, event: str) -> None:
        if event == "cancel":
            self.world.cancel(pk)
        elif event == "deadline":
            self.world.passes_its_deadline(pk)
        elif event == "by hand":
            self.world.end_by_hand(pk)
        elif event == "time":
            self.world.comes_due(pk)


def test_any_order_of_the_lifecycles_verbs(admin_connection: psycopg.Connection) -> None:
    class Machine(LifecycleMachine):
        owner = admin_connection
        people = [make_person(name, 0) for name in ("alice", "bob")]

    run_state_machine_as_test(Machine, settings=profile(max_examples=25, steps=25))
