"""The poll stage: reads are repeated, an operation that is gone may have left its output."""

from __future__ import annotations

import pytest
from pytest_django.fixtures import Settings

from generation.models import Attempt, Generation
from generation.states import State
from tests.generation.conftest import Emulator, Works, age, make_due
from tests.generation.steps import created
from tests.generation.test_stage_submit import due_in, now, outcomes, refunded, wait_for_output
from tests.people import Person

Outcome = Attempt.Outcome


def running(person: Person, works: Works, marker: str) -> Generation:
    """Accepted by the emulator, and done there unless the marker says otherwise."""
    generation = created(person, prompt=f"a red fox [emulator:{marker}]" if marker else "a fox")
    works.run("submit")
    assert now(generation.pk).state == State.RUNNING
    return now(generation.pk)


def test_the_first_poll_comes_when_the_model_says(alice: Person, works: Works) -> None:
    pk = running(alice, works, "never").pk
    assert 19 < due_in(pk) <= 30  # 25 s, 20 % more or less
    assert works.run("poll") == 0


@pytest.mark.parametrize(
    ("since", "low", "high"), [(0, 4, 6), (59, 4, 6), (61, 8, 12), (179, 8, 12), (181, 24, 36)]
)
def test_polls_become_rarer(
    since: int, low: float, high: float, alice: Person, works: Works
) -> None:
    pk = running(alice, works, "never").pk
    age(str(pk), accepted_at=f"-{since} seconds")
    make_due()
    works.run("poll")
    assert now(pk).state == State.RUNNING
    assert low - 0.5 < due_in(pk) <= high


def test_a_poll_that_does_not_work_is_repeated(alice: Person, works: Works) -> None:
    pk = running(alice, works, "unavailable=2").pk
    for retries in (1, 2):
        make_due()
        works.run("poll")
        assert (now(pk).state, now(pk).retries) == (State.RUNNING, retries)
        assert now(pk).last_error
    assert works.finish(str(pk)).state == State.COMPLETED


def test_an_operation_that_is_gone_may_have_left_its_output(
    alice: Person, works: Works, emulator: Emulator
) -> None:
    pk = running(alice, works, "gone").pk
    assert works.finish(str(pk)).state == State.COMPLETED
    assert outcomes(pk) == [Outcome.ACCEPTED]
    assert emulator.bought(str(pk)) == 1


def test_an_operation_that_is_gone_without_a_trace_is_refunded(alice: Person, works: Works) -> None:
    pk = running(alice, works, "gone=empty").pk
    works.finish(str(pk))
    assert refunded(pk, "provider_error", alice)
    assert now(pk).error_message == "The provider lost this generation"


def test_gone_while_the_bucket_is_away_is_looked_at_again(
    alice: Person, works: Works, settings: Settings
) -> None:
    settings.STORAGE_BASE_URL = "http://127.0.0.1:9"
    pk = running(alice, works, "gone").pk
    for _ in range(100):
        make_due()
        works.run("poll")
        if now(pk).last_error:
            break
    assert (now(pk).state, now(pk).retries) == (State.RUNNING, 1)


@pytest.mark.parametrize(
    ("marker", "code", "message"),
    [
        ("filtered=violence", "content_filtered", "violence"),
        ("filtered=prompt", "content_filtered", "safety"),
        ("error=8", "provider_error", ""),
        ("empty", "empty_result", ""),
    ],
)
def test_a_final_no_is_refunded_with_its_reason(
    marker: str, code: str, message: str, alice: Person, works: Works
) -> None:
    pk = running(alice, works, marker).pk
    works.finish(str(pk))
    assert refunded(pk, code, alice)
    assert message in now(pk).error_message.lower()
    assert outcomes(pk) == [Outcome.ACCEPTED]


def test_the_deadline_of_what_never_ends(alice: Person, works: Works, emulator: Emulator) -> None:
    pk = running(alice, works, "never").pk
    age(str(pk), deadline_at="-1 second")
    make_due()
    works.run("poll")
    assert refunded(pk, "timeout", alice)
    assert emulator.bought(str(pk)) == 1


def test_the_last_look_finds_what_was_never_polled(alice: Person, works: Works) -> None:
    pk = running(alice, works, "").pk
    wait_for_output(works, pk)
    age(str(pk), deadline_at="-1 second")
    make_due()
    works.run("poll")
    assert now(pk).state == State.STORING
    assert outcomes(pk) == [Outcome.ACCEPTED]  # it was never in doubt
    works.run("store")
    assert now(pk).state == State.COMPLETED
    assert alice.balance == 760


def test_a_last_look_that_fails_is_the_last(
    alice: Person, works: Works, settings: Settings
) -> None:
    settings.STORAGE_BASE_URL = "http://127.0.0.1:9"
    pk = running(alice, works, "never").pk
    age(str(pk), deadline_at="-1 second")
    make_due()
    works.run("poll")
    assert refunded(pk, "timeout", alice)
