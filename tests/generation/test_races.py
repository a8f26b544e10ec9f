"""Many at once, on real commits: exactly as many as the balance, the key or the state allow."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any

import httpx
import psycopg
import pytest
from django.db import connections, transaction

from accounts.models import Account
from credits.models import Wallet
from generation import lifecycle
from generation.creation import create
from generation.lifecycle import NotCancelable
from generation.models import Generation, GenerationEvent
from generation.models.states import State
from generation.order import CreateResult
from generation.refusals import InsufficientCredits, TooManyOpenGenerations
from tests.credits.test_ledger import sums_up
from tests.support.bring_to import (
    PATH,
    ROUTE,
    created,
    kept,
    order,
    reached,
)
from tests.support.people import Person, make_person
from tests.support.racing import race, wait_until_blocked
from work import due

Api = Callable[..., httpx.Client]


def no_rate_limit(person: Person) -> None:
    Account.objects.filter(pk=person.account.pk).update(creates_per_minute=100_000)


def test_two_hundred_creates_on_a_balance_for_ten() -> None:
    alice = make_person("alice", 2400)
    results = race([partial(create, order(alice))] * 200)
    kinds = Counter(type(result) for result in results)
    assert kinds == {CreateResult: 10, InsufficientCredits: 190}
    balances = [result.balance for result in results if isinstance(result, CreateResult)]
    assert sorted(balances) == list(range(0, 2400, 240))
    assert alice.balance == 0
    assert Generation.objects.count() == GenerationEvent.objects.count() == 10
    assert Generation.objects.values("charge").distinct().count() == 10
    assert sums_up(alice)


def test_creates_over_http_on_a_balance_for_four(api: Api, alice: Person) -> None:
    no_rate_limit(alice)
    client = api(alice.key)
    ask = partial(client.post, PATH, json={"prompt": "p"})
    answers = [answer for answer in race([ask] * 40) if isinstance(answer, httpx.Response)]
    assert Counter(answer.status_code for answer in answers) == {201: 4, 402: 36}
    assert sorted(
        answer.json()["data"]["credits_remaining"]
        for answer in answers
        if answer.status_code == 201
    ) == [40, 280, 520, 760]
    assert {answer.json()["error"] for answer in answers if answer.status_code == 402} == {
        "Insufficient credits. Need 240, have 40"
    }
    assert alice.balance == 40
    assert sums_up(alice)


def test_a_hundred_replays_of_one_key(api: Api, alice: Person) -> None:
    no_rate_limit(alice)
    client = api(alice.key, **{"Idempotency-Key": "only-once"})
    results = race([partial(client.post, PATH, json={"prompt": "p"})] * 100)
    answers = [answer for answer in results if isinstance(answer, httpx.Response)]
    assert [answer.status_code for answer in answers] == [201] * 100
    first = answers[0].json()
    assert all(answer.json() == first for answer in answers)
    assert len({answer.headers["Location"] for answer in answers}) == 1
    replayed = [answer for answer in answers if "Idempotent-Replayed" in answer.headers]
    assert len(replayed) == 99
    assert Generation.objects.count() == 1
    assert [entry.kind for entry in alice.entries] == ["grant", "charge"]
    assert first["data"]["credits_remaining"] == alice.balance == 760


def test_one_key_with_two_bodies_at_once(alice: Person) -> None:
    calls = [partial(create, order(alice, "key", prompt=text)) for text in ("a", "b")] * 20
    results = race(calls)
    made = {result.generation_id for result in results if isinstance(result, CreateResult)}
    assert len(made) == 1
    assert Counter(type(result).__name__ for result in results) == {
        "CreateResult": 20,
        "IdempotencyKeyReused": 20,
    }
    assert alice.balance == 760


def test_the_open_limit_holds_under_a_race(alice: Person) -> None:
    Wallet.objects.filter(account=alice.account).update(max_open_charges=2)
    results = race([partial(create, order(alice))] * 40)
    assert Counter(type(result) for result in results) == {
        CreateResult: 2,
        TooManyOpenGenerations: 38,
    }
    assert alice.balance == 520
    assert Wallet.objects.get(account=alice.account).open_charges == 2


def finishers(generation: Generation) -> list[Callable[[], Any]]:
    """Twenty that deliver, twenty that fail it, twenty that cancel; all believe to hold it."""
    output = kept(generation)
    return [
        partial(lifecycle.complete, generation, **output),
        partial(lifecycle.fail, generation, "timeout", "Too late"),
        partial(lifecycle.cancel, generation.pk),
    ] * 20


@pytest.mark.parametrize(
    ("state", "winners"),
    [(State.QUEUED, {"failed", "canceled"}), (State.STORING, {"completed", "failed"})],
)
def test_sixty_racing_finishers(state: State, winners: set[str], alice: Person) -> None:
    generation = reached(alice, state)
    results = race(finishers(generation))
    assert sum(result is True for result in results) == 1
    losers = [result for result in results if result is not True]
    assert all(result is False or isinstance(result, NotCancelable) for result in losers)
    generation = Generation.objects.get(pk=generation.pk)
    assert generation.state in winners
    assert GenerationEvent.objects.filter(is_terminal=True).count() == 1
    refunds = [entry for entry in alice.entries if entry.kind == "refund"]
    assert len(refunds) == (generation.state != State.COMPLETED)
    assert Wallet.objects.get(account=alice.account).open_charges == 0
    assert alice.balance == (1000 if refunds else 760)
    assert sums_up(alice)


def test_claims_are_disjoint_and_complete(alice: Person) -> None:
    person = make_person("carol", 24 * 60)
    Wallet.objects.filter(account=person.account).update(max_open_charges=60)
    wanted = {created(person, model="image").pk for _ in range(60)}
    results = race([partial(due.claim, Generation, [State.QUEUED], 5, 90.0)] * 20)
    batches = [batch for batch in results if isinstance(batch, list)]
    got = [row.pk for batch in batches for row in batch]
    assert len(got) == len(set(got))
    got += [row.pk for row in due.claim(Generation, [State.QUEUED], 60, 90)]
    assert set(got) == wanted
    assert len(got) == 60
    assert due.claim(Generation, [State.QUEUED], 60, 90) == []
    assert due.claim(Generation, [State.QUEUED], 0, 90) == []


Verb = Callable[[Generation], Any]
VERBS: dict[str, Verb] = {
    "success": lambda generation: lifecycle.complete(generation, **kept(generation)),
    "deadline": lambda generation: lifecycle.fail(generation, "timeout", "Too late"),
    "cancel": lambda generation: lifecycle.cancel(generation.pk),
    "ask": lambda generation: lifecycle.begin_attempt(generation, ROUTE),
}


@pytest.mark.parametrize(
    ("state", "first", "second", "ends", "loser"),
    [
        (State.STORING, "success", "deadline", "completed", False),
        (State.STORING, "deadline", "success", "failed", False),
        (State.STORING, "success", "cancel", "completed", NotCancelable),
        (State.QUEUED, "cancel", "deadline", "canceled", False),
        (State.QUEUED, "deadline", "cancel", "failed", NotCancelable),
        (State.QUEUED, "cancel", "ask", "canceled", None),
        (State.QUEUED, "ask", "cancel", "submitting", NotCancelable),
        (State.QUEUED, "cancel", "cancel", "canceled", False),
        (State.STORING, "deadline", "deadline", "failed", False),
    ],
)
def test_whoever_holds_the_row_lock_first_decides(
    state: State,
    first: str,
    second: str,
    ends: str,
    loser: Any,
    alice: Person,
    admin_connection: psycopg.Connection,
) -> None:
    """The second one is made to wait inside its statement until the first one commits."""
    generation = reached(alice, state)
    answer: list[Any] = []

    def late() -> None:
        try:
            answer.append(VERBS[second](generation))
        except NotCancelable:
            answer.append(NotCancelable)
        finally:
            connections.close_all()

    thread = threading.Thread(target=late)
    with transaction.atomic():
        assert VERBS[first](generation)
        thread.start()
        wait_until_blocked(admin_connection, "generation_generation")
    thread.join(10)
    assert answer == [loser]
    assert Generation.objects.get(pk=generation.pk).state == ends
    refunds = [entry for entry in alice.entries if entry.kind == "refund"]
    assert len(refunds) == (ends in {"failed", "canceled"})
    assert sums_up(alice)


def test_accounts_do_not_wait_for_each_other(alice: Person, bob: Person) -> None:
    with transaction.atomic():
        Wallet.objects.select_for_update().get(account=alice.account)
        (result,) = race([partial(create, order(bob))], at_once=1)
    assert isinstance(result, CreateResult)
