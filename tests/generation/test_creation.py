"""What a create does, and cannot be talked into, below the view."""

from __future__ import annotations

import os
import time

import psycopg
import pytest
import redis
from django.db import IntegrityError, transaction

from dev.embedded.processes import wait_until
from generation import creation
from generation.models import Generation
from tests.support.bring_to import order
from tests.support.people import Person
from work import wake


@pytest.mark.parametrize("price", [0, -5])
def test_a_price_that_is_none_charges_nothing(price: int, alice: Person) -> None:
    """The catalog's own rule says so first; without it the ledger's still does."""
    asked = order(alice, "key")
    asked.model.price = price
    with pytest.raises(IntegrityError) as caught:
        creation.create(asked)
    assert isinstance(caught.value.__cause__, psycopg.Error)
    assert caught.value.__cause__.diag.constraint_name == "ledger_sign_follows_kind"
    assert alice.balance == 1000
    assert not Generation.objects.exists()


@pytest.mark.parametrize(
    ("images", "stage"), [([], "submit"), (["https://example.com/a.png"], "prepare")]
)
def test_its_first_stage_is_woken_on_commit(images: list[str], stage: str, alice: Person) -> None:
    with redis.Redis.from_url(os.environ["REDIS_URL"]) as queues:
        assert wait_until(lambda: not wake._waker._stages, 20)
        time.sleep(4 * wake.PAUSE)  # what an earlier test hinted at is published by now
        queues.delete(stage, f"wake:{stage}")
        with transaction.atomic():
            creation.create(order(alice, source_image_urls=images))
            time.sleep(4 * wake.PAUSE)
            assert not queues.llen(stage), "a worker would not see the row yet"
        assert wait_until(lambda: queues.llen(stage) == 1, 5)
