"""The books are checked by themselves: once a night, by one of all workers, whatever dies."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from django.db import connection
from django.utils import timezone

from credits import nightly
from credits.books import Result
from credits.models import BooksCheck, NightlyCheck
from generation.books import CHECKS, GRACE, LONGEST, check_books
from tests.support.people import Person
from tests.support.racing import race


def go_on() -> bool:
    return False


def kept() -> list[tuple[str, int]]:
    return sorted(BooksCheck.objects.values_list("command", "differences"))


CLEAN = [("check_generations", 0), ("check_ledger", 0)]


def make_due() -> None:
    assert NightlyCheck.objects.update(due_at=timezone.now() - timedelta(seconds=1)) == len(CHECKS)


def test_each_is_run_at_once_and_then_once_a_night(alice: Person) -> None:
    assert check_books(go_on) == 2
    assert kept() == CLEAN
    assert BooksCheck.objects.get(command="check_ledger").looked_at == {"wallets": 1, "entries": 1}
    for _ in range(3):
        assert check_books(go_on) == 0
    assert kept() == CLEAN
    now = datetime.now(UTC)
    for due in NightlyCheck.objects.values_list("due_at", flat=True):
        assert (due.hour, due.minute, due.second) == (nightly.HOUR, 0, 0)
        assert now < due <= now + timedelta(days=1)
    make_due()
    assert check_books(go_on) == 2
    assert kept() == sorted(CLEAN * 2)


@pytest.mark.parametrize(
    ("now", "due"),
    [
        ("2026-03-29 01:59:59+00", "2026-03-29 02:00+00"),
        ("2026-03-29 02:00:00+00", "2026-03-30 02:00+00"),
        ("2026-03-29 23:30:00+00", "2026-03-30 02:00+00"),
        ("2026-12-31 12:00:00+00", "2027-01-01 02:00+00"),
    ],
)
def test_the_night_is_the_next_one_in_utc(now: str, due: str) -> None:
    """Wherever the session's clock believes to be, and on the day when clocks change."""
    NightlyCheck.objects.create(command="x", due_at=timezone.now())
    with connection.cursor() as cursor:
        cursor.execute("SET timezone = 'Europe/Berlin'")
        try:
            statement = nightly.DONE.replace("now()", "%(now)s::timestamptz")
            cursor.execute(statement, {"command": "x", "hour": nightly.HOUR, "now": now})
        finally:
            cursor.execute("SET timezone = 'UTC'")
    assert NightlyCheck.objects.get().due_at == datetime.fromisoformat(due)


def test_a_check_says_when_it_is_due() -> None:
    at = datetime(2026, 11, 30, 2, 30, tzinfo=UTC)
    assert str(NightlyCheck(command="check_ledger", due_at=at)) == f"check_ledger is due at {at}"


def test_of_many_workers_that_are_ticked_at_once_one_runs_each(alice: Person) -> None:
    ran = race([lambda: check_books(go_on)] * 8, at_once=8)
    assert sum(count for count in ran if isinstance(count, int)) == 2
    assert kept() == CLEAN


def test_whoever_dies_over_a_check_is_followed_by_another(alice: Person) -> None:
    def killed() -> Result:
        raise SystemExit

    with pytest.raises(SystemExit):
        nightly.check("check_ledger", killed)
    assert not nightly.check("check_ledger", killed)  # nobody begins it while the lease may hold
    assert kept() == []
    lease = NightlyCheck.objects.get().due_at - timezone.now()
    assert timedelta(0) < lease <= timedelta(seconds=nightly.LEASE)
    NightlyCheck.objects.update(due_at=timezone.now() - timedelta(seconds=1))
    assert check_books(go_on) == 2
    assert kept() == CLEAN


def test_a_worker_that_is_told_to_end_leaves_it_to_the_next(alice: Person) -> None:
    asked = iter([False, True, True])
    assert check_books(lambda: next(asked)) == 0
    assert kept() == []
    assert check_books(go_on) == 2
    assert kept() == CLEAN


def test_a_difference_is_kept_and_said(
    alice: Person, admin_connection: psycopg.Connection, caplog: pytest.LogCaptureFixture
) -> None:
    wrong = "UPDATE credits_wallet SET balance = balance + 1 WHERE account_id = %s"
    admin_connection.execute(wrong, [alice.account.pk])
    with caplog.at_level(logging.ERROR, nightly.__name__):
        assert check_books(go_on) == 2
    assert kept() == [("check_generations", 0), ("check_ledger", 1)]
    assert "check_ledger found 1 differences" in caplog.text
    assert check_books(go_on) == 0  # it is no reason to ask all the time


def test_the_lease_outlasts_the_task() -> None:
    assert LONGEST + GRACE < nightly.LEASE
