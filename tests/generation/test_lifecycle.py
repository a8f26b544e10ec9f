"""Every row of the state table: what each verb writes, and what it does to the credits."""

from __future__ import annotations

import pytest
from django.db import connection
from django.utils import timezone

from credits.models import Wallet
from generation import lifecycle, waiting
from generation.lifecycle import NotCancelable, Outcome
from generation.models import Attempt, Generation
from generation.models.states import ERROR_CODES, OPEN, State
from tests.support.bring_to import (
    ROUTE,
    attempt_of,
    claimed,
    created,
    kept,
    reached,
)
from tests.support.people import Person
from tests.support.works import age


@pytest.mark.parametrize("code", ERROR_CODES)
@pytest.mark.parametrize("before", ["", "HTTP 503"])
def test_every_failure_leaves_its_reason_for_operators(
    code: str, before: str, alice: Person
) -> None:
    generation = reached(alice, State.RUNNING)
    Generation.objects.filter(pk=generation.pk).update(last_error=before)
    generation = claimed(generation)
    assert lifecycle.fail(generation, code, "It failed")
    assert Generation.objects.get(pk=generation.pk).last_error == (before or "It failed")
    other = reached(alice, State.RUNNING, model="image")
    assert lifecycle.fail(other, code, "It failed", detail="the host said 404, see /a?key=hush")
    row = Generation.objects.get(pk=other.pk)
    assert row.last_error == "the host said 404, see /a?…"
    event = row.events.order_by("-sequence")[0]
    assert event.data == {"code": code, "detail": row.last_error}


def events(generation: Generation) -> list[tuple[int, str, bool]]:
    return [(event.sequence, event.state, event.is_terminal) for event in generation.events.all()]


def now(generation: Generation) -> Generation:
    """As the database has it."""
    return Generation.objects.get(pk=generation.pk)


def seconds_until_due(generation: Generation) -> float:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT extract(epoch FROM next_attempt_at - now()) FROM generation_generation"
            " WHERE id = %s",
            [generation.pk],
        )
        return float(cursor.fetchone()[0])


def open_charges(person: Person) -> int:
    return Wallet.objects.get(account=person.account).open_charges


def test_created_means_queued_charged_and_due(alice: Person) -> None:
    generation = created(alice)
    assert (generation.state, generation.version) == (State.QUEUED, 1)
    assert seconds_until_due(generation) <= 0
    assert alice.balance == 760
    assert open_charges(alice) == 1
    assert events(generation) == [(1, "queued", False)]
    assert str(generation) == f"video {generation.pk} (queued)"


def test_the_intent_is_committed_with_a_prefix_of_its_own(alice: Person) -> None:
    generation = claimed(created(alice))
    attempt = lifecycle.begin_attempt(generation, ROUTE)
    assert attempt is not None
    assert attempt.prefix == f"gs://test-outputs/generations/{generation.pk}/1/"
    found = now(generation)
    assert found.state == State.SUBMITTING
    assert found.lease_token == generation.lease_token
    assert (found.project, found.location, found.provider_model) == ("project", "here", "veo")
    assert 85 < seconds_until_due(generation) <= 90
    assert str(attempt) == f"attempt 1 of {generation.pk}: asked"
    assert [str(event) for event in found.events.all()] == [
        f"{generation.pk} #1 queued",
        f"{generation.pk} #2 submitting",
    ]


def test_accepted_means_running_under_a_name(alice: Person) -> None:
    generation = claimed(created(alice))
    attempt = lifecycle.begin_attempt(generation, ROUTE)
    assert attempt is not None
    assert lifecycle.accept(generation, attempt, "operations/7", first_poll=25)
    found = now(generation)
    assert (found.state, found.operation_name) == (State.RUNNING, "operations/7")
    assert found.accepted_at is not None
    assert found.lease_token is None
    assert 20 < seconds_until_due(generation) <= 25
    attempt.refresh_from_db()
    assert (attempt.outcome, attempt.operation_name) == (Outcome.ACCEPTED, "operations/7")
    assert attempt.answered_at is not None


def test_not_accepted_means_queued_again_later_without_using_up_an_attempt(alice: Person) -> None:
    generation = created(alice)
    for number in range(1, 9):
        generation = claimed(generation)
        assert generation.retries == number - 1  # the back-off grows with it
        attempt = lifecycle.begin_attempt(generation, ROUTE)
        assert attempt is not None
        assert attempt.number == number
        assert lifecycle.requeue(generation, attempt, wait=30, detail="429")
        attempt.refresh_from_db()
        assert (attempt.outcome, attempt.detail) == (Outcome.NOT_ACCEPTED, "429")
    found = now(generation)
    assert (found.state, found.unknown_attempts, found.retries) == (State.QUEUED, 0, 8)
    assert 25 < seconds_until_due(generation) <= 30
    assert lifecycle.is_cancelable(found)


def test_waits_end_at_the_deadline(alice: Person) -> None:
    generation = claimed(created(alice))
    age(str(generation.pk), deadline_at="7 seconds")
    assert waiting.postpone(generation, 3600)
    assert 0 < seconds_until_due(generation) <= 7


def test_a_doubt_opens_a_window_and_is_due_at_once(alice: Person) -> None:
    generation = reached(alice, State.SUBMITTING)
    assert lifecycle.doubt(generation, attempt_of(generation), "reset", seconds=900)
    found = now(generation)
    assert (found.state, found.unknown_attempts) == (State.SUBMIT_UNKNOWN, 1)
    assert found.unknown_until is not None
    assert 890 < (found.unknown_until - timezone.now()).total_seconds() <= 900
    assert seconds_until_due(generation) <= 0
    assert attempt_of(generation).outcome == Outcome.UNKNOWN


def test_an_empty_window_is_asked_again_once_and_then_lost(alice: Person) -> None:
    generation = reached(alice, State.SUBMIT_UNKNOWN)
    assert lifecycle.give_up_waiting(generation)
    generation = claimed(generation)
    assert (generation.state, generation.unknown_attempts) == (State.QUEUED, 1)
    with pytest.raises(NotCancelable):
        lifecycle.cancel(generation.pk)
    attempt = lifecycle.begin_attempt(generation, ROUTE)
    assert attempt is not None
    assert attempt.number == 2
    assert lifecycle.doubt(generation, attempt, "reset", seconds=900)
    generation = claimed(generation)
    assert lifecycle.give_up_waiting(generation)
    found = now(generation)
    assert (found.state, found.error_code) == (State.FAILED, "submission_lost")
    assert found.error_retryable
    assert alice.balance == 1000


@pytest.mark.parametrize("state", [State.SUBMITTING, State.SUBMIT_UNKNOWN, State.RUNNING])
def test_an_output_is_adopted_from_wherever_the_provider_may_be(
    state: State, alice: Person
) -> None:
    generation = reached(alice, state)
    attempt = attempt_of(generation) if state != State.RUNNING else None
    assert lifecycle.adopt(generation, "gs://bucket/x.mp4", attempt)
    found = now(generation)
    assert (found.state, found.output_uri) == (State.STORING, "gs://bucket/x.mp4")
    assert seconds_until_due(generation) <= 0
    expected = Outcome.ACCEPTED if attempt is None else Outcome.ADOPTED
    assert attempt_of(generation).outcome == expected


def test_complete_keeps_the_charge_and_frees_the_place(alice: Person) -> None:
    generation = reached(alice, State.STORING)
    assert lifecycle.complete(generation, **kept(generation))
    found = now(generation)
    assert (found.state, found.refund_id, found.next_attempt_at) == (State.COMPLETED, None, None)
    assert found.finished_at is not None
    assert events(found)[-1] == (5, "completed", True)
    assert alice.balance == 760
    assert open_charges(alice) == 0


@pytest.mark.parametrize("state", OPEN)
def test_fail_refunds_from_every_open_state(state: State, alice: Person) -> None:
    generation = reached(alice, state)
    attempt = attempt_of(generation) if state == State.SUBMITTING else None
    assert lifecycle.fail(generation, "timeout", "m" * 500, attempt=attempt, detail="their words")
    found = now(generation)
    assert (found.state, found.error_code, found.error_message) == ("failed", "timeout", "m" * 400)
    assert found.last_error == "their words"
    assert found.refund is not None
    assert found.refund.description == "Refund: timeout"
    assert events(found)[-1] == (found.version, "failed", True)
    assert alice.balance == 1000
    assert open_charges(alice) == 0
    if attempt is not None:
        attempt.refresh_from_db()
        assert (attempt.outcome, attempt.detail) == (Outcome.REJECTED, "their words")


def test_fail_without_a_detail_keeps_the_last_error(alice: Person) -> None:
    generation = claimed(created(alice))
    assert waiting.postpone(generation, 0, "the disk is full")
    generation = claimed(generation)
    assert generation.retries == 1
    assert lifecycle.fail(generation, "timeout", "Too late")
    assert now(generation).last_error == "the disk is full"


def test_cancel_gives_the_credits_back_and_fences_the_worker(alice: Person) -> None:
    generation = claimed(created(alice))  # a worker fetches its source images, say
    assert lifecycle.cancel(generation.pk)
    found = now(generation)
    assert (found.state, found.lease_token) == (State.CANCELED, None)
    assert found.refund is not None
    assert found.refund.description == "Refund: canceled"
    assert alice.balance == 1000
    assert lifecycle.begin_attempt(generation, ROUTE) is None
    assert not Attempt.objects.exists()
    assert not lifecycle.cancel(generation.pk)  # again is fine, and does nothing
    assert len(alice.entries) == 3


@pytest.mark.parametrize(
    "state",
    [
        State.SUBMITTING,
        State.SUBMIT_UNKNOWN,
        State.RUNNING,
        State.STORING,
        State.COMPLETED,
        State.FAILED,
    ],
)
def test_nothing_that_may_be_bought_or_is_over_is_canceled(state: State, alice: Person) -> None:
    generation = reached(alice, state)
    balance = alice.balance
    with pytest.raises(NotCancelable):
        lifecycle.cancel(generation.pk)
    assert now(generation).state == state
    assert alice.balance == balance
