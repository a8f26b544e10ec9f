"""The views that the benchmark builds a request up from do what their names say, for real."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from pytest_django.fixtures import Settings

from dev.benchmarks import steps
from dev.benchmarks.api import ORDER
from dev.benchmarks.figures import Measured, Rounds
from generation.models import Generation
from tests.support.people import Person


@pytest.fixture(autouse=True)
def _bare(settings: Settings) -> None:
    settings.ROOT_URLCONF = "dev.benchmarks.bare"
    settings.MIDDLEWARE = []


class Statements:
    """Counts what is sent to the database."""

    count = 0

    def __call__(self, execute: Any, *rest: Any) -> Any:
        self.count += 1
        return execute(*rest)


def headers(person: Person) -> dict[str, str]:
    return {"Authorization": f"Bearer {person.key}", "Idempotency-Key": uuid.uuid4().hex}


@pytest.mark.parametrize(
    ("path", "statements"), list(zip(steps.CREATE_STEPS.values(), (1, 2, 2), strict=True))
)
def test_each_create_charges_by_so_many_statements(
    client: Client, alice: Person, path: str, statements: int
) -> None:
    def create() -> Any:
        return client.post(f"/{path}/", ORDER, "application/json", headers=headers(alice))

    create()  # from now on the model is known, and where it has to be, the key
    with connection.execute_wrapper(counted := Statements()):
        answer = create()
    assert (answer.status_code, answer.json()["balance"]) == (201, 1000 - 2 * 240)
    assert counted.count == statements
    assert Generation.objects.filter(account=alice.account).count() == 2


@pytest.mark.parametrize("path", list(steps.STATUS_STEPS.values()))
def test_each_status_is_one_statement(client: Client, alice: Person, path: str) -> None:
    client.post("/create/", ORDER, "application/json", headers=headers(alice))
    made = Generation.objects.get()
    with connection.execute_wrapper(counted := Statements()):
        answer = client.get(f"/{path}/{made.pk}/", headers=headers(alice))
    assert (answer.json()["id"], counted.count) == (str(made.pk), 1)


def test_ours_is_served_beside_them(client: Client, alice: Person) -> None:
    answer = client.post(
        "/api/v1/generate/video/", ORDER, "application/json", headers=headers(alice)
    )
    assert answer.status_code == 201
    path = answer.headers["Location"]
    assert client.get(path, headers=headers(alice)).json()["status"] == "processing"


def test_statuses_are_shares_of_the_floor_and_creates_multiples_of_the_textbook() -> None:
    rounds = Rounds()
    names = (*steps.STATUS_STEPS, steps.BARE_STATUS, steps.REAL_STATUS)
    creates = (*steps.CREATE_STEPS, steps.BARE_CREATE, steps.REAL_CREATE)
    for name in names:
        rounds.add(name, Measured(500.0))
    for name in creates:
        rounds.add(name, Measured(600.0))
    rounds.add(steps.FLOOR, Measured(1000.0))
    rounds.add(steps.TEXTBOOK, Measured(300.0))
    found = steps.figures(rounds)["steps"]
    assert found == dict.fromkeys(names, 0.5) | dict.fromkeys(creates, 2.0)
