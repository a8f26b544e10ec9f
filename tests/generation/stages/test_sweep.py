"""What the provider finished for nobody is found, whichever way it came to that."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from functools import partial

import httpx
import pytest
from django.conf import settings

from generation.models import Attempt, Generation, GenerationEvent, Orphan
from generation.models.states import State
from generation.outputs import orphans
from generation.stages.sweep import look_for_orphans
from tests.support.bring_to import attempt_of, reached
from tests.support.network_watch import CALLS, Watch
from tests.support.orphan_looks import (
    came_late,
    make_looks_due,
    overdue,
    seconds_until_look,
    sweep,
    upload,
)
from tests.support.people import Person
from tests.support.works import Emulator, Works, age, make_due

Start = Callable[..., str]


@pytest.fixture
def late(alice: Person, works: Works, emulator: Emulator) -> Attempt:
    return came_late(alice, works, emulator)


def wait_until_made(emulator: Emulator, generation_id: str) -> None:
    """Until everything that was bought for the generation is in the bucket."""
    ends = time.monotonic() + 20
    while True:
        operations = httpx.get(f"{emulator.url}/emulator/operations/{generation_id}").json()
        if all(each["done"] for each in operations["operations"]):
            return
        assert time.monotonic() < ends
        time.sleep(0.02)


def test_a_success_after_the_refund_is_kept_for_the_operator_and_changes_nothing(
    start: Start, alice: Person, works: Works, emulator: Emulator
) -> None:
    generation_id = start(alice, prompt="late [emulator:slow=0.6]")
    works.run("submit")
    overdue(generation_id)
    works.run("poll")
    failed = Generation.objects.get()
    assert (failed.state, failed.error_code, alice.balance) == (State.FAILED, "timeout", 1000)
    row, events = Generation.objects.values().get(), GenerationEvent.objects.count()
    make_looks_due()
    assert sweep(works) == 0
    assert seconds_until_look(attempt_of(failed)) == pytest.approx(900, abs=20)
    assert not Orphan.objects.exists()

    wait_until_made(emulator, generation_id)
    assert sweep(works) == 0  # not due
    make_looks_due()
    assert sweep(works) == 1
    orphan = Orphan.objects.get()
    assert orphan.attempt == attempt_of(failed)
    assert orphan.uri.startswith(orphan.attempt.prefix)
    assert orphan.note == "refunded before it was found (timeout)"
    assert seconds_until_look(orphan.attempt) is None
    assert Generation.objects.values().get() == row
    assert (alice.balance, GenerationEvent.objects.count()) == (1000, events)
    assert [entry.kind for entry in alice.entries] == ["grant", "charge", "refund"]
    make_looks_due()
    assert sweep(works) == 0


def ask_twice(works: Works, generation_id: str) -> None:
    """Both answers are lost, and the first window closes while the prefix is empty."""
    works.run("submit")
    age(generation_id, unknown_until="-1 second")
    for _ in range(2):  # give up waiting, then ask again
        make_due(generation_id)
        works.run("submit")
    outcomes = list(Attempt.objects.values_list("outcome", flat=True))
    assert outcomes == [Attempt.Outcome.UNKNOWN] * 2


def test_the_other_one_of_two_attempts(
    start: Start, alice: Person, works: Works, emulator: Emulator
) -> None:
    generation_id = start(alice, prompt="two [emulator:accepted-then-502 slow=1]")
    ask_twice(works, generation_id)
    wait_until_made(emulator, generation_id)
    done = works.finish(generation_id)
    assert done.state == State.COMPLETED
    make_looks_due()
    assert sweep(works) == 1
    orphan = Orphan.objects.get()
    assert orphan.note == "another attempt was delivered"
    assert done.output_uri.startswith(f"gs://test-outputs/generations/{generation_id}/")
    assert not done.output_uri.startswith(orphan.attempt.prefix)
    assert not Attempt.objects.filter(next_look_at__isnull=False).exists()
    assert alice.balance == 760


def test_a_lost_submission_that_was_none(
    start: Start, alice: Person, works: Works, emulator: Emulator
) -> None:
    generation_id = start(alice, prompt="lost [emulator:accepted-then-502 slow=1.5]")
    ask_twice(works, generation_id)
    age(generation_id, unknown_until="-1 second")
    make_due(generation_id)
    works.run("submit")
    assert Generation.objects.get().error_code == "submission_lost"
    wait_until_made(emulator, generation_id)
    make_looks_due()
    assert sweep(works) == 2
    assert set(Orphan.objects.values_list("note", flat=True)) == {
        "refunded before it was found (submission_lost)"
    }
    assert alice.balance == 1000


def test_an_intent_whose_worker_died_and_whose_customer_was_refunded(
    alice: Person, works: Works, emulator: Emulator
) -> None:
    """A canceled generation, and an attempt that no answer was ever written for."""
    canceled = reached(alice, State.CANCELED)
    attempt = Attempt.objects.create(
        generation=canceled,
        number=1,
        prefix=f"gs://{settings.OUTPUT_BUCKET}/generations/{canceled.pk}/1/",
        provider_model="veo",
    )
    uri = upload(emulator, attempt.prefix)
    assert sweep(works) == 1
    assert Orphan.objects.get().uri == uri
    assert Orphan.objects.get().note == "canceled and refunded before it was found"


def test_an_output_that_was_never_playable(
    start: Start, alice: Person, works: Works, emulator: Emulator
) -> None:
    generation_id = start(alice, prompt="broken [emulator:truncated=file]")
    assert works.finish(generation_id).error_code == "provider_error"
    make_looks_due()
    assert sweep(works) == 1
    assert Orphan.objects.get().note == (
        "found in time, but not delivered: refunded (provider_error)"
    )


def test_nothing_is_kept_of_what_was_delivered_or_never_made(
    start: Start, alice: Person, works: Works
) -> None:
    for prompt in ("a fox", "no [emulator:filtered]", "no [emulator:rejected]"):
        works.finish(start(alice, prompt=prompt))
    make_looks_due()
    assert sweep(works) == 0
    assert not Orphan.objects.exists()
    (filtered,) = Attempt.objects.filter(next_look_at__isnull=False)
    assert "filtered" in filtered.generation.prompt


def test_without_an_answer_it_is_asked_later_and_less_and_less(
    late: Attempt, works: Works, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as down:
        down.setattr(settings, "VERTEX_BASE_URL", "http://127.0.0.1:9")
        assert sweep(works) == 0
    assert not Orphan.objects.exists()
    assert seconds_until_look(late) == pytest.approx(60, abs=20)
    make_looks_due()
    assert sweep(works) == 1


def test_a_bucket_that_is_gone_does_not_end_the_sweep(
    late: Attempt, alice: Person, works: Works, emulator: Emulator
) -> None:
    other = reached(alice, State.FAILED)
    Attempt.objects.create(
        generation=other, number=1, prefix="gs://missing/1/", provider_model="veo"
    )
    assert sweep(works) == 1
    assert Orphan.objects.get().attempt == late


def test_the_network_is_not_waited_for_in_a_transaction(
    late: Attempt, works: Works, monkeypatch: pytest.MonkeyPatch
) -> None:
    watch = Watch()
    for name in CALLS:
        monkeypatch.setattr(socket.socket, name, watch.watched(name))
    assert sweep(works) == 1
    assert watch.sent
    assert watch.inside == []


def test_more_than_a_batch_is_worked_through_while_there_is_time(
    alice: Person, works: Works, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Settled ones cost a row of a statement, so a run deals with any number of them."""
    monkeypatch.setattr(orphans, "claim_looks", partial(orphans.claim_looks, 2))
    monkeypatch.setattr(orphans, "BATCH", 2)
    generation = reached(alice, State.RUNNING)
    rejected = {"outcome": Attempt.Outcome.REJECTED, "provider_model": "veo"}
    for number in range(2, 7):
        Attempt.objects.create(
            generation=generation, number=number, prefix=f"gs://b/{number}/", **rejected
        )
    assert sweep(works) == 0  # no time: one batch
    assert Attempt.objects.filter(next_look_at__isnull=True).count() < 3
    look_for_orphans(works.provider, works.engine.loop, 5.0)
    assert Attempt.objects.filter(next_look_at__isnull=True).count() == 5
