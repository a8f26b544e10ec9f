"""Asking for events, and sending them to a real receiver, as these tests do it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from tests.support.event_reader import PATH
from tests.support.people import Person
from tests.support.receiver import Receiver, receiver
from webhooks.stage import DeliverStage
from work.engine import Engine

Ask = Callable[..., dict[str, Any]]
Deliver = Callable[[], int]


@pytest.fixture
def asked(api: Callable[..., httpx.Client]) -> Ask:
    """``asked(person, after=…)``: the body of the answer."""

    def ask(person: Person, **query: Any) -> dict[str, Any]:
        answer = api(person.key).get(PATH, params=query)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    return ask


@pytest.fixture(scope="package")
def receiver_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Receiver]:
    with receiver(tmp_path_factory.mktemp("receiver")) as running:
        yield running


@pytest.fixture
def hooks(receiver_process: Receiver, settings: Any) -> Receiver:
    """The receiver, which may be sent to and has forgotten all."""
    receiver_process.http.post("/receiver/reset").raise_for_status()
    settings.WEBHOOK_ALLOWED_ORIGINS = frozenset({receiver_process.url})
    settings.PUBLIC_BASE_URL = "https://api.example.com"
    return receiver_process


@pytest.fixture
def deliver() -> Iterator[Deliver]:
    """One pass of the stage over what is due; how many deliveries it was."""
    engine = Engine()
    yield lambda: engine.run(DeliverStage(), seconds=0.0)
    engine.close()
