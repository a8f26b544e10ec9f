"""A run that is cut off, stopped or broken abandons no row that was not the cause."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from generation.backends.base import Produced
from generation.models import Generation, ProviderGate
from generation.models.states import State
from generation.stages.poll import PollStage
from generation.stages.prepare import PrepareStage
from generation.stages.submit import SubmitStage
from tests.generation.stages.test_submit import due_in, now, outcomes
from tests.support.bring_to import created, reached
from tests.support.people import Person
from tests.support.works import Emulator, Works, make_due
from tests.work.test_engine import Line
from work.engine import Engine
from work.stage import Step


class TimeIsUp(Exception):
    """As Celery's soft time limit: an Exception, and raised anywhere."""


@pytest.fixture
def engine() -> Iterator[Engine]:
    found = Engine()
    yield found
    found.close()


def is_free(pk: Any, strikes: int = 0) -> bool:
    """Due at once, leased to nobody, without a strike more than before."""
    row = now(pk)
    return (row.lease_token, row.strikes) == (None, strikes) and due_in(pk) <= 0


class CutOff(Line):
    """Its last row meets the end of the run: while it starts, waits or is written back."""

    def __init__(self, where: str) -> None:
        super().__init__(rows=6, concurrency=6)
        self.where, self.victim = where, self.waiting[-1].pk

    def start(self, generation: Generation) -> Step:
        if self.where == "start" and generation.pk == self.victim:
            raise TimeIsUp
        return super().start(generation)

    async def _work(self, generation: Generation) -> str:
        if generation.pk != self.victim:
            return await super()._work(generation)
        await asyncio.sleep(0.05)
        if self.where == "work":
            raise TimeIsUp
        return "done"

    def finish(self, generation: Generation, outcome: Any) -> Step | None:
        if self.where == "finish" and generation.pk == self.victim:
            self.where = "nowhere"  # once
            raise TimeIsUp
        return super().finish(generation, outcome)


@pytest.mark.parametrize("where", ["start", "work", "finish"])
def test_what_was_done_is_written_back_and_the_rest_handed_back(where: str, engine: Engine) -> None:
    line = CutOff(where)
    rows = {row.pk for row in line.waiting}
    with pytest.raises(TimeIsUp):
        engine.run(line, seconds=10, cut_off=TimeIsUp)
    assert set(line.finished) | set(line.handed_back) == rows
    assert not set(line.finished) & set(line.handed_back)
    assert line.dropped == []  # it was no fault of the row that met it
    if where != "start":
        assert set(line.finished) >= rows - {line.victim}
    assert not asyncio.all_tasks(engine.loop)


def test_a_row_of_which_our_own_code_broke_keeps_its_strike(engine: Engine) -> None:
    line = CutOff("work")
    line.broken = {line.waiting[0].pk}
    with pytest.raises(TimeIsUp):
        engine.run(line, seconds=10, cut_off=TimeIsUp)
    assert set(line.dropped) == line.broken
    assert not set(line.handed_back) & line.broken


class Broken(Line):
    """A claim that fails in our own code while rows are under way."""

    claims = 0

    def claim(self, limit: int) -> list[Generation]:
        self.claims += 1
        if self.claims > 1:
            raise ZeroDivisionError
        return super().claim(limit)

    async def _work(self, generation: Generation) -> str:
        await asyncio.sleep(60)
        return "done"


def test_a_run_that_breaks_hands_back_what_it_has(engine: Engine) -> None:
    line = Broken(rows=3, concurrency=6)
    rows = [row.pk for row in line.waiting]
    with pytest.raises(ZeroDivisionError):
        engine.run(line, seconds=10)
    assert line.handed_back == rows


class Endless(PrepareStage):
    def work(self, generation: Generation) -> Step | None:
        return asyncio.sleep(60)


def test_a_stop_hands_source_images_back_at_once(alice: Person, works: Works) -> None:
    orders = [created(alice, source_image_urls=["https://a.example/x.png"]) for _ in range(2)]
    turns = iter([False, False, True])
    assert works.engine.run(Endless(works.provider), 20, lambda: next(turns)) == 2
    assert all(is_free(order.pk) and now(order.pk).images_until for order in orders)


def test_the_end_of_a_long_run_hands_source_images_back(
    alice: Person, works: Works, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Endless, "keeps_claiming", 0.3)
    order = created(alice, source_image_urls=["https://a.example/x.png"])
    assert works.engine.run(Endless(works.provider), 0.0) == 1
    assert is_free(order.pk)


class CutOffPoll(PollStage):
    def work(self, generation: Generation) -> Step:
        async def answer() -> Any:
            if generation.prompt == "slow":
                await asyncio.sleep(60)
            if generation.prompt == "last":
                await asyncio.sleep(0.05)
                raise TimeIsUp
            return Produced("gs://x/y.mp4")

        return answer()


def test_a_soft_limit_loses_no_answer_of_others(alice: Person, works: Works) -> None:
    rows = {
        name: reached(alice, State.RUNNING, prompt=name).pk for name in ("quick", "slow", "last")
    }
    make_due()
    with pytest.raises(TimeIsUp):
        works.engine.run(CutOffPoll(works.provider), 10, cut_off=TimeIsUp)
    assert now(rows["quick"]).state == State.STORING
    for name in ("slow", "last"):
        assert now(rows[name]).state == State.RUNNING
        assert is_free(rows[name], strikes=1)  # from before


def test_who_is_being_asked_is_waited_for_and_nobody_bought_twice(
    alice: Person, bob: Person, works: Works, emulator: Emulator
) -> None:
    """The last row's start meets the limit; the ask before it is under way."""

    class CutOffSubmit(SubmitStage):
        def work(self, generation: Generation) -> Step | None:
            if generation.account_id == bob.account.pk:
                raise TimeIsUp
            return super().work(generation)

    asked, innocent = created(alice).pk, created(bob).pk
    with pytest.raises(TimeIsUp):
        works.engine.run(CutOffSubmit(works.provider), 10, cut_off=TimeIsUp)
    assert now(asked).state == State.RUNNING
    assert outcomes(asked) == ["accepted"]
    assert is_free(innocent)
    ProviderGate.objects.all().delete()
    works.run("submit")
    assert now(innocent).state == State.RUNNING
    assert emulator.bought(str(asked)) == emulator.bought(str(innocent)) == 1


def test_one_that_was_asked_for_and_cut_off_is_looked_for_at_once(
    alice: Person, works: Works, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Hanging(SubmitStage):
        patience = 0.0

        def claim(self, limit: int) -> list[Generation]:
            rows = super().claim(limit)
            if not rows:
                raise TimeIsUp
            return rows

    async def forever(request: Any) -> None:
        await asyncio.sleep(60)

    monkeypatch.setattr(works.provider.of("vertex"), "submit", forever)
    pk = created(alice).pk
    with pytest.raises(TimeIsUp):
        works.engine.run(Hanging(works.provider), 10, cut_off=TimeIsUp)
    assert (now(pk).state, now(pk).lease_token) == (State.SUBMITTING, None)
    assert due_in(pk) <= 0
    works.run("submit")
    assert (now(pk).state, now(pk).last_error) == (State.SUBMIT_UNKNOWN, "the worker was lost")
