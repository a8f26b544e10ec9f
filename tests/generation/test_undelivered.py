"""Orders for nothing: what was canceled or failed cost no credits, and has a bound of its own."""

from __future__ import annotations

import math
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import httpx
import psycopg
import pytest
from pytest_django.fixtures import Settings

from credits.models import LedgerEntry, Wallet
from generation.models import Generation, GenerationEvent
from generation.models.states import State
from staff import customers
from tests.contract.answers import error
from tests.support.bring_to import created, reached
from tests.support.people import Person, make_staff

Api = Callable[..., httpx.Client]
VIDEO = "/api/v1/generate/video/"
DAY = 86_400
SENTENCE = "Too many generations were canceled or failed within a day, try again in {} seconds"


@pytest.fixture
def client(api: Api, alice: Person, settings: Settings) -> httpx.Client:
    """Alice's, of whom five orders a day may come to nothing."""
    settings.MAX_UNDELIVERED_PER_DAY = 5
    return api(alice.key)


def rows() -> tuple[int, int, int]:
    tables = (Generation, LedgerEntry, GenerationEvent)
    return tuple(table.objects.count() for table in tables)  # type: ignore[return-value]


def order_and_cancel(client: httpx.Client) -> None:
    made = client.post(VIDEO, json={"prompt": "p"})
    assert made.status_code == 201, made.text
    assert client.post(f"{made.headers['Location']}cancel/").status_code == 200


def refused(client: httpx.Client, person: Person) -> int:
    """Assert that nothing happens; how long to wait."""
    before, balance = rows(), person.balance
    answer = client.post(VIDEO, json={"prompt": "p"})
    wait = int(answer.headers["Retry-After"])
    assert error(answer, 429, "rate_limited")["error"] == SENTENCE.format(wait)
    assert (rows(), person.balance) == (before, balance)
    return wait


def test_cancels_in_a_loop_have_an_end(client: httpx.Client, alice: Person) -> None:
    for _ in range(5):
        order_and_cancel(client)
    wait = refused(client, alice)
    assert 0 < wait <= DAY / 5
    assert alice.balance == 1000
    key = {"Idempotency-Key": "k"}
    assert client.post(VIDEO, json={"prompt": "p"}, headers=key).status_code == 429
    set_back(alice, wait)
    assert client.post(VIDEO, json={"prompt": "p"}, headers=key).status_code == 201
    again = client.post(VIDEO, json={"prompt": "p"}, headers=key)
    assert again.headers["Idempotent-Replayed"] == "true"


def set_back(person: Person, seconds: float) -> None:
    """As if so much time had passed."""
    wallet = Wallet.objects.get(pk=person.account.pk)
    assert wallet.refunds_until is not None
    wallet.refunds_until -= timedelta(seconds=seconds)
    wallet.save(update_fields=["refunds_until"])


def test_from_then_on_it_is_so_many_a_day(client: httpx.Client, alice: Person) -> None:
    for _ in range(5):
        order_and_cancel(client)
    for _ in range(3):
        set_back(alice, refused(client, alice))
        order_and_cancel(client)
        assert refused(client, alice) > DAY / 5 - 60
    set_back(alice, 2 * DAY)
    for _ in range(5):
        order_and_cancel(client)
    refused(client, alice)


def test_failures_count_and_deliveries_do_not(client: httpx.Client, alice: Person) -> None:
    for state in (State.FAILED, State.CANCELED, State.FAILED, State.CANCELED):
        reached(alice, state)
        reached(alice, State.COMPLETED, model="image")
    order_and_cancel(client)
    refused(client, alice)


def test_what_is_open_is_told_first(client: httpx.Client, alice: Person) -> None:
    for _ in range(5):
        order_and_cancel(client)
    Wallet.objects.filter(pk=alice.account.pk).update(max_open_charges=0)
    error(client.post(VIDEO, json={"prompt": "p"}), 429, "too_many_open_generations")
    Wallet.objects.filter(pk=alice.account.pk).update(balance=0)
    extra = ("credits_needed", "credits_balance", "video_model", "generation_type")
    error(client.post(VIDEO, json={"prompt": "p"}), 402, "insufficient_credits", *extra)


def test_nobody_else_is_bounded_by_it(
    client: httpx.Client, api: Api, alice: Person, bob: Person
) -> None:
    for _ in range(5):
        order_and_cancel(client)
    refused(client, alice)
    order_and_cancel(api(bob.key))


def test_an_honest_customer_never_meets_it(settings: Settings) -> None:
    """Fifty open ones that all fail at their deadline, all day long."""
    assert settings.MAX_OPEN_GENERATIONS * DAY / settings.DEADLINE > 2000
    hours = settings.MAX_UNDELIVERED_PER_DAY / (settings.MAX_OPEN_GENERATIONS * 3600 / 1800)
    assert math.floor(hours) >= 20


@contextmanager
def locked(person: Person) -> Iterator[None]:
    """Somebody else holds the wallet."""
    wallet = Wallet.objects.filter(pk=person.account.pk)
    with psycopg.connect(_url(), autocommit=True) as other, other.transaction():
        other.execute(
            "SELECT FROM credits_wallet WHERE account_id = %s FOR UPDATE", [wallet.get().pk]
        )
        yield


def _url() -> str:
    return os.environ["TEST_ADMIN_URL"]


def test_who_waits_for_the_wallet_is_suspended_too(api: Api, alice: Person) -> None:
    """Authentication looked before; the statement looks again, when it has the wallet."""
    created(alice)
    before, balance = rows(), alice.balance
    answers: list[httpx.Response] = []
    client = api(alice.key)

    def ask() -> None:
        answers.append(client.post(VIDEO, json={"prompt": "p"}))

    thread = threading.Thread(target=ask)
    with locked(alice):
        thread.start()
        _until_somebody_waits()
        customers.suspend(make_staff(), alice.account, {"reason": "abuse"})
    thread.join(20)
    error(answers[0], 403, "account_suspended")
    assert (rows(), alice.balance) == (before, balance)


def _until_somebody_waits() -> None:
    with psycopg.connect(_url(), autocommit=True) as other:
        for _ in range(200):
            waiting = other.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
                " AND datname = current_database()"
            ).fetchone()
            if waiting and waiting[0]:
                return
            time.sleep(0.01)
    raise AssertionError("nobody waits")


def test_limits_and_charges_do_not_wait_for_each_other(api: Api, alice: Person) -> None:
    """Both take the wallet first and the account then."""
    client, boss = api(alice.key), make_staff()
    values: dict[str, Any] = {"reason": "as agreed", "max_open_charges": 40}
    values |= {"creates_per_minute": None, "reads_per_minute": None}
    statuses: list[int] = []

    def ask() -> None:
        for _ in range(8):
            answer = client.post("/api/v1/generate/", json={"prompt": "p"})
            statuses.append(answer.status_code)

    thread = threading.Thread(target=ask)
    thread.start()
    for _ in range(8):
        customers.limit(boss, alice.account, values)
    thread.join(30)
    assert statuses == [201] * 8
