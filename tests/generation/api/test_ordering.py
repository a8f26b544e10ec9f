"""Orders of a member without a key: judged, limited and replayed like those of the API."""

from __future__ import annotations

import uuid
from functools import partial
from typing import Any

import pytest
from rest_framework.exceptions import ValidationError

from accounts.caller import Caller
from common.fresh import Fresh
from common.idempotency import IdempotencyKeyReused
from credits.models import LedgerEntry
from generation.api import ordering
from generation.models import CatalogModel, Generation
from generation.order import CreateResult
from generation.refusals import PriceAboveMax
from tests.support.people import Person
from tests.support.racing import race


def asked(person: Person, key: str | None = "console-1", **body: Any) -> ordering.Request:
    return ordering.Request(
        caller=Caller.by_member(person.account.pk, person.user.pk),
        kind="video",
        body={"prompt": "a red fox"} | body,
        path="console",
        idempotency_key=key,
        event_data={"via": "console"},
    )


def test_a_member_orders_without_a_key(alice: Person) -> None:
    answer = ordering.place(asked(alice))
    made = Generation.objects.get(pk=answer.generation_id)
    assert (made.created_by_id, made.api_key_id) == (alice.user.pk, None)
    assert (made.account_id, made.price, alice.balance) == (alice.account.pk, 240, 760)
    assert made.events.get().data == {"via": "console"}


def test_the_same_name_orders_once_however_many_race(alice: Person) -> None:
    answers = race([partial(ordering.place, asked(alice))] * 8, at_once=8)
    found = [answer for answer in answers if isinstance(answer, CreateResult)]
    assert len(found) == 8
    assert len({answer.generation_id for answer in found}) == 1
    assert (Generation.objects.count(), alice.balance) == (1, 760)


def test_a_replay_needs_neither_model_nor_price_of_then(alice: Person) -> None:
    first = ordering.place(asked(alice))
    CatalogModel.objects.update(enabled=False)
    Fresh.clear_all()
    again = ordering.place(asked(alice))
    assert (again.generation_id, again.replayed) == (first.generation_id, True)
    assert ordering.replayed(asked(alice)) is not None
    assert ordering.replayed(asked(alice, key=str(uuid.uuid4()))) is None


def test_another_order_under_the_same_name_is_refused(alice: Person) -> None:
    ordering.place(asked(alice))
    with pytest.raises(IdempotencyKeyReused):
        ordering.place(asked(alice, prompt="a blue fox"))
    assert alice.balance == 760


def test_a_refused_order_writes_nothing(alice: Person) -> None:
    with pytest.raises(ValidationError):
        ordering.place(asked(alice, prompt=" "))
    with pytest.raises(PriceAboveMax):
        ordering.place(asked(alice, max_credits=239))
    assert (Generation.objects.count(), LedgerEntry.objects.filter(kind="charge").count()) == (0, 0)
