"""The dashboard's figures, against rows made by hand."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
import redis
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from common.fresh import Fresh
from credits import ledger
from generation import lifecycle
from generation.models import Attempt, CatalogModel, Generation, Orphan, ProviderGate
from generation.models.states import State
from staff.pages import dashboard, dashboard_queries
from tests.support.bring_to import attempt_of, claimed, created, reached
from tests.support.operators import browser_of, make_operator
from tests.support.people import Person, make_person
from tests.support.works import age
from work import heartbeat
from work.redis import redis_client

NOW = timezone.now()


@pytest.fixture
def rich() -> Person:
    return make_person("rich", 100_000)


@pytest.fixture
def browser() -> Client:
    return browser_of(make_operator("view_generation", "view_orphan", "view_ledgerentry"))


@pytest.fixture
def shift(admin_connection: psycopg.Connection) -> Callable[..., None]:
    """Move the times of what is over, and of entries: nobody else can."""

    def move(table: str, pk: Any, **columns: datetime) -> None:
        sets = ", ".join(f"{name} = %s" for name in columns)
        admin_connection.execute("SET session_replication_role = replica")
        statement = f"UPDATE {table} SET {sets} WHERE id = %s"
        admin_connection.execute(statement.encode(), [*columns.values(), pk])
        admin_connection.execute("SET session_replication_role = DEFAULT")

    return move


def work(browser: Client) -> dict[str, Any]:
    found: dict[str, Any] = browser.get("/admin/").context["work"]
    return found


def test_open_work_by_state_with_the_age_of_the_oldest(browser: Client, rich: Person) -> None:
    rows = [created(rich), created(rich), reached(rich, State.RUNNING)]
    reached(rich, State.COMPLETED)
    age(str(rows[0].pk), created_at="-300 seconds", next_attempt_at="-90 seconds")
    shown = work(browser)
    found = {each.state: each for each in shown["open"]}
    assert list(found) == ["queued", "submitting", "submit_unknown", "running", "storing"]
    assert {state: each.count for state, each in found.items() if each.count} == {
        "queued": 2,
        "running": 1,
    }
    assert found["queued"].oldest == pytest.approx(300, abs=20)
    assert found["queued"].overdue == pytest.approx(90, abs=20)
    assert found["running"].overdue == 0
    assert (shown["open_count"], shown["is_overdue"]) == (3, True)


def test_what_ended_in_each_of_24_hours_and_why(
    browser: Client, rich: Person, shift: Callable[..., None]
) -> None:
    now = timezone.now()
    this_hour = now.replace(minute=0, second=0, microsecond=0)
    ends = [
        (State.COMPLETED, this_hour),
        (State.COMPLETED, this_hour - timedelta(seconds=1)),
        (State.COMPLETED, this_hour - timedelta(hours=23)),
        (State.COMPLETED, this_hour - timedelta(hours=23, seconds=1)),  # too long ago
        (State.FAILED, this_hour - timedelta(hours=1)),
        (State.CANCELED, this_hour),
    ]
    for state, end in ends:
        shift("generation_generation", reached(rich, state).pk, finished_at=end)
    other = claimed(created(rich))
    lifecycle.fail(other, "empty_result", "Nothing came")
    shift("generation_generation", other.pk, finished_at=this_hour)

    hours, reasons = dashboard_queries.ended(now)
    assert len(hours) == 24
    assert [(hour.completed, hour.failed, hour.canceled) for hour in (*hours[:2], *hours[-2:])] == [
        (1, 0, 0),
        (0, 0, 0),
        (1, 1, 0),
        (1, 1, 1),
    ]
    assert dict(reasons) == {"timeout": 1, "empty_result": 1}
    shown = work(browser)
    assert (shown["completed"], shown["failed"], shown["canceled"]) == (3, 2, 1)
    assert [bar.kind for bar in shown["bars"]] == [
        *("completed", "completed", "failed", "completed", "failed"),
    ]
    assert {bar.height for bar in shown["bars"][1:]} == {dashboard.HEIGHT / 2}


def test_times_to_completion_against_what_customers_are_told(
    browser: Client, rich: Person, shift: Callable[..., None]
) -> None:
    now = timezone.now()
    for seconds in (50, 52, 54, 56, 100):
        row = reached(rich, State.COMPLETED)
        moments = {"created_at": now - timedelta(seconds=seconds), "finished_at": now}
        shift("generation_generation", row.pk, **moments)
    old = reached(rich, State.COMPLETED)
    yesterday = now - timedelta(hours=25)
    shift("generation_generation", old.pk, created_at=yesterday, finished_at=yesterday)
    found = {taken.model: taken for taken in work(browser)["times_taken"]}
    fast = found["veo3_fast"]
    assert (fast.count, fast.told) == (5, "45-60 seconds")
    assert fast.p50 == pytest.approx(54, abs=0.1)
    assert fast.p95 == pytest.approx(91.2, abs=0.1)  # percentile_cont
    assert fast.is_late
    assert (found["veo3"].count, found["veo3"].is_late) == (0, False)
    assert found["veo3"].told == "60-90 seconds, 90-120 seconds"
    assert set(found) == set(CatalogModel.objects.values_list("pk", flat=True))


def test_credits_per_day(
    browser: Client, shift: Callable[..., None], admin_connection: psycopg.Connection
) -> None:
    person = make_person("payer", 0)
    ledger.purchase(person.account.pk, 1000, reference="bill-1", description="bought")
    ledger.grant(person.account.pk, 70, description="gift")
    reached(person, State.FAILED)
    created(person)
    today = datetime.now(UTC).date()
    [entry] = [each for each in person.entries if each.kind == "purchase"]
    days = browser.get("/admin/").context["money"]["days"]
    assert [day.day for day in days] == [today - timedelta(days=ago) for ago in range(14)]
    first = days[0]
    assert (first.sold, first.granted, first.spent, first.refunded) == (1000, 70, 480, 240)
    assert all((day.sold, day.spent) == (0, 0) for day in days[1:])

    midnight = dashboard_queries.today(timezone.now())
    shift("credits_ledgerentry", entry.pk, created_at=midnight - timedelta(days=13))
    browser_again = browser_of(make_operator("view_ledgerentry", name="other"))
    days = browser_again.get("/admin/").context["money"]["days"]
    assert [day.sold for day in days] == [0] * 13 + [1000]
    shift("credits_ledgerentry", entry.pk, created_at=midnight - timedelta(days=13, seconds=1))
    assert sum(day.sold for day in dashboard_queries.money(midnight - timedelta(days=13), 14)) == 0
    assert (
        sum(day.spent for day in dashboard_queries.money(midnight - timedelta(days=13), 14)) == 480
    )


def test_what_was_taken_back_is_not_sold(browser: Client) -> None:
    person = make_person("payer", 0)
    ledger.purchase(person.account.pk, 1000, reference="bill-1", description="bought")
    first, second = uuid.uuid4(), uuid.uuid4()
    ledger.reverse(person.account.pk, 300, reversal_id=first, description="d")
    ledger.reverse(person.account.pk, 900, reversal_id=second, description="d")
    assert browser.get("/admin/").context["money"]["days"][0].sold == -200
    ledger.reinstate(person.account.pk, 900, reversal_id=second, description="d")
    Fresh.clear_all()
    today = browser.get("/admin/").context["money"]["days"][0]
    assert (today.sold, today.granted, today.spent, today.refunded) == (700, 0, 0, 0)


def test_the_provider(browser: Client, rich: Person) -> None:
    Attempt.objects.filter(generation=reached(rich, State.RUNNING)).update(outcome="accepted")
    old = attempt_of(reached(rich, State.SUBMIT_UNKNOWN))
    reached(rich, State.SUBMIT_UNKNOWN)
    Attempt.objects.filter(pk=old.pk).update(asked_at=NOW - timedelta(hours=2))
    now = timezone.now()
    gates = {"next_submit_at": now, "window_ends_at": now}
    ProviderGate.objects.create(model_id="veo3_fast", calls=9, failures=4, **gates)
    later = now + timedelta(minutes=1)
    ProviderGate.objects.create(model_id="veo3", open_until=later, trips=2, **gates)
    ProviderGate.objects.create(model_id="image", held_until=later, **gates)
    answer = browser.get("/admin/")
    [calls] = answer.context["work"]["model_calls"]
    assert (calls.provider_model, calls.outcomes) == ("veo", {"accepted": 1, "unknown": 1})
    shown = answer.context["work"]["gates"]
    closed = {gate.model_id: is_closed for gate, is_closed in shown}
    assert closed == {"veo3_fast": False, "veo3": True, "image": True}
    for words in ("4 of 9", "breaker open until", "held until", "lets through"):
        assert words in answer.text


def test_orphans_of_a_week(browser: Client, rich: Person) -> None:
    for ago in (1, 6, 8):
        attempt = attempt_of(reached(rich, State.SUBMITTING))
        Orphan.objects.create(
            attempt=attempt, uri="gs://b/x.mp4", found_at=NOW - timedelta(days=ago)
        )
    assert work(browser)["orphans"] == 2


def test_workers(browser: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    with redis.Redis.from_url(os.environ["REDIS_URL"]) as signs:
        seconds, _ = signs.time()
        signs.zadd("beats:poll", {"here:1": seconds - 2, "here:2": seconds - 100})
        signs.zadd("beats:store", {"here:3": seconds - 100})
    found = {each.stage: each for each in work(browser)["workers"]}
    assert list(found) == list(heartbeat.NAMES)
    assert (found["poll"].workers, found["poll"].is_silent) == (2, False)
    assert (found["store"].workers, found["store"].is_silent) == (1, True)
    assert (found["submit"].last, found["submit"].is_silent) == (None, True)
    monkeypatch.setattr(heartbeat, "_redis", redis_client("redis://127.0.0.1:9/0"))
    other = browser_of(make_operator("view_generation", "view_orphan", name="other"))
    assert "Redis does not answer" in other.get("/admin/").text


def test_each_sees_what_they_may(rich: Person) -> None:
    reached(rich, State.FAILED)
    nobody = browser_of(make_operator(name="nobody"))
    answer = nobody.get("/admin/")
    assert answer.status_code == 200
    assert "work" not in answer.context
    assert "money" not in answer.context
    biller = browser_of(make_operator("view_ledgerentry", name="biller"))
    shown = biller.get("/admin/").context
    assert "money" in shown
    assert "work" not in shown


def test_it_costs_the_same_with_more_rows_and_nothing_for_ten_seconds(
    browser: Client, rich: Person
) -> None:
    def statements() -> int:
        with CaptureQueriesContext(connection) as asked:
            assert browser.get("/admin/").status_code == 200
        return len(asked)

    statements()
    cached = statements()
    few = statements_anew(browser)
    for state in (State.QUEUED, State.FAILED, State.COMPLETED, State.SUBMIT_UNKNOWN):
        reached(rich, state)
    assert Generation.objects.count() == 4
    assert statements_anew(browser) == few
    assert few - cached == 10  # 8 of the work, 2 of the credits


def statements_anew(browser: Client) -> int:
    Fresh.clear_all()
    with CaptureQueriesContext(connection) as asked:
        assert browser.get("/admin/").status_code == 200
    return len(asked)
