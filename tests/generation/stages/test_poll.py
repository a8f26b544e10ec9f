"""The poll stage: reads are repeated, an operation that is gone may have left its output."""

from __future__ import annotations

from typing import Any

import pytest
from pytest_django.fixtures import Settings

from generation import waiting
from generation.backends.base import Running, Unavailable
from generation.models import Attempt, Generation, ProviderGate
from generation.models.states import State
from generation.stages.poll import PollStage
from tests.generation.stages.test_submit import due_in, now, outcomes, refunded, wait_for_output
from tests.support.bring_to import claimed, created
from tests.support.people import Person
from tests.support.works import Emulator, Works, age, make_due

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
    assert now(pk).error_message == "The provider lost this generation. Try again later."


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
    ("marker", "code", "message", "category", "codes"),
    [
        ("filtered=violence", "content_filtered", "violence", "violence", ["61493863"]),
        ("filtered=prompt", "content_filtered", "safety", "other", ["29578790"]),
        ("filtered=audio", "content_filtered", "its sound. try again later.", "audio", []),
        ("error=8", "provider_error", "try again later.", "", []),
        ("error=5", "provider_error", "try again later.", "", []),
        ("error=3", "provider_rejected", "change the prompt", "", []),
        ("empty", "empty_result", "try again later.", "", []),
    ],
)
def test_a_final_no_is_refunded_with_its_reason(
    marker: str,
    code: str,
    message: str,
    category: str,
    codes: list[str],
    alice: Person,
    works: Works,
) -> None:
    pk = running(alice, works, marker).pk
    works.finish(str(pk))
    assert refunded(pk, code, alice)
    assert message in now(pk).error_message.lower()
    assert now(pk).error_retryable == ("try again" in message)
    assert outcomes(pk) == [Outcome.ACCEPTED]
    attempt = now(pk).attempts.get()
    assert attempt.refusal == {"category": category, "support_codes": codes}
    assert attempt.detail == now(pk).last_error != ""
    assert all(each in attempt.detail for each in codes)


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


def test_all_that_are_still_running_are_written_back_in_one_statement(
    alice: Person, works: Works, django_assert_num_queries: Any
) -> None:
    for number in range(4):
        running(alice, works, "never" if number else "")
        ProviderGate.objects.all().delete()
    make_due()
    stage = PollStage(works.provider)
    with django_assert_num_queries(2):  # the claim, and the prefixes of all
        rows = stage.claim(10)
    assert all(30 < due_in(row.pk) <= 35 for row in rows)  # when a dead worker's are polled again
    done = [(row, Running()) for row in rows]
    rest = (rows[0], Unavailable("HTTP 503"))
    with django_assert_num_queries(2):  # how long the model needs, once a pass; all rows
        assert stage.together([rest, *done[1:]]) == [rest]
    assert now(rows[0].pk).lease_token == rows[0].lease_token
    for row in rows[1:]:
        assert now(row.pk).lease_token is None
        assert (now(row.pk).strikes, now(row.pk).retries) == (0, 0)
        assert 3 < due_in(row.pk) <= 6


def test_what_is_claimed_meanwhile_takes_nothing_from_who_is_waited_for(
    alice: Person, works: Works
) -> None:
    first, later = (running(alice, works, "") for _ in range(2))
    wait_for_output(works, first.pk)
    make_due(str(first.pk))
    stage = PollStage(works.provider)
    (row,) = stage.claim(10)
    step = stage.start(row)
    make_due(str(later.pk))
    assert [each.pk for each in stage.claim(10)] == [later.pk]
    assert step is not None
    assert stage.finish(row, works.engine.loop.run_until_complete(step)) is None
    assert now(first.pk).state == State.STORING


def test_who_was_fenced_off_schedules_nothing(alice: Person, works: Works) -> None:
    zombie = claimed(running(alice, works, "never"))
    claimed(zombie)
    due = now(zombie.pk).next_attempt_at
    assert waiting.poll_again([(zombie, 5.0)]) == 0
    assert now(zombie.pk).next_attempt_at == due


def test_the_next_poll_is_not_after_the_deadline(alice: Person, works: Works) -> None:
    generation = running(alice, works, "never")
    age(str(generation.pk), deadline_at="2 seconds")
    assert waiting.poll_again([(claimed(generation), 30.0)]) == 1
    assert due_in(generation.pk) <= 2
