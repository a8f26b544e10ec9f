"""After an older state was restored, nothing is bought again that was bought since."""

from __future__ import annotations

import io

import pytest
from django.conf import settings
from django.core.management import call_command

from generation.models import Attempt, Generation
from generation.models.states import State
from tests.support.bring_to import created, reached
from tests.support.orphan_looks import upload
from tests.support.people import Person
from tests.support.works import Emulator, Works, age, make_due


def restored() -> str:
    out = io.StringIO()
    call_command("after_restore", stdout=out, stderr=out, skip_checks=True)
    return out.getvalue()


def prefix(generation: Generation, number: int = 1) -> str:
    return f"gs://{settings.OUTPUT_BUCKET}/generations/{generation.pk}/{number}/"


def test_what_was_bought_since_is_found_and_the_rest_is_asked_for_after_the_window(
    alice: Person, works: Works, emulator: Emulator
) -> None:
    bought, other = created(alice), created(alice)
    uri = upload(emulator, prefix(bought))
    assert restored().startswith("2 queued generations")
    states = Generation.objects.values_list("state", flat=True)
    assert set(states) == {State.SUBMIT_UNKNOWN}
    works.run("submit")
    row = Generation.objects.get(pk=bought.pk)
    assert (row.state, row.output_uri) == (State.STORING, uri)
    assert emulator.bought(str(bought.pk)) == emulator.bought(str(other.pk)) == 0

    names = ("backend", "project", "location", "provider_model")
    attempt = Attempt.objects.values(*names).get(generation=other)
    assert attempt == Generation.objects.values(*names).get(pk=other.pk)
    assert attempt["project"] == settings.GOOGLE_CLOUD_PROJECT
    assert attempt["location"] == settings.GOOGLE_CLOUD_LOCATION

    age(str(other.pk), unknown_until="-1 second")
    assert works.finish(str(other.pk)).state == State.COMPLETED
    assert emulator.bought(str(other.pk)) == 1
    assert list(Attempt.objects.filter(generation=other).values_list("number", "outcome")) == [
        (1, Attempt.Outcome.UNKNOWN),
        (2, Attempt.Outcome.ACCEPTED),
    ]


def test_an_old_dump_is_looked_through_once_more_and_paid_back(
    alice: Person, works: Works, emulator: Emulator
) -> None:
    """Its deadlines are over: nothing is asked for, and what had been made is still delivered."""
    bought, other = created(alice), created(alice)
    upload(emulator, prefix(bought))
    for row in (bought, other):
        age(str(row.pk), deadline_at="-1 second")
    restored()
    make_due()
    works.run("submit")
    assert Generation.objects.get(pk=bought.pk).state == State.STORING
    lost = Generation.objects.get(pk=other.pk)
    assert (lost.state, lost.error_code) == (State.FAILED, "timeout")
    assert alice.balance == 760


def test_what_is_with_the_provider_by_name_is_left_alone(alice: Person) -> None:
    running, done = reached(alice, State.RUNNING), reached(alice, State.COMPLETED)
    before = list(Generation.objects.order_by("pk").values("pk", "state", "version"))
    assert restored().startswith("0 queued generations")
    assert list(Generation.objects.order_by("pk").values("pk", "state", "version")) == before
    assert {running.pk, done.pk} == {row["pk"] for row in before}


def test_a_row_that_somebody_holds_is_waited_for_and_then_named(
    alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    reached(alice, State.QUEUED)
    monkeypatch.setattr(settings, "LEASE", 0.01)
    monkeypatch.setattr(settings, "TIME_SCALE", 0.001)
    out = io.StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command("after_restore", stdout=out, stderr=out, skip_checks=True)
    assert ended.value.code == 1
    assert "does a worker run?" in out.getvalue()
