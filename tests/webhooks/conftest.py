"""Asking for events, as these tests do it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.support.people import Person

PATH = "/api/v1/events/"
Ask = Callable[..., dict[str, Any]]


@pytest.fixture
def asked(api: Callable[..., httpx.Client]) -> Ask:
    """``asked(person, after=…)``: the body of the answer."""

    def ask(person: Person, **query: Any) -> dict[str, Any]:
        answer = api(person.key).get(PATH, params=query)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    return ask
