"""What is over never changes again, but for what retention may erase."""

from __future__ import annotations

import pytest
from django.db.models import F

from generation.models import Generation
from generation.states import State
from tests.generation.steps import reached
from tests.people import Person


@pytest.mark.parametrize("state", [State.COMPLETED, State.FAILED, State.CANCELED])
def test_the_prompt_may_go(state: State, alice: Person) -> None:
    row = Generation.objects.filter(pk=reached(alice, state).pk)
    assert row.update(prompt="", version=F("version") + 1) == 1
    assert row.get().prompt == ""


def test_the_file_may_go_and_the_row_says_when(alice: Person) -> None:
    film = reached(alice, State.COMPLETED)
    row = Generation.objects.filter(pk=film.pk)
    gone = {"output_key": "", "output_deleted_at": film.finished_at, "prompt": ""}
    assert row.update(**gone, version=F("version") + 1) == 1
    generation = row.get()
    assert (generation.state, generation.output_key) == (State.COMPLETED, "")
    assert (generation.output_deleted_at, generation.version) == (film.finished_at, 6)
