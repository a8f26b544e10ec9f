"""Two requests with one ``Idempotency-Key`` at once: the second one waits (contract, section 7)."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import httpx
import psycopg
import pytest
from django.db import transaction

from credits.models import Wallet
from generation.models import Generation
from generation.models.states import State
from tests.generation.api.test_idempotency import BODY, VIDEO, post, refused
from tests.support.bring_to import reached
from tests.support.people import Person
from tests.support.racing import wait_until_blocked

Api = Callable[..., httpx.Client]


@pytest.fixture
def client(api: Api, alice: Person) -> httpx.Client:
    """Alice's."""
    return api(alice.key)


def test_a_second_request_waits_for_the_first_and_then_says_so(
    client: httpx.Client, alice: Person
) -> None:
    with transaction.atomic():  # the first one, hanging before its commit
        Wallet.objects.select_for_update().get(account=alice.account)
        began = time.monotonic()
        answer = post(client, "k")
        waited = time.monotonic() - began
    assert refused(answer, 409, "idempotency_in_progress")
    assert answer.headers["Retry-After"] == "1"
    assert 1.9 < waited < 5
    assert post(client, "k").status_code == 201
    assert Generation.objects.count() == 1


def test_without_a_key_the_wait_ends_as_unavailable(client: httpx.Client, alice: Person) -> None:
    with transaction.atomic():
        Wallet.objects.select_for_update().get(account=alice.account)
        answer = client.post(VIDEO, json=BODY)
    assert refused(answer, 503, "service_unavailable")
    assert answer.headers["Retry-After"]
    assert not Generation.objects.exists()


def test_a_second_request_that_waited_is_replayed(
    client: httpx.Client, alice: Person, admin_connection: psycopg.Connection
) -> None:
    answers: list[httpx.Response] = []
    thread = threading.Thread(
        target=lambda: answers.append(post(client, "k", {"prompt": "a red fox"}))
    )
    with transaction.atomic():
        generation = reached(alice, State.QUEUED, "k")
        thread.start()
        wait_until_blocked(admin_connection, "credits_wallet")
    thread.join(10)
    assert answers[0].headers["Idempotent-Replayed"] == "true"
    assert answers[0].json()["data"]["generation_id"] == str(generation.pk)
    assert alice.balance == 760
