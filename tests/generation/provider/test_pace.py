"""Polls come when the last operations of the same model and resolution were done."""

from __future__ import annotations

import random
import uuid

import pytest
from django.db import connection
from pytest_django.fixtures import Settings

from generation.models import CatalogModel, Generation, ProviderGate
from generation.models.states import State
from generation.provider import pace
from generation.provider.pace import ENOUGH, KEPT, Pace
from tests.generation.stages.test_submit import due_in, now
from tests.support.bring_to import created
from tests.support.people import Person
from tests.support.works import Works, age, make_due


def gate(name: str = "veo3_fast") -> ProviderGate:
    return ProviderGate.objects.get(pk=name)


def new_gate(name: str, lasted: list[float] | None = None) -> ProviderGate:
    return ProviderGate.objects.create(
        model_id=name,
        next_submit_at="2026-01-01T00:00:00Z",
        window_ends_at="2026-01-01T00:00:00Z",
        lasted=lasted or [],
    )


def learned(lasted: list[float]) -> Pace:
    found = Pace.of(lasted)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("age", "wait"), [(0, 5), (59, 5), (61, 10), (179, 10), (181, 30), (5000, 30)]
)
def test_what_nothing_is_known_of_goes_by_the_steps(age: float, wait: float) -> None:
    assert pace.next_poll(None, age) == wait


def test_a_few_say_nothing() -> None:
    assert Pace.of([45.0] * (ENOUGH - 1)) is None
    assert learned([45.0] * ENOUGH) == Pace(45.0, 45.0)


def test_it_is_looked_at_often_while_it_may_be_done() -> None:
    found = Pace(40.0, 64.0)
    assert found.next_poll(0) == 36.0
    assert found.next_poll(30) == 6.0
    assert found.next_poll(36) == found.next_poll(64) == found.step == 2.0
    assert found.next_poll(70) == 5.0  # late: how late, decides
    assert found.next_poll(64 + 61) == 10.0
    assert found.next_poll(64 + 181) == 30.0


def test_steps_are_neither_a_storm_nor_a_doze(settings: Settings) -> None:
    assert Pace(45.0, 45.1).step == 1.0
    assert Pace(10.0, 600.0).step == 5.0
    settings.TIME_SCALE = 0.1
    assert Pace(4.5, 4.51).step == 0.1
    assert Pace(1.0, 60.0).step == 0.5


def test_a_video_costs_few_polls_and_is_seen_soon() -> None:
    """With real-life durations: 45 to 75 s, some far longer."""
    chance = random.Random(3)
    lasted: list[float] = []
    polls, late = [], []
    for number in range(400):
        takes = chance.uniform(45, 75) if number % 20 else chance.uniform(75, 200)
        found = Pace.of(lasted)
        at, count = (25.0 if found is None else found.next_poll(0.0)), 1
        while at < takes:
            at += pace.next_poll(found, at)
            count += 1
        lasted = [*lasted, at][-KEPT:]
        if number >= 40:
            polls.append(count)
            late.append(at - takes)
    assert sum(polls) / len(polls) <= 12
    assert sorted(late)[len(late) // 2] <= 1.5
    assert sorted(late)[int(len(late) * 0.9)] <= 3.0


def test_it_follows_a_model_that_becomes_faster_or_slower() -> None:
    lasted = [60.0] * KEPT
    for takes in (30.0, 90.0):
        for _ in range(4 * KEPT):
            found = learned(lasted)
            at = found.next_poll(0.0)
            while at < takes:
                at += found.next_poll(at)
            lasted = [*lasted, at][-KEPT:]
        assert takes <= learned(lasted).latest <= takes + 6


def test_an_outage_is_soon_forgotten() -> None:
    """Everything was seen minutes late; what is done at the first look brings the next one on."""
    lasted = [60.0] * (KEPT - 5) + [400.0] * 5
    assert learned(lasted) == learned([60.0] * KEPT)
    lasted, seen = [400.0] * KEPT, []
    for _ in range(KEPT):
        found = learned(lasted)
        at = min(found.next_poll(0.0), 90.0)  # as first_poll() bounds it
        while at < 60.0:
            at += found.next_poll(at)
        lasted = [*lasted, at][-KEPT:]
        seen.append(at)
    assert max(seen) <= 90
    assert max(seen[6:]) <= 66


def of(
    resolution: str | None = None, model: str = "veo3_fast", expected: float = 60.0
) -> Generation:
    """An order that was told so many seconds."""
    row = CatalogModel.objects.get(pk=model)
    parameters = {} if resolution is None else {"resolution": resolution}
    return Generation(model=row, kind=row.kind, parameters=parameters, expected_seconds=expected)


def test_no_first_look_is_later_than_customers_are_told() -> None:
    assert pace.first_poll(of(expected=60.0), Pace(400.0, 400.0)) == 60.0
    assert pace.first_poll(of("4k", expected=200.0), Pace(400.0, 400.0)) == 200.0
    assert pace.first_poll(of(), Pace(40.0, 50.0)) == 36.0


@pytest.mark.parametrize(
    ("resolution", "expected", "first"),
    [(None, 60, 25), ("720p", 60, 25), ("1080p", 120, 50), ("4k", 240, 100)],
)
def test_what_is_not_known_is_first_looked_at_in_proportion_to_what_was_told(
    resolution: str | None, expected: float, first: float, settings: Settings
) -> None:
    """A model's own figures are of 720p: by them, 4k is looked at long before it can be done."""
    model = CatalogModel.objects.get(pk="veo3_fast")
    assert (model.expected_seconds, model.first_poll_seconds) == (60, 25)
    assert pace.first_poll(of(resolution, expected=expected), None) == pytest.approx(first)
    settings.TIME_SCALE = 0.1  # the row has it in it already
    scaled = of(resolution, expected=expected * 0.1)
    assert pace.first_poll(scaled, None) == pytest.approx(first * 0.1)


def test_the_stages_learn_and_use_it(alice: Person, works: Works) -> None:
    pk = created(alice).pk
    works.run("submit")
    assert 19 < due_in(pk) <= 30  # the catalog's 25 s, more or less
    age(str(pk), accepted_at="-50 seconds")
    works.finish(str(pk))
    assert list(gate().lasted_by) == ["720p"]
    assert 50 <= gate().lasted_by["720p"][0] <= 60
    assert gate().lasted == []

    ProviderGate.objects.update(lasted_by={"720p": [50.0] * KEPT})
    other = created(alice, prompt="a fox [emulator:never]").pk
    works.run("submit")
    assert 44 < due_in(other) <= 45
    age(str(other), accepted_at="-46 seconds")
    make_due()
    works.run("poll")
    assert now(other).state == State.RUNNING
    assert 0 < due_in(other) <= 1.2


def in_resolution(person: Person, resolution: str, expected: float, marker: str = "") -> uuid.UUID:
    """A queued video of this resolution that was told so many seconds."""
    pk = created(person, prompt=f"a fox {marker}").pk
    parameters = now(pk).parameters | {"resolution": resolution}
    Generation.objects.filter(pk=pk).update(parameters=parameters, expected_seconds=expected)
    return pk


def test_each_resolution_has_a_pace_of_its_own_in_the_stages(alice: Person, works: Works) -> None:
    pk = in_resolution(alice, "4k", 240.0)
    works.run("submit")
    assert 80 <= due_in(pk) <= 120  # 100 s, more or less: not the 25 s of 720p
    age(str(pk), accepted_at="-150 seconds")
    works.finish(str(pk))
    assert list(gate().lasted_by) == ["4k"]
    assert 150 <= gate().lasted_by["4k"][0] < 240  # and what a busy machine takes to draw it

    ProviderGate.objects.update(lasted_by={"720p": [50.0] * KEPT, "4k": [200.0] * KEPT})
    small = in_resolution(alice, "720p", 60.0, "[emulator:never]")
    large = in_resolution(alice, "4k", 240.0, "[emulator:never]")
    unknown = in_resolution(alice, "1080p", 120.0, "[emulator:never]")
    works.run("submit")
    assert 44 < due_in(small) <= 45
    assert 179 < due_in(large) <= 180
    assert 40 <= due_in(unknown) <= 60
    for each in (small, large, unknown):
        age(str(each), accepted_at="-62 seconds")
    make_due()
    works.run("poll")
    assert {now(each).state for each in (small, large, unknown)} == {State.RUNNING}
    assert due_in(small) <= 6  # late: by the steps
    assert 90 < due_in(large) <= 142  # it cannot be done yet
    assert 8 <= due_in(unknown) <= 12


def test_the_oldest_are_forgotten(fresh_gate: ProviderGate) -> None:
    for number in range(KEPT + 5):
        pace.learn(of(), float(number))
        pace.learn(of("4k"), 100.0)
    found = gate().lasted_by
    assert found == {
        "720p": [float(number) for number in range(5, KEPT + 5)],
        "4k": [100.0] * KEPT,
    }
    assert pace.learned() == {
        ("veo3_fast", "720p"): Pace.of(found["720p"]),
        ("veo3_fast", "4k"): Pace(100.0, 100.0),
    }


def test_what_was_learned_before_counts_as_720p_until_there_is_enough(
    fresh_gate: ProviderGate,
) -> None:
    ProviderGate.objects.update(lasted=[50.0] * KEPT)
    assert pace.learned() == {("veo3_fast", "720p"): Pace(50.0, 50.0)}
    for _ in range(ENOUGH - 1):
        pace.learn(of("720p"), 30.0)
        pace.learn(of("4k"), 90.0)
    assert pace.learned() == {("veo3_fast", "720p"): Pace(50.0, 50.0), ("veo3_fast", "4k"): None}
    pace.learn(of(), 30.0)
    pace.learn(of("4k"), 90.0)
    assert pace.learned() == {
        ("veo3_fast", "720p"): Pace(30.0, 30.0),
        ("veo3_fast", "4k"): Pace(90.0, 90.0),
    }
    assert gate().lasted == [50.0] * KEPT  # for the release before, if it comes back


def test_an_image_has_no_resolution(fresh_gate: ProviderGate) -> None:
    new_gate("image", lasted=[7.0] * KEPT)
    image = of(model="image")
    assert pace.key_of(image) == ("image", "")
    assert pace.learned()[pace.key_of(image)] == Pace(7.0, 7.0)
    for _ in range(ENOUGH):
        pace.learn(image, 5.0)
    assert gate("image").lasted_by == {"": [5.0] * ENOUGH}
    assert pace.learned()["image", ""] == Pace(5.0, 5.0)


def test_a_gate_that_the_release_before_made_has_learned_nothing() -> None:
    """It does not know the column."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO generation_providergate (model_id, next_submit_at, window_ends_at, calls,"
            " failures, quota_errors, trips) VALUES ('veo3_fast', now(), now(), 0, 0, 0, 0)"
        )
    assert gate().lasted_by == {}
    assert pace.learned() == {("veo3_fast", "720p"): None}
    pace.learn(of(), 5.0)
    assert gate().lasted_by == {"720p": [5.0]}


def test_a_model_that_was_never_asked_for_has_nothing_to_learn_in() -> None:
    pace.learn(of(model="veo3"), 5.0)
    assert not ProviderGate.objects.filter(pk="veo3").exists()
    assert pace.first_poll(of(model="veo3"), None) > 0


@pytest.fixture
def fresh_gate() -> ProviderGate:
    return new_gate("veo3_fast")
