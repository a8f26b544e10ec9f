"""Events end after their days, in batches, and what is younger stays."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from django.utils import timezone

from events import retention
from events.models import Event, Type
from generation.tasks import store
from tests.support.aged_ids import days_ago
from tests.support.people import Person


@pytest.fixture
def aged(alice: Person, admin_connection: psycopg.Connection) -> Any:
    """``aged(*ages)``: events of Alice's, each so many days old, in this order."""

    def make(*ages: float) -> list[uuid.UUID]:
        made = []
        for number, age in enumerate(ages, start=1):
            made.append(days_ago(age, number))
            Event.objects.create(
                id=made[-1],
                account=alice.account,
                sequence=number,
                type=Type.FAILED,
                generation_id=uuid.uuid4(),
                created_at=timezone.now() - timedelta(days=age),
            )
        return made

    return make


def left() -> list[uuid.UUID]:
    return list(Event.objects.order_by("sequence").values_list("id", flat=True))


def test_what_is_older_goes_and_the_rest_stays(aged: Any) -> None:
    made = aged(90, 30.1, 30.02, 29.9, 0)
    assert retention.prune() == 2
    assert left() == made[2:]  # an hour of grace, for clocks that differ


def test_a_setting_says_how_long(aged: Any, settings: Any) -> None:
    made = aged(2_000, 9, 1)
    settings.EVENT_RETENTION_DAYS = 0
    assert retention.prune() == 0
    settings.EVENT_RETENTION_DAYS = 99_999_999
    assert retention.prune() == 0
    settings.EVENT_RETENTION_DAYS = 1_999
    assert retention.prune() == 1
    settings.EVENT_RETENTION_DAYS = 8
    assert retention.prune() == 1
    assert left() == made[2:]


def test_it_goes_in_batches_and_ends(aged: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "BATCH", 2)
    monkeypatch.setattr(retention, "BATCHES", 3)
    made = aged(*[40] * 9, 1)
    assert retention.prune() == 6
    assert left() == made[6:]
    assert retention.prune() == 3
    assert left() == made[9:]


def test_the_stage_does_it(aged: Any, works: Any) -> None:
    made = aged(40, 1)
    store.retention()
    assert left() == made[1:]
