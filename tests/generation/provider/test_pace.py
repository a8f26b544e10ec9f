"""Polls come when the last operations of the same model were done."""

from __future__ import annotations

import random

import pytest
from pytest_django.fixtures import Settings

from generation.models import CatalogModel, ProviderGate
from generation.models.states import State
from generation.provider import pace
from generation.provider.pace import ENOUGH, KEPT, Pace
from tests.generation.stages.test_submit import due_in, now
from tests.support.bring_to import created
from tests.support.people import Person
from tests.support.works import Works, age, make_due


def gate(name: str = "veo3_fast") -> ProviderGate:
    return ProviderGate.objects.get(pk=name)


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


def test_no_first_look_is_later_than_customers_are_told() -> None:
    model = CatalogModel.objects.get(pk="veo3_fast")
    assert pace.first_poll(model, Pace(400.0, 400.0)) == model.expected_seconds
    assert pace.first_poll(model, Pace(40.0, 50.0)) == 36.0


def test_the_stages_learn_and_use_it(alice: Person, works: Works) -> None:
    pk = created(alice).pk
    works.run("submit")
    assert 19 < due_in(pk) <= 30  # the catalog's 25 s, more or less
    age(str(pk), accepted_at="-50 seconds")
    works.finish(str(pk))
    assert 50 <= gate().lasted[0] <= 60

    ProviderGate.objects.update(lasted=[50.0] * KEPT)
    other = created(alice, prompt="a fox [emulator:never]").pk
    works.run("submit")
    assert 44 < due_in(other) <= 45
    age(str(other), accepted_at="-46 seconds")
    make_due()
    works.run("poll")
    assert now(other).state == State.RUNNING
    assert 0 < due_in(other) <= 1.2


def test_the_oldest_are_forgotten(fresh_gate: ProviderGate) -> None:
    for number in range(KEPT + 5):
        pace.learn("veo3_fast", float(number))
    assert gate().lasted == [float(number) for number in range(5, KEPT + 5)]
    assert pace.learned()["veo3_fast"] == Pace.of(gate().lasted)


def test_a_model_that_was_never_asked_for_has_nothing_to_learn_in() -> None:
    pace.learn("veo3", 5.0)
    assert not ProviderGate.objects.filter(pk="veo3").exists()
    assert pace.first_poll(CatalogModel.objects.get(pk="veo3"), None) > 0


@pytest.fixture
def fresh_gate() -> ProviderGate:
    return ProviderGate.objects.create(
        model_id="veo3_fast",
        next_submit_at="2026-01-01T00:00:00Z",
        window_ends_at="2026-01-01T00:00:00Z",
    )
