"""What the stages do with what nobody foresaw, and with rows that are not theirs any more."""

from __future__ import annotations

import pytest

from generation import lifecycle
from generation.backends.base import Accepted, NotAccepted, Produced
from generation.models import Attempt, Generation
from generation.models.states import State
from generation.stages.base import Looked, StageBase
from generation.stages.poll import PollStage
from generation.stages.prepare import PrepareStage
from generation.stages.store import StoreStage
from generation.stages.submit import SubmitStage
from tests.generation.stages.test_submit import now
from tests.support.bring_to import attempt_of, claimed, created, reached
from tests.support.people import Person
from tests.support.works import STAGES, Works, age


@pytest.mark.parametrize(
    ("name", "state"),
    [
        ("prepare", State.QUEUED),
        ("submit", State.QUEUED),
        ("submit", State.SUBMIT_UNKNOWN),
        ("poll", State.RUNNING),
        ("store", State.STORING),
    ],
)
@pytest.mark.parametrize("overdue", [False, True])
def test_an_error_nobody_foresaw_goes_to_the_engine_which_drops_the_row(
    name: str, state: State, overdue: bool, alice: Person, works: Works
) -> None:
    generation = reached(alice, state)
    if overdue:
        age(str(generation.pk), deadline_at="-1 second")
        generation = claimed(generation)
    stage = STAGES[name](works.provider)
    with pytest.raises(ZeroDivisionError):
        stage.finish(generation, ZeroDivisionError())
    assert now(generation.pk).state == state
    assert now(generation.pk).lease_token == generation.lease_token


def test_an_unforeseen_answer_to_an_order_is_a_doubt(alice: Person, works: Works) -> None:
    """After the question was sent, only the provider knows whether it was bought."""
    stage = SubmitStage(works.provider)
    generation = claimed(created(alice))
    step = stage.start(generation)
    assert step is not None
    step.close()
    assert stage.finish(generation, ZeroDivisionError("oops?key=hush")) is None
    assert now(generation.pk).state == State.SUBMIT_UNKNOWN
    assert attempt_of(generation).detail == "ZeroDivisionError: oops?…"
    assert now(generation.pk).last_error == "ZeroDivisionError: oops?…"


def test_a_row_that_was_claimed_anew_is_not_asked_for(alice: Person, works: Works) -> None:
    zombie = claimed(created(alice))
    claimed(zombie)
    assert SubmitStage(works.provider).start(zombie) is None
    assert not Attempt.objects.exists()


@pytest.mark.parametrize("fenced", [False, True])
def test_only_who_adopts_wakes_the_store_stage(fenced: bool, alice: Person, works: Works) -> None:
    woken: list[str] = []
    generation = reached(alice, State.SUBMIT_UNKNOWN)
    if fenced:
        claimed(generation)
    stage = SubmitStage(works.provider, woken.append)
    looked = Looked(attempt_of(generation), Produced("gs://x/y.mp4"))
    assert stage.finish(generation, looked) is None
    assert woken == ([] if fenced else ["store"])
    assert now(generation.pk).state == (State.SUBMIT_UNKNOWN if fenced else State.STORING)


def test_stages_claim_only_their_own_states(alice: Person, bob: Person, works: Works) -> None:
    rows: dict[str, Generation] = {}
    for number, state in enumerate(State):
        person = alice if number % 2 else bob
        rows[state] = reached(person, state, model="image")
    Generation.objects.filter(next_attempt_at__isnull=False).update(
        next_attempt_at=rows["queued"].created_at
    )
    stages: dict[type[StageBase], set[str]] = {
        PrepareStage: set(),  # whose images are not awaited
        SubmitStage: {"queued", "submitting", "submit_unknown"},
        PollStage: {"running"},
        StoreStage: {"storing"},
    }
    for stage, states in stages.items():
        found = {row.pk for row in stage(works.provider).claim(100)}
        assert found == {rows[state].pk for state in states}


def test_an_answer_that_waits_to_be_written_leaves_the_next_one_its_attempt(
    alice: Person, works: Works
) -> None:
    """The row was requeued by a COMMIT without an answer, and the same process claims it again."""
    stage = SubmitStage(works.provider)
    first = claimed(created(alice))
    question = stage.start(first)
    assert question is not None
    question.close()
    lifecycle.requeue(first, attempt_of(first), 0.0, "busy")
    second = claimed(now(first.pk))
    question = stage.start(second)
    assert question is not None
    question.close()
    assert stage.finish(first, NotAccepted("busy")) is None
    assert stage.finish(second, Accepted("operations/7")) is None
    assert now(first.pk).state == State.RUNNING
    assert [one.outcome for one in now(first.pk).attempts.order_by("number")] == [
        Attempt.Outcome.NOT_ACCEPTED,
        Attempt.Outcome.ACCEPTED,
    ]


def test_a_doubt_whose_commit_got_no_answer_is_no_surprise(alice: Person, works: Works) -> None:
    stage = SubmitStage(works.provider)
    held = claimed(reached(alice, State.SUBMITTING))
    Attempt.objects.update(outcome=Attempt.Outcome.UNKNOWN)
    assert stage.start(held) is None
