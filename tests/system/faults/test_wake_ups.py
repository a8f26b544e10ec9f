"""Wake-ups that come too often or never: they are hints, the rows are the queue."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
import redis
from celery import Celery

from config.env import celery_broker_url
from dev.embedded.stack import Stack
from tests.e2e.conftest import Provider
from tests.e2e.customer import VIDEO, Customer
from tests.system.faults.conftest import assert_delivered_once
from tests.system.faults.process_controls import Hands

STAGES = ("prepare", "submit", "poll", "store")
DUPLICATES = 50


@pytest.fixture
def by_hand(stack: Stack) -> Iterator[Celery]:
    """Somebody who types messages."""
    with Celery("by hand", broker=celery_broker_url(stack.env["REDIS_URL"])) as app:
        yield app


def test_duplicate_wake_ups_buy_nothing_twice(
    stack: Stack, customer: Customer, provider: Provider, hands: Hands, by_hand: Celery
) -> None:
    hands.add_worker("spare", STAGES)  # somebody to race with
    hands.hold(*STAGES)
    ordered = [customer.create(VIDEO, f"asked for often {number}") for number in range(5)]
    for stage in STAGES:
        for _ in range(DUPLICATES):
            by_hand.send_task(f"generation.{stage}", queue=stage, ignore_result=True)
    hands.let_go(*STAGES)
    assert_delivered_once(customer, provider, ordered)


def test_lost_wake_ups_lose_nothing(
    stack: Stack, customer: Customer, provider: Provider, hands: Hands
) -> None:
    hands.hold(*STAGES)
    ordered = [customer.create(VIDEO, f"nobody was told {number}") for number in range(5)]
    with redis.Redis.from_url(stack.env["REDIS_URL"]) as broker:
        broker.delete(*STAGES)
        hands.let_go(*STAGES)
        for _ in range(3):
            time.sleep(0.5)
            broker.delete(*STAGES)
    assert_delivered_once(customer, provider, ordered)
