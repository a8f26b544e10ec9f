"""Each end is announced exactly once, in its transaction, whichever verb it comes by."""

from __future__ import annotations

import uuid
from collections.abc import Callable

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from events import outbox
from events.metrics import EVENTS
from events.models import Event, Feed, Type
from generation import interventions, lifecycle
from generation.lifecycle import NotCancelable
from generation.models import Generation
from generation.models.states import OPEN, TERMINAL, State
from tests.support.bring_to import claimed, created, kept, reached
from tests.support.people import Person, make_person

Ends = Callable[[Generation, Person], object]


def complete(generation: Generation, _: Person) -> bool:
    return lifecycle.complete(generation, **kept(generation))


def fail(generation: Generation, _: Person) -> bool:
    return lifecycle.fail(generation, "timeout", "Too late", retryable=True)


def cancel(generation: Generation, _: Person) -> bool:
    return lifecycle.cancel(generation.pk)


def give_up(generation: Generation, _: Person) -> bool:
    return lifecycle.give_up_waiting(generation, recovers=False)


def fail_by_hand(generation: Generation, staff: Person) -> State:
    return interventions.fail_and_refund(generation, actor=staff.user, reason="stuck")


def cancel_by_hand(generation: Generation, staff: Person) -> State:
    return interventions.cancel(generation, actor=staff.user, reason="stuck")


WAYS: list[tuple[State, Ends, Type]] = [
    (State.STORING, complete, Type.COMPLETED),
    *((state, fail, Type.FAILED) for state in OPEN),
    (State.SUBMIT_UNKNOWN, give_up, Type.FAILED),
    (State.QUEUED, cancel, Type.CANCELED),
    *((state, fail_by_hand, Type.FAILED) for state in OPEN),
    (State.QUEUED, cancel_by_hand, Type.CANCELED),
]


@pytest.fixture
def staff() -> Person:
    """Somebody of ours."""
    return make_person("olga", 0)


def counted(what: Type) -> float:
    return float(EVENTS.labels(what.value)._value.get())


@pytest.mark.parametrize(("state", "end", "told"), WAYS)
def test_every_way_to_end_is_one_event(
    state: State, end: Ends, told: Type, alice: Person, staff: Person
) -> None:
    generation = reached(alice, state)
    assert not Event.objects.exists()  # no state on the way is one
    before = counted(told)
    assert end(generation, staff)
    event = Event.objects.get()
    assert (event.type, event.generation_id, event.sequence) == (told, generation.pk, 1)
    assert event.account_id == alice.account.pk
    ended = Generation.objects.get(pk=generation.pk)
    assert ended.finished_at is not None
    assert 0 <= (event.created_at - ended.finished_at).total_seconds() < 20
    assert counted(told) == before + 1


@pytest.mark.parametrize("state", TERMINAL)
def test_what_has_ended_does_not_end_again(state: State, alice: Person, staff: Person) -> None:
    generation = reached(alice, state)
    for end in (complete, fail, give_up):
        assert not end(generation, staff)
    for by_hand in (fail_by_hand, cancel_by_hand):
        with pytest.raises(interventions.NotAllowed):
            by_hand(generation, staff)
    if state == State.CANCELED:
        assert not cancel(generation, staff)
    else:
        with pytest.raises(NotCancelable):
            cancel(generation, staff)
    assert Event.objects.count() == Feed.objects.get().last_sequence == 1


@pytest.mark.parametrize(("state", "end"), [(State.STORING, complete), (State.QUEUED, fail)])
def test_a_fenced_worker_announces_nothing(
    state: State, end: Ends, alice: Person, staff: Person
) -> None:
    generation = reached(alice, state)
    claimed(generation)  # another one has it now
    assert not end(generation, staff)
    assert not Event.objects.exists()
    assert not Feed.objects.exists()


@pytest.mark.parametrize(
    ("state", "end"), [(State.STORING, complete), (State.QUEUED, cancel), (State.RUNNING, fail)]
)
def test_what_is_rolled_back_was_never_announced(
    state: State, end: Ends, alice: Person, staff: Person
) -> None:
    reached(alice, State.CANCELED)
    generation = reached(alice, state)
    before = [counted(what) for what in Type]
    with transaction.atomic():
        assert end(generation, staff)
        assert Event.objects.count() == 2
        transaction.set_rollback(True)
    assert Event.objects.count() == Feed.objects.get().last_sequence == 1
    assert [counted(what) for what in Type] == before
    assert end(Generation.objects.get(pk=generation.pk), staff)  # no gap is left either
    numbers = Event.objects.order_by("sequence").values_list("sequence", flat=True)
    assert list(numbers) == [1, 2]


def test_what_is_tried_again_has_an_end_of_its_own(alice: Person, staff: Person) -> None:
    lost = reached(alice, State.FAILED)
    answer = interventions.order_again(
        lost, actor=staff.user, reason="sorry", paid_by="grant", token=uuid.uuid4()
    )
    assert Event.objects.count() == 1
    again = Generation.objects.get(pk=answer.generation_id)
    assert fail(claimed(again), staff)
    found = Event.objects.order_by("sequence").values_list("generation_id", "type")
    assert list(found) == [(lost.pk, Type.FAILED), (again.pk, Type.FAILED)]


def test_accounts_have_numbers_of_their_own(alice: Person, bob: Person) -> None:
    for person in (alice, bob, alice):
        reached(person, State.CANCELED)
    numbers = Event.objects.order_by("created_at").values_list("account_id", "sequence")
    alices, bobs = alice.account.pk, bob.account.pk
    assert list(numbers) == [(alices, 1), (bobs, 1), (alices, 2)]


def test_a_second_one_of_a_generation_is_refused(alice: Person) -> None:
    generation = reached(alice, State.CANCELED)
    with pytest.raises(IntegrityError, match="event_once_a_generation"), transaction.atomic():
        outbox.announce(alice.account.pk, generation.pk, Type.FAILED, None)
    assert Feed.objects.get().last_sequence == 1


def test_an_end_costs_one_statement_more_and_a_create_none(alice: Person) -> None:
    with CaptureQueriesContext(connection) as asked:
        generation = created(alice)
    assert not [query for query in asked.captured_queries if "events_" in query["sql"]]
    with CaptureQueriesContext(connection) as asked:
        lifecycle.cancel(generation.pk)
    assert len([query for query in asked.captured_queries if "events_" in query["sql"]]) == 1
