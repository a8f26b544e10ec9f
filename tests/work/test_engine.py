"""The engine: slots are refilled, a row that fails in our own code harms no other one."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from generation.models import Generation, ProviderGate
from generation.models.states import State
from generation.provider.buyers import buyers
from generation.provider.readers import readers
from generation.stages.base import MAX_STRIKES, StageBase
from generation.tasks.poll import poll
from generation.tasks.store import store, sweep
from generation.tasks.submit import submit
from tests.generation.stages.test_submit import due_in, now, outcomes, refunded
from tests.support.bring_to import claimed, created, reached
from tests.support.people import Person
from tests.support.works import Emulator, Works, make_due
from work import process
from work.engine import Engine
from work.stage import Done, Step


class Line:
    """A stage over rows that are in no database; counts how many are under way at once."""

    name = "line"
    noun = "generation"
    gathers = False
    gap = 0.0
    keeps_claiming = 0.0
    patience = 0.0

    def __init__(self, rows: int, concurrency: int, broken: set[int] | None = None) -> None:
        self.waiting = [Generation() for _ in range(rows)]
        self.broken = {self.waiting[index].pk for index in broken or set()}
        self.concurrency = concurrency
        self.under_way = self.most = 0
        self.finished: list[Any] = []
        self.dropped: list[Any] = []
        self.handed_back: list[Any] = []

    def claim(self, limit: int) -> list[Generation]:
        claimed_now, self.waiting = self.waiting[:limit], self.waiting[limit:]
        return claimed_now

    def traces(self, rows: Sequence[Generation]) -> dict[Any, str]:
        return {}

    def start(self, generation: Generation) -> Step:
        return self._work(generation)

    async def _work(self, generation: Generation) -> str:
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        await asyncio.sleep(0.001)
        self.under_way -= 1
        if generation.pk in self.broken:
            raise ConnectionResetError
        return "done"

    def together(self, done: list[Done[Generation]]) -> list[Done[Generation]]:
        return done

    def finish(self, generation: Generation, outcome: Any) -> Step | None:
        if isinstance(outcome, Exception):
            raise outcome
        self.finished.append(generation.pk)
        return None

    def drop(self, generation: Generation, error: BaseException) -> None:
        self.dropped.append(generation.pk)

    def hand_back(self, generations: list[Generation]) -> None:
        self.handed_back += [generation.pk for generation in generations]


@pytest.fixture
def engine() -> Iterator[Engine]:
    """One of this test's own."""
    found = Engine()
    yield found
    found.close()


def test_free_slots_are_refilled_and_never_exceeded(engine: Engine) -> None:
    line = Line(rows=50, concurrency=8)
    assert engine.run(line, seconds=10) == 50
    assert (len(line.finished), line.most) == (50, 8)


def test_without_time_it_claims_once_and_ends(engine: Engine) -> None:
    line = Line(rows=50, concurrency=8)
    assert engine.run(line, seconds=0) == 8
    assert len(line.finished) == 8


def test_nothing_more_is_claimed_once_the_worker_is_told_to_end(engine: Engine) -> None:
    line = Line(rows=50, concurrency=8)
    assert engine.run(line, seconds=10, stopping=lambda: len(line.finished) >= 8) < 50
    assert not line.under_way
    assert line.waiting


def test_nothing_due_ends_at_once(engine: Engine) -> None:
    assert engine.run(Line(rows=0, concurrency=8), seconds=10) == 0


def test_one_that_raises_keeps_none_of_the_others(
    engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    line = Line(rows=10, concurrency=4, broken={0, 7})
    with caplog.at_level(logging.CRITICAL, "work.run"):
        assert engine.run(line, seconds=10) == 10
    assert set(line.dropped) == line.broken
    assert len(line.finished) == 8


def test_our_own_error_leaves_the_lease_and_the_other_rows_go_on(
    alice: Person, works: Works, emulator: Emulator, settings: Settings
) -> None:
    bad = created(alice).pk
    good = created(alice, model="image").pk
    settings.PROVIDER_MODELS = {"image": settings.PROVIDER_MODELS["image"]}
    works.run("submit")
    assert now(good).state == State.STORING
    assert (now(bad).state, now(bad).last_error) == (State.QUEUED, "KeyError: 'veo3_fast'")
    assert now(bad).lease_token is not None
    assert 80 < due_in(bad) <= 90
    assert works.run("submit") == 0  # not before its lease ends
    assert alice.balance == 1000 - 240 - 24


def test_a_poison_row_fails_after_five_strikes(
    alice: Person, works: Works, emulator: Emulator, settings: Settings
) -> None:
    pk = created(alice).pk
    settings.PROVIDER_MODELS = {}
    for strikes in range(1, MAX_STRIKES + 1):
        make_due()
        ProviderGate.objects.all().delete()  # its rate is another matter
        works.run("submit")
        assert (now(pk).state, now(pk).strikes) == (State.QUEUED, strikes)
    make_due()
    ProviderGate.objects.all().delete()
    works.run("submit")
    assert refunded(pk, "provider_error", alice)
    assert now(pk).last_error == "claimed 6 times without a write-back"
    assert "our side" in now(pk).error_message
    assert emulator.bought(str(pk)) == 0


@pytest.mark.parametrize("state", [State.RUNNING, State.STORING])
def test_a_row_that_kills_its_worker_each_time_fails_too(
    state: State, alice: Person, works: Works
) -> None:
    generation = reached(alice, state)
    while generation.strikes < MAX_STRIKES:
        generation = claimed(generation)
    make_due()
    works.run("poll" if state == State.RUNNING else "store")
    assert refunded(generation.pk, "provider_error", alice)


def test_a_write_back_forgets_the_strikes(alice: Person, works: Works) -> None:
    generation = created(alice, prompt="a fox [emulator:busy=1]")
    for _ in range(4):
        generation = claimed(generation)
    assert generation.strikes == 4
    make_due()
    works.run("submit")
    assert (now(generation.pk).strikes, outcomes(generation.pk)) == (0, ["not_accepted"])


def test_a_worker_dropping_a_row_it_lost_writes_nothing(alice: Person, works: Works) -> None:
    zombie = claimed(created(alice))
    claimed(zombie)
    StageBase(works.provider).drop(zombie, RuntimeError("late"))
    assert now(zombie.pk).last_error == ""


def test_a_stage_has_to_say_what_it_does(alice: Person, works: Works) -> None:
    with pytest.raises(NotImplementedError):
        StageBase(works.provider).work(created(alice))


@pytest.fixture
def one_pass(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], None]]:
    """The tasks as a worker process runs them, once each, with an engine of their own."""
    monkeypatch.setattr(process, "SECONDS", 0.0)
    process.engine.cache_clear()
    buyers.cache_clear()
    readers.cache_clear()

    def run() -> None:
        make_due()
        for task in (submit, poll, store, sweep):
            task()

    yield run
    loop = process.engine().loop
    for router in (buyers(), readers()):
        loop.run_until_complete(router.aclose())
    process.engine().close()
    process.engine.cache_clear()
    buyers.cache_clear()
    readers.cache_clear()


def test_the_tasks_make_a_picture(alice: Person, one_pass: Callable[[], None]) -> None:
    pk = created(alice, model="image").pk
    for _ in range(20):
        if now(pk).state == State.COMPLETED:
            break
        one_pass()
    assert now(pk).state == State.COMPLETED
