"""Success × deadline × cancel × operator, in every order, each having decided before the others.

Each has read the open row before any writes. They come to the lock in a given order, 18 from a
storing row and 6 from a queued one; the first commits or rolls back. A cancel never comes first
to a storing row.
"""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import permutations
from typing import Any

import psycopg
import pytest
from django.db import connection, connections, transaction

from credits.books import check_ledger
from credits.models import LedgerEntry, Wallet
from generation import interventions, lifecycle
from generation.books import check_generations
from generation.interventions import NotAllowed
from generation.lifecycle import NotCancelable
from generation.models import Generation, GenerationEvent
from generation.models.states import OPEN, State
from tests.support.bring_to import kept, reached
from tests.support.people import Person, make_person

PATIENCE = 20.0  # seconds, for a busy machine


def by_hand(row: Generation) -> bool:
    """An operator ends it, with whom it was made for as the actor."""
    assert row.created_by is not None
    interventions.fail_and_refund(row, actor=row.created_by, reason="by hand")
    return True


# What each party does with the row as it has read it.
PARTIES: dict[str, Callable[[Generation, dict[str, Any]], bool]] = {
    "success": lambda row, output: lifecycle.complete(row, **output),
    "deadline": lambda row, output: lifecycle.fail(row, "timeout", "Too late", retryable=True),
    "cancel": lambda row, output: lifecycle.cancel(row.pk),
    "operator": lambda row, output: by_hand(row),
}
ENDS = {
    "success": (State.COMPLETED, ""),
    "deadline": (State.FAILED, "timeout"),
    "cancel": (State.CANCELED, ""),
    "operator": (State.FAILED, "provider_error"),
}
# Who may come to the lock, and who of them may get its way.
ALL = {
    State.QUEUED: {"deadline", "cancel", "operator"},
    State.STORING: {"success", "deadline", "cancel", "operator"},
}
ABLE = {State.QUEUED: ALL[State.QUEUED], State.STORING: ALL[State.STORING] - {"cancel"}}
FIRSTS = [(state, first) for state, able in ABLE.items() for first in sorted(able)]
REFUSED = (False, NotCancelable, NotAllowed)


class Party:
    """A thread in a transaction: reads, says so, and writes when it is told to."""

    def __init__(self, name: str, pk: uuid.UUID, output: dict[str, Any], commits: bool) -> None:
        self.name = name
        self.answer: Any = None
        self.has_read, self.may_write = threading.Event(), threading.Event()
        self.has_written, self.may_end = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, args=(pk, output, commits))
        self._thread.start()

    def _run(self, pk: uuid.UUID, output: dict[str, Any], commits: bool) -> None:
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute("SET LOCAL lock_timeout = 0; SET LOCAL statement_timeout = 0")
                row = Generation.objects.get(pk=pk)
                assert row.state in OPEN
                self.has_read.set()
                self.may_write.wait(PATIENCE)
                self.answer = self._write(row, output)
                self.has_written.set()
                self.may_end.wait(PATIENCE)
                transaction.set_rollback(not commits)
        except Exception as error:  # noqa: BLE001 - the test compares it
            self.answer = error
        finally:
            self.has_written.set()
            connections.close_all()

    def _write(self, row: Generation, output: dict[str, Any]) -> Any:
        try:
            return PARTIES[self.name](row, output)
        except (NotCancelable, NotAllowed) as refusal:
            return type(refusal)

    def end(self) -> None:
        for event in (self.may_write, self.may_end):
            event.set()
        self._thread.join(PATIENCE)


@contextmanager
def all_decided(
    order: Sequence[str], pk: uuid.UUID, output: dict[str, Any], first_commits: bool
) -> Iterator[list[Party]]:
    """The parties in their order, each in its transaction, the row read and nothing written."""
    parties = [Party(name, pk, output, first_commits or name != order[0]) for name in order]
    try:
        for party in parties:
            assert party.has_read.wait(PATIENCE)
        yield parties
    finally:
        for party in parties:
            party.end()


def wait_for_waiting(observer: psycopg.Connection, count: int) -> None:
    """Return once so many sessions of this database wait for a lock."""
    ends = time.monotonic() + PATIENCE
    statement = (
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    while observer.execute(statement).fetchone() != (count,):
        assert time.monotonic() < ends, "somebody did not wait"
        time.sleep(0.002)


def run(
    order: Sequence[str], row: Generation, observer: psycopg.Connection, *, first_commits: bool
) -> dict[str, Any]:
    """What each party was answered when they came to the lock in ``order``."""
    output = kept(row)
    with all_decided(order, row.pk, output, first_commits) as (first, *others):
        first.may_write.set()
        assert first.has_written.wait(PATIENCE)
        assert first.answer is True
        for count, party in enumerate(others, 1):
            party.may_end.set()  # as soon as it has written
            party.may_write.set()
            wait_for_waiting(observer, count)
        first.may_end.set()
    return {party.name: party.answer for party in (first, *others)}


def assert_ended_once(pk: uuid.UUID, winner: str, person: Person, balance: int) -> None:
    """One terminal state, one terminal event, and a refund if and only if nothing was delivered."""
    row = Generation.objects.get(pk=pk)
    assert (row.state, row.error_code) == ENDS[winner]
    ends = GenerationEvent.objects.filter(generation=pk, is_terminal=True)
    assert [event.state for event in ends] == [row.state]
    refunded = row.state != State.COMPLETED
    kinds = LedgerEntry.objects.filter(generation_id=pk).order_by("sequence")
    assert [entry.kind for entry in kinds] == ["charge", "refund"][: 1 + refunded]
    wallet = Wallet.objects.get(account=person.account)
    assert wallet.balance == balance - (0 if refunded else row.price)
    assert wallet.open_charges == 0
    assert check_ledger().differences == check_generations().differences == []


@pytest.fixture
def rich() -> Person:
    return make_person("rich", 10_000)


@pytest.mark.parametrize(("state", "first"), FIRSTS)
def test_whoever_comes_first_ends_it_and_all_others_are_refused(
    state: State, first: str, rich: Person, admin_connection: psycopg.Connection
) -> None:
    for others in permutations(sorted(ALL[state] - {first})):
        balance = rich.balance
        row = reached(rich, state)
        answers = run([first, *others], row, admin_connection, first_commits=True)
        assert answers.pop(first) is True
        assert all(answer in REFUSED for answer in answers.values()), (others, answers)
        assert_ended_once(row.pk, first, rich, balance)


@pytest.mark.parametrize(("state", "first"), FIRSTS)
def test_when_the_first_one_is_lost_exactly_one_other_ends_it(
    state: State, first: str, rich: Person, admin_connection: psycopg.Connection
) -> None:
    """Nothing of the lost transaction is left, and nobody takes it for done."""
    for others in permutations(sorted(ALL[state] - {first})):
        balance = rich.balance
        row = reached(rich, state)
        answers = run([first, *others], row, admin_connection, first_commits=False)
        del answers[first]
        winners = [name for name, answer in answers.items() if answer is True]
        assert len(winners) == 1, (others, answers)
        assert winners[0] in ABLE[state]
        assert all(answers[name] in REFUSED for name in answers if name not in winners), answers
        assert_ended_once(row.pk, winners[0], rich, balance)
