"""Spending by day: charges minus refunds, in UTC, of the newest entries alone."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from credits import ledger, spending
from credits.models import LedgerEntry
from tests.credits.test_constraints import charge
from tests.support.ledgers import fill
from tests.support.people import Person

NOW = datetime(2026, 11, 29, 22, 5, tzinfo=UTC)
Shift = Callable[[Any, datetime], None]


@pytest.fixture
def shift(admin_connection: psycopg.Connection) -> Shift:
    """Move an entry's time, which nobody else can."""

    def move(entry_id: Any, when: datetime) -> None:
        admin_connection.execute("SET session_replication_role = replica")
        admin_connection.execute(
            "UPDATE credits_ledgerentry SET created_at = %s WHERE id = %s", [when, entry_id]
        )
        admin_connection.execute("SET session_replication_role = DEFAULT")

    return move


def spent(person: Person, now: datetime = NOW) -> dict[str, int]:
    """The days on which something was spent or came back."""
    found = spending.by_day(person.account.pk, now)
    assert len(found.days) == spending.DAYS
    assert found.days[-1].day == now.date()
    assert found.spent == sum(day.spent for day in found.days)
    return {day.day.isoformat(): day.spent for day in found.days if day.spent}


def test_charges_minus_refunds_and_nothing_else(alice: Person, bob: Person) -> None:
    charge(alice)
    ledger.refund(charge(alice, 100)["charge"], "it failed")
    ledger.purchase(alice.account.pk, 500, reference="p", description="paid")
    ledger.reverse(alice.account.pk, 500, reversal_id=uuid.uuid4(), description="d")
    ledger.adjust(alice.account.pk, -5, description="sorry", created_by=alice.user.pk)
    charge(bob, 7)
    found = spending.by_day(alice.account.pk, timezone.now())
    assert (found.spent, found.days[-1].spent, found.cut_until) == (240, 240, None)


def test_an_account_without_entries_spent_nothing(alice: Person) -> None:
    found = spending.by_day(uuid.uuid4(), NOW)
    assert [day.spent for day in found.days] == [0] * 14
    assert found.cut_until is None
    assert [day.day.isoformat() for day in found.days][::13] == ["2026-11-16", "2026-11-29"]


def test_a_day_begins_and_ends_at_midnight_in_utc(alice: Person, shift: Shift) -> None:
    midnight = datetime(2026, 11, 29, tzinfo=UTC)
    instant = timedelta(microseconds=1)
    first = datetime(2026, 11, 16, tzinfo=UTC)
    moments = [first - instant, first, midnight - instant, midnight, NOW]
    for price, moment in zip((1, 2, 4, 8, 16), moments, strict=True):
        shift(charge(alice, price)["charge"], moment)
    shift(alice.entries[0].pk, first - timedelta(days=30))
    assert spent(alice, NOW) == {"2026-11-16": 2, "2026-11-28": 4, "2026-11-29": 24}


def test_a_refund_counts_on_its_own_day(alice: Person, shift: Shift) -> None:
    work = charge(alice)
    shift(work["charge"], NOW - timedelta(days=1))
    shift(ledger.refund(work["charge"], "it failed"), NOW)
    assert spent(alice, NOW) == {"2026-11-28": 240, "2026-11-29": -240}


def test_what_the_databases_clock_calls_tomorrow_is_not_lost(alice: Person, shift: Shift) -> None:
    shift(charge(alice)["charge"], datetime(2026, 11, 30, tzinfo=UTC))
    assert spent(alice, NOW) == {"2026-11-29": 240}


def test_the_next_day_moves_the_days_on(alice: Person, shift: Shift) -> None:
    shift(charge(alice, 3)["charge"], NOW - timedelta(days=13))
    shift(charge(alice, 4)["charge"], NOW)
    assert spent(alice, NOW) == {"2026-11-16": 3, "2026-11-29": 4}
    assert spent(alice, NOW + timedelta(days=1)) == {"2026-11-29": 4}


def test_what_is_remembered_is_added_to_exactly(alice: Person) -> None:
    charge(alice)
    now = timezone.now()
    with CaptureQueriesContext(connection) as asked:
        assert spending.by_day(alice.account.pk, now).spent == 240
        assert len(asked) == 2
        ledger.refund(charge(alice, 100)["charge"], "it failed")
        charge(alice, 1)
    with CaptureQueriesContext(connection) as asked:
        assert spending.by_day(alice.account.pk, now).spent == 241
        assert len(asked) == 1


def cut(person: Person, now: datetime = NOW) -> tuple[str | None, dict[str, int]]:
    until = spending.by_day(person.account.pk, now).cut_until
    return None if until is None else until.isoformat(), spent(person, now)


def test_a_day_that_is_cut_off_is_said(
    alice: Person, shift: Shift, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spending, "NEWEST", 4)
    shift(alice.entries[0].pk, NOW - timedelta(days=3))
    for days in (2, 2, 1):
        shift(charge(alice)["charge"], NOW - timedelta(days=days))
    # four entries, and the first of all is among them
    assert cut(alice) == (None, {"2026-11-27": 480, "2026-11-28": 240})
    spending._remembered.clear()
    shift(charge(alice)["charge"], NOW)
    expected = {"2026-11-27": 480, "2026-11-28": 240, "2026-11-29": 240}
    assert cut(alice) == ("2026-11-27", expected)
    spending._remembered.clear()
    for _ in range(4):
        shift(charge(alice, 10)["charge"], NOW)
    assert cut(alice) == ("2026-11-29", {"2026-11-29": 40})
    assert [day.is_whole for day in spending.by_day(alice.account.pk, NOW).days] == [False] * 14


def test_entries_of_before_the_days_are_nobodys_loss(
    alice: Person, shift: Shift, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spending, "NEWEST", 2)
    for days in (20, 15, 14, 3):
        shift(charge(alice)["charge"], NOW - timedelta(days=days))
    assert cut(alice) == (None, {"2026-11-26": 240})


def test_more_news_than_are_read_stand_for_themselves(
    alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spending, "NEWEST", 3)
    now = timezone.now()
    charge(alice, 100)
    assert spending.by_day(alice.account.pk, now).spent == 100
    for _ in range(3):
        charge(alice, 1)
    found = spending.by_day(alice.account.pk, now)
    assert (found.spent, found.cut_until) == (3, now.date())


def test_it_reads_the_newest_entries_of_a_long_ledger_by_their_index(
    alice: Person,
    bob: Person,
    admin_connection: psycopg.Connection,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As few of them as 20,000 are of a million; of a short ledger all may be read and sorted."""
    monkeypatch.setattr(spending, "NEWEST", 600)
    fill(admin_connection, bob, 5_000, 10)
    fill(admin_connection, alice, 30_000, 600)
    admin_connection.execute("ANALYZE credits_ledgerentry")
    today = timezone.now().date()
    values: dict[str, Any] = {"account": alice.account.pk, "after": 0, "newest": spending.NEWEST}
    values |= {"before": today - timedelta(days=spending.DAYS), "today": today}
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {spending.READ}", values)
        answer: Any = cursor.fetchone()
    nodes = walk(answer[0][0]["Plan"])
    (read,) = [node for node in nodes if node.get("Relation Name") == "credits_ledgerentry"]
    assert read["Index Name"] == "ledger_sequence_unique_in_wallet"
    assert read["Actual Rows"] == spending.NEWEST
    assert not [node for node in nodes if node["Node Type"] == "Sort"]
    found = spending.by_day(alice.account.pk, timezone.now())
    newest = LedgerEntry.objects.filter(wallet_id=alice.account.pk).order_by("-sequence")
    counted = newest.values_list("kind", "amount", "created_at")[: spending.NEWEST]
    first = found.days[0].day
    assert found.spent == -sum(
        amount
        for kind, amount, when in counted
        if kind in ("charge", "refund") and when.date() >= first
    )


def walk(plan: dict[str, Any]) -> list[dict[str, Any]]:
    return [plan, *(node for child in plan.get("Plans", ()) for node in walk(child))]
