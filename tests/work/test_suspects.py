"""A row that kills its workers must not take the rows of its batch with it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from generation.models import CatalogModel, Generation
from generation.models.states import State
from generation.provider import gate
from tests.support.bring_to import created
from tests.support.people import Person, make_person
from work import due


@pytest.fixture
def rich() -> Person:
    CatalogModel.objects.filter(pk="veo3_fast").update(submits_per_minute=6000)
    return make_person("rich", 100_000)


def by_due(limit: int) -> list[Generation]:
    return due.claim(Generation, [State.QUEUED], limit, 90)


@pytest.mark.parametrize("claim", [by_due, gate.claim])
def test_of_the_suspects_one_is_claimed_with_all_others(
    claim: Callable[[int], list[Generation]], rich: Person
) -> None:
    suspects = {created(rich).pk for _ in range(3)}
    Generation.objects.filter(pk__in=suspects).update(strikes=due.SUSPECT)
    others = {created(rich).pk for _ in range(4)}
    first = {row.pk for row in claim(10)}
    assert others < first
    assert len(first & suspects) == 1
    second = {row.pk for row in claim(10)}
    third = {row.pk for row in claim(10)}
    assert (len(second), len(third)) == (1, 1)
    assert first | second | third == suspects | others
    assert claim(10) == []


@pytest.mark.parametrize("claim", [by_due, gate.claim])
def test_with_room_for_one_row_everything_is_claimed_in_the_end(
    claim: Callable[[int], list[Generation]], rich: Person
) -> None:
    pks = {created(rich).pk for _ in range(4)}
    Generation.objects.filter(pk__in=list(pks)[:2]).update(strikes=due.SUSPECT)
    assert {row.pk for _ in range(4) for row in claim(1)} == pks
    assert claim(1) == []
