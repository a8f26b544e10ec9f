"""One stack for all tests of this folder, and hands that stop, resume and add its processes.

The processes are those of tests/e2e; `make test-faults` runs this folder, `make test` does not: a
lease, which lasts 5 s at least, has to pass for real here.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator

import pytest
from django.db import connections

from config.env import parse_database_url
from credits.books import check_ledger
from dev.embedded.stack import Stack
from generation.books import check_generations
from tests.e2e.conftest import Provider, _clean_slate, provider, stack
from tests.e2e.customer import Customer
from tests.support.people import make_person
from tests.system.faults.process_controls import Hands

__all__ = ["_clean_slate", "provider", "stack"]  # fixtures of tests/e2e, here with a stack of ours

CREDITS = 100_000
PRICE = 240  # credits of a video of the default model
_numbers = itertools.count()

MakeCustomer = Callable[[], Customer]


@pytest.fixture(scope="package")
def _same_database(stack: Stack) -> Iterator[None]:
    """Django in this process looks into the database of the stack, for this folder alone."""
    settings = connections["default"].settings_dict
    before = dict(settings)
    connections.close_all()
    settings |= parse_database_url(stack.env["DATABASE_URL"])
    yield
    connections.close_all()
    settings |= before
    # the books were asked after each test; this is what an operator types
    for command in ("check_ledger", "check_generations"):
        stack.manage(command, "--skip-checks")


@pytest.fixture(autouse=True)
def _books_balance(request: pytest.FixtureRequest) -> Iterator[None]:
    """After each test that uses the stack, `check_ledger` and `check_generations` are clean."""
    yield
    if "_same_database" in request.fixturenames:
        assert check_ledger().differences == []
        assert check_generations().differences == []


@pytest.fixture
def make_customer(stack: Stack, _same_database: None) -> Iterator[MakeCustomer]:
    """A customer who can pay for everything, each with an account of their own."""
    made: list[Customer] = []

    def make() -> Customer:
        person = make_person(f"customer-{next(_numbers)}", CREDITS)
        made.append(Customer(stack, person.key))
        return made[-1]

    yield make
    for customer in made:
        customer.http.close()


@pytest.fixture
def customer(make_customer: MakeCustomer) -> Customer:
    return make_customer()


@pytest.fixture
def hands(stack: Stack) -> Iterator[Hands]:
    """Afterwards everything goes on that was stopped, and what was added is gone."""
    held = Hands(stack)
    yield held
    held.open()


def finished(customer: Customer, ordered: list[str], seconds: float = 45.0) -> list[str]:
    """The statuses that the customer sees once nothing is processing any more.

    Unlike ``Customer.finished`` it starts nothing that is dead.
    """
    limit = time.monotonic() + seconds
    statuses = {}
    for generation_id in ordered:
        while (body := customer.status(generation_id))["status"] == "processing":
            assert time.monotonic() < limit, f"still processing: {body}"
            time.sleep(0.1)
        statuses[generation_id] = str(body["status"])
    return [statuses[generation_id] for generation_id in ordered]


def assert_delivered_once(customer: Customer, provider: Provider, ordered: list[str]) -> None:
    """Each was completed, plays, and was bought and paid for once; the customer bought no more."""
    assert finished(customer, ordered) == ["completed"] * len(ordered)
    assert {name: provider.bought(name) for name in ordered} == dict.fromkeys(ordered, 1)
    assert customer.balance() == CREDITS - PRICE * len(ordered)
    for generation_id in ordered:
        link = customer.status(generation_id)["video_url"]
        assert customer.http.get(link).content[4:8] == b"ftyp"
