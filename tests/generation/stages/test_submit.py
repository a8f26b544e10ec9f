"""The submit stage: what is asked once, what is looked for, what is asked again."""

from __future__ import annotations

import time
from typing import Any

import pytest
from django.db import connection
from pytest_django.fixtures import Settings

from generation.models import Attempt, CatalogModel, Generation, ProviderGate
from generation.models.states import State
from generation.stages.submit import NOT_SOLD
from tests.support.bring_to import created, reached
from tests.support.people import Person
from tests.support.works import Emulator, Works, age, make_due

Outcome = Attempt.Outcome


def now(pk: Any) -> Generation:
    return Generation.objects.get(pk=pk)


def due_in(pk: Any) -> float:
    """Seconds until the row's next turn."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT extract(epoch FROM next_attempt_at - now()) FROM generation_generation"
            " WHERE id = %s",
            [pk],
        )
        return float(cursor.fetchone()[0])


def outcomes(pk: Any) -> list[str]:
    return [attempt.outcome for attempt in now(pk).attempts.all()]


def refunded(pk: Any, code: str, person: Person) -> bool:
    generation = now(pk)
    assert (generation.state, generation.error_code) == (State.FAILED, code)
    return generation.refund is not None and person.balance == 1000


def close_the_window(pk: Any) -> None:
    age(str(pk), unknown_until="-1 second")
    make_due(str(pk))


def test_a_worker_that_died_while_asking_leaves_a_doubt_not_a_second_order(
    alice: Person, works: Works, emulator: Emulator
) -> None:
    pk = reached(alice, State.SUBMITTING).pk  # the intent is committed, nothing was sent
    assert works.run("submit") == 0  # its lease is not over
    make_due()
    works.run("submit")
    assert (now(pk).state, now(pk).last_error) == (State.SUBMIT_UNKNOWN, "the worker was lost")
    works.run("submit")
    assert now(pk).state == State.SUBMIT_UNKNOWN
    assert 45 < due_in(pk) <= 72  # the next look into the prefix
    assert emulator.bought(str(pk)) == 0
    close_the_window(pk)
    works.run("submit")
    assert (now(pk).state, now(pk).unknown_attempts) == (State.QUEUED, 1)
    assert works.finish(str(pk)).state == State.COMPLETED
    assert outcomes(pk) == [Outcome.UNKNOWN, Outcome.ACCEPTED]
    assert emulator.bought(str(pk)) == 1


@pytest.mark.parametrize(
    ("asked", "abilities", "detail"),
    [
        (
            {"generate_audio": False},
            {"audio": "always"},
            "veo3_fast is no longer sold without sound",
        ),
        ({"resolution": "4k"}, {"resolutions": ["720p"]}, "veo3_fast is no longer sold in 4k"),
        (
            {"negative_prompt": "rain"},
            {"negative_prompt": False},
            "veo3_fast is no longer sold with a negative prompt",
        ),
        ({"seed": 7}, {"seed_max": None}, "veo3_fast is no longer sold with this seed"),
    ],
)
def test_what_the_row_no_longer_offers_is_not_asked_for(
    alice: Person,
    works: Works,
    emulator: Emulator,
    asked: dict[str, Any],
    abilities: dict[str, Any],
    detail: str,
) -> None:
    """Its row was switched while it was queued: nothing else is delivered in silence."""
    row = created(alice, **asked)
    CatalogModel.objects.filter(pk="veo3_fast").update(abilities=row.model.abilities | abilities)
    works.run("submit")
    assert refunded(row.pk, "provider_rejected", alice)
    assert (now(row.pk).error_message, now(row.pk).last_error) == (NOT_SOLD, detail)
    assert emulator.bought(str(row.pk)) == 0


def test_what_was_asked_for_arrives(alice: Person, works: Works, emulator: Emulator) -> None:
    asked: dict[str, Any] = {
        "duration": 4,
        "generate_audio": False,
        "seed": 7,
        "negative_prompt": "rain",
    }
    row = works.finish(str(created(alice, **asked).pk))
    assert row.state == State.COMPLETED
    assert (row.output_facts["audio_codec"], row.output_facts["video_codec"]) == (None, "avc1")
    assert abs(row.output_facts["duration_seconds"] - 4) < 0.1
    assert row.last_error == ""


def test_lost_twice_is_lost(alice: Person, works: Works, emulator: Emulator) -> None:
    pk = created(alice, prompt="a red fox [emulator:html502]").pk
    for attempts in (1, 2):
        works.run("submit")
        assert (now(pk).state, now(pk).unknown_attempts) == (State.SUBMIT_UNKNOWN, attempts)
        close_the_window(pk)
        works.run("submit")
    assert refunded(pk, "submission_lost", alice)
    assert outcomes(pk) == [Outcome.UNKNOWN, Outcome.UNKNOWN]
    assert emulator.bought(str(pk)) == 0


@pytest.mark.parametrize(
    ("marker", "patience"), [("accepted-then-502", 60), ("accepted-then-no-answer", 1.5)]
)
def test_an_answer_that_was_lost_is_found_and_bought_once(
    marker: str,
    patience: float,
    alice: Person,
    works: Works,
    emulator: Emulator,
    settings: Settings,
) -> None:
    settings.SUBMIT_TIMEOUT = patience
    pk = created(alice, prompt=f"a red fox [emulator:{marker}]").pk
    works.run("submit")
    assert now(pk).state == State.SUBMIT_UNKNOWN
    assert works.finish(str(pk)).state == State.COMPLETED
    assert outcomes(pk) == [Outcome.ADOPTED]
    assert emulator.bought(str(pk)) == 1


def test_a_late_output_of_the_first_attempt_serves_the_second(
    alice: Person, works: Works, emulator: Emulator
) -> None:
    """Asked twice by the rules, and the first answer turns up while the second one is lost."""
    pk = created(alice, prompt="a red fox [emulator:accepted-then-502 slow=2]").pk
    for _ in range(2):
        works.run("submit")
        close_the_window(pk)
        if now(pk).unknown_attempts == 1:
            works.run("submit")
    assert emulator.bought(str(pk)) == 2
    age(str(pk), unknown_until="1 hour")
    generation = works.finish(str(pk))
    assert generation.state == State.COMPLETED
    assert Outcome.ADOPTED in outcomes(pk)
    assert alice.balance == 760


def test_an_image_is_given_up_sooner(
    alice: Person, works: Works, emulator: Emulator, settings: Settings
) -> None:
    pk = created(alice, model="image", prompt="a fox [emulator:accepted-then-502]").pk
    works.run("submit")
    generation = now(pk)
    assert generation.state == State.SUBMIT_UNKNOWN
    assert generation.unknown_until is not None
    window = (generation.unknown_until - generation.updated_at).total_seconds()
    assert window == 2 * settings.SUBMIT_TIMEOUT


def test_an_image_whose_answer_was_lost_is_not_bought_again(
    alice: Person, works: Works, emulator: Emulator
) -> None:
    """The provider keeps no image: one that was made cannot be found, only paid for twice."""
    pk = created(alice, model="image", prompt="a fox [emulator:accepted-then-reset]").pk
    works.run("submit")
    assert now(pk).state == State.SUBMIT_UNKNOWN
    age(str(pk), unknown_until="-1 second")
    make_due()
    works.run("submit")
    assert refunded(pk, "submission_lost", alice)
    assert outcomes(pk) == [Attempt.Outcome.UNKNOWN]
    assert emulator.bought(str(pk)) == 1


def test_busy_waits_as_long_as_the_provider_wishes(
    alice: Person, works: Works, emulator: Emulator
) -> None:
    pk = created(alice, prompt="a fox, hurry [emulator:busy retry-after=33]").pk
    works.run("submit")
    generation = now(pk)
    assert (generation.state, generation.retries) == (State.QUEUED, 1)
    assert outcomes(pk) == [Outcome.NOT_ACCEPTED]
    assert 30 < due_in(pk) <= 33
    assert works.run("submit") == 0


@pytest.mark.parametrize("model", ["veo3_fast", "image"])
def test_an_overloaded_provider_is_asked_again_as_it_wishes(
    model: str, alice: Person, works: Works, emulator: Emulator
) -> None:
    """It said so itself: nothing was begun, so nothing has to be looked for or waited out."""
    prompt = f"a fox, {model}, in a crowd [emulator:overloaded=2 retry-after=41]"
    pk = created(alice, model=model, prompt=prompt).pk
    for ask in (1, 2):
        make_due()
        works.run("submit")
        generation = now(pk)
        assert (generation.state, generation.retries) == (State.QUEUED, ask)
        assert generation.unknown_attempts == 0
        assert 38 < due_in(pk) <= 41
        assert works.run("submit") == 0
        assert submissions(emulator, pk) == ask
    assert works.finish(str(pk)).state == State.COMPLETED
    assert outcomes(pk) == [Outcome.NOT_ACCEPTED, Outcome.NOT_ACCEPTED, Outcome.ACCEPTED]
    assert (submissions(emulator, pk), emulator.bought(str(pk))) == (3, 1)


@pytest.mark.parametrize("model", ["veo3_fast", "image"])
def test_an_overload_that_lasts_ends_at_the_deadline(
    model: str, alice: Person, works: Works, emulator: Emulator
) -> None:
    pk = created(alice, model=model, prompt=f"a fox, {model}, for ever [emulator:overloaded]").pk
    works.run("submit")
    age(str(pk), deadline_at="-1 second")
    make_due()
    works.run("submit")
    assert refunded(pk, "timeout", alice)
    assert (submissions(emulator, pk), emulator.bought(str(pk))) == (1, 0)


def submissions(emulator: Emulator, pk: Any) -> int:
    """How often the provider was asked for a generation, whatever it answered."""
    turned_away = emulator.stats()["rejected_by_label"].get("generation", {})
    return int(turned_away.get(str(pk), 0)) + emulator.bought(str(pk))


def test_busy_waits_longer_each_time(alice: Person, works: Works, emulator: Emulator) -> None:
    pk = created(alice, prompt="a fox, patient [emulator:busy]").pk
    for low, high in ((1, 2), (2, 4), (4, 8), (8, 16), (16, 32), (30, 60), (30, 60)):
        ProviderGate.objects.all().delete()  # the breaker is another matter
        make_due()
        works.run("submit")
        assert low - 0.5 < due_in(pk) <= high
    assert outcomes(pk) == [Outcome.NOT_ACCEPTED] * 7
    age(str(pk), deadline_at="1 second")
    make_due()
    works.run("submit")
    assert due_in(pk) <= 1  # never after the deadline
    age(str(pk), deadline_at="-1 second")
    make_due()
    works.run("submit")
    assert refunded(pk, "timeout", alice)


def test_a_refused_connection_was_certainly_not_accepted(
    alice: Person, works: Works, settings: Settings
) -> None:
    settings.STORAGE_BASE_URL, settings.VERTEX_BASE_URL = (
        settings.VERTEX_BASE_URL,
        "http://127.0.0.1:9",
    )
    pk = created(alice).pk
    works.run("submit")
    assert now(pk).state == State.QUEUED
    assert outcomes(pk) == [Outcome.NOT_ACCEPTED]
    assert now(pk).unknown_attempts == 0


def test_a_look_that_does_not_work_is_repeated(
    alice: Person, works: Works, settings: Settings
) -> None:
    settings.STORAGE_BASE_URL = "http://127.0.0.1:9"
    pk = reached(alice, State.SUBMIT_UNKNOWN).pk
    close_the_window(pk)
    works.run("submit")
    generation = now(pk)
    assert (generation.state, generation.retries) == (State.SUBMIT_UNKNOWN, 1)
    assert generation.last_error


@pytest.mark.parametrize("state", [State.QUEUED, State.SUBMITTING, State.SUBMIT_UNKNOWN])
def test_the_deadline_ends_what_nobody_heard_of(
    state: State, alice: Person, works: Works, emulator: Emulator
) -> None:
    pk = reached(alice, state).pk
    age(str(pk), deadline_at="-1 second")
    make_due()
    works.run("submit")
    assert refunded(pk, "timeout", alice)
    assert emulator.bought(str(pk)) == 0
    assert now(pk).error_retryable


def test_the_last_look_delivers_late_what_is_there(
    alice: Person, works: Works, emulator: Emulator
) -> None:
    pk = created(alice, prompt="a red fox, late [emulator:accepted-then-502]").pk
    works.run("submit")
    wait_for_output(works, pk)
    age(str(pk), deadline_at="-1 second")
    generation = works.finish(str(pk))
    assert generation.state == State.COMPLETED
    assert outcomes(pk) == [Outcome.ADOPTED]


def test_a_last_look_that_fails_is_the_last(
    alice: Person, works: Works, settings: Settings
) -> None:
    settings.STORAGE_BASE_URL = "http://127.0.0.1:9"
    pk = reached(alice, State.SUBMIT_UNKNOWN).pk
    age(str(pk), deadline_at="-1 second")
    make_due()
    works.run("submit")
    assert refunded(pk, "timeout", alice)


def wait_for_output(works: Works, pk: Any) -> None:
    """Until the emulator has written the attempt's file."""
    backend, place = works.provider.of("vertex"), now(pk).attempts.get().prefix
    ends = time.monotonic() + 20  # the first file of a run is drawn, the others are linked
    while time.monotonic() < ends:
        if works.engine.loop.run_until_complete(backend.find_output(place, "video")) is not None:
            return
        time.sleep(0.02)
    raise AssertionError("no output")
