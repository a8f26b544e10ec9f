"""PostgreSQL goes away while a worker holds answers: they are kept and written later."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
from django.db import OperationalError, connection
from psycopg import sql
from pytest_django.fixtures import Settings

from generation import lifecycle
from generation.models import Attempt, Generation
from generation.models.states import State
from generation.stages.poll import PollStage
from generation.stages.store import StoreStage
from generation.stages.submit import SubmitStage
from tests.generation.stages.test_submit import due_in, now, outcomes
from tests.support.bring_to import attempt_of, created, reached
from tests.support.people import Person
from tests.support.works import Emulator, Works, make_due
from work.engine import Engine
from work.stage import Step

DATABASE_AWAY = 0.6  # seconds


class Outage:
    """Refuses every connection of the test's role and ends those there are."""

    def __init__(self, admin_url: str) -> None:
        self._admin_url = admin_url
        self._database = connection.settings_dict["NAME"]

    def begin(self) -> None:
        with psycopg.connect(self._admin_url, autocommit=True) as admin:
            self._allow(admin, "false")
            admin.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = %s AND usename <> current_user",
                [self._database],
            )

    def end(self) -> None:
        with psycopg.connect(self._admin_url, autocommit=True) as admin:
            self._allow(admin, "true")

    def last(self, seconds: float) -> None:
        """Begin, and end by itself."""
        self.begin()
        threading.Timer(seconds, self.end).start()

    def _allow(self, admin: psycopg.Connection, value: str) -> None:
        statement = sql.SQL("ALTER DATABASE {} WITH ALLOW_CONNECTIONS {}")
        admin.execute(statement.format(sql.Identifier(self._database), sql.SQL(value)))


@pytest.fixture
def outage() -> Iterator[Outage]:
    found = Outage(os.environ["TEST_SUPERUSER_URL"])
    yield found
    found.end()


def after(step: Step, act: Callable[[], None]) -> Step:
    """The same answer, after something else has happened."""

    async def wait() -> Any:
        try:
            return await step
        finally:
            act()

    return wait()


def run_with(works: Works, stage: Any, act: Callable[[], None]) -> None:
    """One pass in which ``act`` happens when the provider's first answer is there."""
    work = stage.work
    pending = [act]

    def once(generation: Generation) -> Step | None:
        step = work(generation)
        return after(step, pending.pop()) if step is not None and pending else step

    stage.work = once
    works.engine.run(stage, seconds=0.0)


@pytest.mark.parametrize("how", ["away", "cut"])
def test_an_order_that_was_accepted_meanwhile_is_not_forgotten(
    how: str, alice: Person, works: Works, emulator: Emulator, outage: Outage
) -> None:
    pk = created(alice).pk

    def cut() -> None:
        outage.begin()
        outage.end()

    act = cut if how == "cut" else lambda: outage.last(DATABASE_AWAY)
    run_with(works, SubmitStage(works.provider), act)
    assert (now(pk).state, outcomes(pk)) == (State.RUNNING, ["accepted"])
    assert emulator.bought(str(pk)) == 1


def test_all_answers_of_a_turn_are_kept(alice: Person, works: Works, outage: Outage) -> None:
    for _ in range(3):
        created(alice)
    works.run("submit")
    Generation.objects.update(next_attempt_at=Generation.objects.values("created_at")[:1])
    run_with(works, PollStage(works.provider), lambda: outage.last(DATABASE_AWAY))
    rows = list(Generation.objects.all())
    assert {row.lease_token for row in rows} == {None}
    assert {row.state for row in rows} <= {State.RUNNING, State.STORING}


def test_a_file_that_was_kept_is_delivered(alice: Person, works: Works, outage: Outage) -> None:
    pk = created(alice, model="image").pk
    works.run("submit")
    make_due()
    run_with(works, StoreStage(works.provider), lambda: outage.last(DATABASE_AWAY))
    assert now(pk).state == State.COMPLETED
    assert alice.balance == 1000 - 24


def test_nothing_is_claimed_meanwhile_and_the_pass_ends(
    alice: Person, works: Works, outage: Outage
) -> None:
    pk = created(alice).pk
    outage.begin()
    try:
        assert works.run("submit") == 0
    finally:
        outage.end()
    connection.close()
    assert (now(pk).state, now(pk).strikes) == (State.QUEUED, 0)


def test_an_answer_is_given_up_when_its_lease_must_be_over(
    alice: Person, works: Works, outage: Outage, settings: Settings
) -> None:
    pk = created(alice).pk
    stage = SubmitStage(works.provider)

    def away() -> None:
        settings.LEASE = 0.3
        outage.begin()

    began = time.monotonic()
    run_with(works, stage, away)
    assert time.monotonic() - began < 5
    outage.end()
    connection.close()
    assert now(pk).state == State.SUBMITTING  # the next claim puts it in doubt


def test_an_intent_whose_commit_got_no_answer_is_used(
    alice: Person, works: Works, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The connection breaks behind the COMMIT: the intent is there, its worker does not know."""
    pk = created(alice).pk
    begin = lifecycle.begin_attempt

    def cut(*args: Any) -> Attempt | None:
        monkeypatch.setattr(lifecycle, "begin_attempt", begin)
        begin(*args)
        raise OperationalError("server closed the connection unexpectedly")

    monkeypatch.setattr(lifecycle, "begin_attempt", cut)
    works.run("submit")
    assert (now(pk).state, outcomes(pk)) == (State.RUNNING, ["accepted"])
    assert emulator.bought(str(pk)) == 1


def test_only_who_was_interrupted_looks_for_an_intent(alice: Person, works: Works) -> None:
    """A row that somebody asks for is not asked for again, whoever holds its lease."""
    generation = reached(alice, State.SUBMITTING)
    stage = SubmitStage(works.provider)
    assert stage._begin(generation) is None
    assert attempt_of(generation).number == 1


class Refused(PollStage):
    """The database is well and refuses every write of this one."""

    def finish(self, generation: Generation, outcome: Any) -> Step | None:
        raise OperationalError("canceling statement due to statement timeout")

    def together(self, done: Any) -> Any:
        return done


def test_a_row_that_the_database_refuses_is_dropped_after_three_tries(
    alice: Person, works: Works
) -> None:
    pk = created(alice).pk
    works.run("submit")
    make_due()
    assert works.engine.run(Refused(works.provider), seconds=0.0) == 1
    assert now(pk).last_error.startswith("OperationalError: canceling statement")
    assert 25 < due_in(pk) <= 35  # its lease


def test_an_aborted_pass_leaves_nothing_on_the_loop(alice: Person, works: Works) -> None:
    """Celery's soft time limit comes as an exception, anywhere."""
    engine = Engine()
    ended: list[str] = []

    class Slow(PollStage):
        def work(self, generation: Generation) -> Step:
            async def sleep() -> None:
                try:
                    await asyncio.sleep(60)
                finally:
                    ended.append("canceled")

            return sleep()

        def together(self, done: Any) -> Any:
            raise KeyboardInterrupt

    created(alice)
    works.run("submit")
    make_due()
    with pytest.raises(KeyboardInterrupt):
        engine.run(Slow(works.provider), seconds=0.0)
    assert ended == ["canceled"]
    assert not asyncio.all_tasks(engine.loop)
    engine.close()
