"""The lifecycle against its model: any order of verbs, by workers with live and stale leases.

After every step all generations, their attempts, events, entries and wallets are exactly what the
model says, so a verb that was fenced off wrote nothing. Every example ends with a drain: nothing
stays open, nothing stays charged undelivered, and the two checks of the product find nothing.
"""

from __future__ import annotations

import copy
import uuid
from contextlib import suppress

import psycopg
from django.conf import settings
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

from accounts.models import ApiKey
from common import due
from credits import ledger
from credits.check import check_ledger
from credits.models import Wallet
from generation import lifecycle
from generation.check import check_generations
from generation.creation import InsufficientCredits, Order, create
from generation.lifecycle import NotCancelable
from generation.models import CatalogModel, Generation
from generation.states import OPEN, TERMINAL, State
from tests.generation import lifecycle_rows as found
from tests.generation.conftest import age, make_due
from tests.generation.lifecycle_model import MEANING, ONWARDS, Row, allows, sensible
from tests.machines import profile, start_over
from tests.people import Person, make_person

TABLES = [f"generation_{name}" for name in ("generationevent", "attempt", "generation")]
TABLES.append("credits_ledgerentry")
CREDITS = 2000
PICK, CHOICE = st.integers(0, 7), st.integers(0, 20)


class LifecycleMachine(RuleBasedStateMachine):
    """Two customers; any number of workers, each being what it claimed once."""

    owner: psycopg.Connection
    people: list[tuple[Person, ApiKey]]
    catalog: dict[str, CatalogModel]

    def __init__(self) -> None:
        super().__init__()
        start_over(self.owner, *TABLES)
        for person, _ in self.people:
            ledger.grant(person.account.pk, CREDITS, description="for the example")
        self.rows: dict[uuid.UUID, Row] = {}
        self.holds: list[Generation] = []  # what workers believe to have, newest last
        self.leases: set[uuid.UUID] = set()

    @initialize()
    def begin(self) -> None:
        self.order(0, "veo3_fast")

    @rule(who=st.integers(0, 1), model=st.sampled_from(["image", "veo3_fast"]))
    def order(self, who: int, model: str) -> None:
        sold = self.catalog[model]
        order = Order(self.people[who][1], sold, "a fox", sold.shapes[0])
        with suppress(InsufficientCredits):  # the wallets are compared after every step
            self.rows[create(order).generation_id] = Row(who, sold.kind, sold.price)

    @rule(
        states=st.sampled_from([OPEN, OPEN, (State.QUEUED,), (State.RUNNING, State.STORING)]),
        limit=st.sampled_from([1, 2, 10]),
    )
    def claim(self, states: tuple[State, ...], limit: int) -> None:
        """Due rows and nothing else, as many as possible, of the suspects one."""
        wanted = {pk for pk, row in self.rows.items() if row.due and row.state in states}
        suspects = {pk for pk in wanted if self.rows[pk].strikes >= due.SUSPECT}
        got = due.claim(Generation, states, limit, settings.LEASE)
        claimed = {generation.pk for generation in got}
        assert claimed <= wanted
        assert len(claimed) == len(got) == min(limit, len(wanted - suspects) + bool(suspects))
        assert len(claimed & suspects) == bool(suspects)
        tokens = {generation.lease_token for generation in got}
        assert len(tokens) <= 1
        assert not tokens & self.leases
        for generation in got:
            assert generation.lease_token is not None
            row = self.rows[generation.pk]
            row.lease, row.due, row.strikes = generation.lease_token, False, row.strikes + 1
            self.leases.add(generation.lease_token)
        self.holds += got

    @rule(pick=PICK, choices=st.lists(CHOICE, min_size=2, max_size=6))
    def go_on(self, pick: int, choices: list[int]) -> None:
        """What mostly happens: a row is claimed when it is due, and gets further."""
        pk = self._row(pick)
        row = self.rows[pk]
        for choice in choices:
            if row.is_open and (row.lease is None or row.due):
                self._comes_due(pk)
                self.claim(OPEN, 100)
            hold = next((each for each in self.holds if row.held_by(each.lease_token)), None)
            if hold is not None:
                verbs = ONWARDS[row.state]
                self._call(verbs[choice % len(verbs)], hold)

    @precondition(lambda self: self.holds)
    @rule(pick=PICK, choice=CHOICE)
    def work(self, pick: int, choice: int) -> None:
        """A worker does anything that the row's state allows."""
        hold = self._hold(pick)
        verbs = sensible(self.rows[hold.pk])
        if verbs:
            self._call(verbs[choice % len(verbs)], hold)

    @precondition(lambda self: self.holds)
    @rule(pick=PICK, verb=st.sampled_from(sorted(MEANING)))
    def work_nonsense(self, pick: int, verb: str) -> None:
        """A worker does what it should not, or comes back too late."""
        hold = self._hold(pick)
        # its only caller asks for the state it claimed, and so do we
        if verb != "give_up_waiting" or hold.state == State.SUBMIT_UNKNOWN:
            self._call(verb, hold)

    @precondition(lambda self: self.holds)
    @rule(pick=PICK, choice=CHOICE)
    def come_back_too_late(self, pick: int, choice: int) -> None:
        """A worker slept until another one had its row, and goes on as if nothing had been."""
        hold = self._hold(pick)
        if self.rows[hold.pk].is_open:
            self._comes_due(hold.pk)
            self.claim(OPEN, 100)
            verbs = sensible(self.rows[hold.pk])
            self._call(verbs[choice % len(verbs)], hold)

    @precondition(lambda self: self.holds)
    @rule(pick=PICK, choice=CHOICE)
    def die_before_the_commit(self, pick: int, choice: int) -> None:
        """Whatever the verb had done by then, nothing of it is left."""
        before = copy.deepcopy(self.rows)
        with transaction.atomic():
            self.work(pick, choice)
            transaction.set_rollback(True)
        self.rows = before

    @rule(pick=PICK, event=st.sampled_from(["cancel", "deadline", "time"]))
    def nobody_asked_a_worker(self, pick: int, event: str) -> None:
        """The customer cancels, the deadline passes, a poll comes due or a lease is over."""
        pk = self._row(pick)
        row = self.rows[pk]
        if event == "cancel":
            self._cancel(pk, row)
        elif row.is_open and event == "deadline":
            age(str(pk), deadline_at="-1 second")
            row.overdue = True
        elif row.is_open:
            self._comes_due(pk)

    def _cancel(self, pk: uuid.UUID, row: Row) -> None:
        answer: bool | None = None
        with suppress(NotCancelable):
            answer = lifecycle.cancel(pk)
        if row.state == State.QUEUED and row.unknown == 0:
            assert answer is True
            row.end(State.CANCELED)
        else:
            assert answer is (False if row.state == State.CANCELED else None)

    def teardown(self) -> None:
        """Everything comes to an end when there is nobody but one good worker."""
        while open_rows := [pk for pk, row in self.rows.items() if row.is_open]:
            for pk in open_rows:
                self._comes_due(pk)
            self.claim(OPEN, 100)
            for hold in self.holds:
                row = self.rows[hold.pk]
                if row.held_by(hold.lease_token):
                    self._call("complete" if row.state == State.STORING else "fail", hold)
        self.the_rows_are_what_the_model_says()
        assert not Generation.objects.exclude(state__in=TERMINAL).exists()
        assert check_ledger().differences == check_generations().differences == []

    def _comes_due(self, pk: uuid.UUID) -> None:
        make_due(str(pk))
        self.rows[pk].due = True

    def _hold(self, pick: int) -> Generation:
        """Mostly one whose lease is good, if there is any."""
        live = [hold for hold in self.holds if self.rows[hold.pk].held_by(hold.lease_token)]
        among = live if live and pick > 1 else self.holds
        return among[-1 - pick % len(among)]

    def _row(self, pick: int) -> uuid.UUID:
        return list(self.rows)[-1 - pick % len(self.rows)]

    def _call(self, verb: str, hold: Generation) -> None:
        row = self.rows[hold.pk]
        expected = allows(verb, row, hold.lease_token)
        if verb == "begin_attempt":
            attempt = lifecycle.begin_attempt(hold, "project", "here", "veo")
            if expected or attempt is None:
                assert (attempt is not None) == expected
            else:  # the same intent again, as after a COMMIT without an answer
                assert (row.state, attempt.outcome) == (State.SUBMITTING, "asked")
                assert row.held_by(hold.lease_token)
                assert attempt.number == len(row.attempts)
        else:
            assert found.VERBS[verb](hold) is expected, f"{verb} from {row.state}"
        if expected:
            MEANING[verb][1](row)

    @invariant()
    def the_rows_are_what_the_model_says(self) -> None:
        rows = self.rows.items()
        accounts = [person.account.pk for person, _ in self.people]
        assert found.generations() == {pk: row.shown(accounts[row.who]) for pk, row in rows}
        assert found.attempts() == {
            pk: list(enumerate(row.attempts, 1)) for pk, row in rows if row.attempts
        }
        assert found.events() == {pk: list(enumerate(row.events, 1)) for pk, row in rows}
        assert found.entries() == {
            pk: [("charge", -row.price)] + [("refund", row.price)] * row.is_refunded
            for pk, row in rows
        }
        purses = {who: [CREDITS, 0] for who in accounts}
        for row in self.rows.values():
            purses[accounts[row.who]][0] -= 0 if row.is_refunded else row.price
            purses[accounts[row.who]][1] += row.is_open
        wallets = Wallet.objects.values_list("account", "balance", "open_charges")
        assert {who: money for who, *money in wallets} == purses


def test_any_order_of_the_lifecycles_verbs(admin_connection: psycopg.Connection) -> None:
    people = [make_person(name, 0) for name in ("alice", "bob")]

    class Machine(LifecycleMachine):
        owner = admin_connection

    Machine.people = [
        (person, ApiKey.objects.select_related("account").get(account=person.account))
        for person in people
    ]
    Machine.catalog = CatalogModel.objects.in_bulk()
    run_state_machine_as_test(Machine, settings=profile(max_examples=25, steps=25))
