"""The operators' first page. unfold calls ``show`` (UNFOLD["DASHBOARD_CALLBACK"])."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.http import HttpRequest
from django.utils import timezone

from common.fresh import Fresh
from generation.provider.standing import standing_of
from payments import attention
from staff.pages import dashboard_queries
from staff.pages.base import COUNT_CAP
from staff.pages.dashboard_queries import Day, Hour
from work import heartbeat

SECONDS = 10  # how old a figure may be, however often the page is reloaded
OVER_SECONDS = 300  # the same for past days; a transaction may have been under way at midnight
WIDTH, HEIGHT = 480, 100  # of the chart's own coordinates; the browser stretches it
LONG = 60.0  # seconds that a row may be due before the page warns


@dataclass(frozen=True, slots=True)
class Bar:
    """A part of one hour's bar."""

    kind: str
    x: float
    y: float
    width: float
    height: float
    title: str


@dataclass(frozen=True, slots=True)
class StageSigns:
    """What was heard of a stage, or of beat: how many processes, and how many seconds ago."""

    stage: str
    workers: int
    last: float | None
    is_silent: bool


def show(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """unfold's hook: adds the figures that this person may see."""
    user: Any = request.user
    if user.has_perm("generation.view_generation"):
        context["work"] = _fresh_work()
    if user.has_perm("credits.view_ledgerentry"):
        context["money"] = _fresh_money()
    if user.has_perm("payments.view_payment"):
        context["payments"] = _fresh_payments()
    return context


def _work() -> dict[str, Any]:
    now = timezone.now()
    gates = dashboard_queries.gates()
    open_states = dashboard_queries.open_by_state()
    hours, reasons = dashboard_queries.ended(now)
    return {
        "at": now,
        "open": open_states,
        "open_count": sum(each.count for each in open_states),
        "is_overdue": any(each.overdue > LONG for each in open_states),
        "long": LONG,
        "completed": sum(hour.completed for hour in hours),
        "failed": sum(hour.failed for hour in hours),
        "canceled": sum(hour.canceled for hour in hours),
        "reasons": reasons,
        "bars": bars(hours),
        "most": _most(hours),
        "first_hour": hours[0].begins,
        "times_taken": dashboard_queries.times_taken(),
        "model_calls": dashboard_queries.model_calls(),
        "gates": [(gate, gate.is_closed(now)) for gate in gates],
        "warnings": [each for gate in gates for each in standing_of(gate.model, now).warnings],
        "orphans": dashboard_queries.orphans(now),
        "orphan_days": dashboard_queries.ORPHAN_DAYS,
        "workers": workers(),
    }


def _money() -> dict[str, Any]:
    """Past days are kept for longer: they change no more, and may have a million entries."""
    today = dashboard_queries.today(timezone.now())
    return {"days": [*dashboard_queries.money(today, 1), *_fresh_past(today)]}


def _past(today: datetime) -> list[Day]:
    over = dashboard_queries.DAYS - 1
    return dashboard_queries.money(today - timedelta(days=over), over)


def _payments() -> dict[str, Any]:
    """What waits for a person, and when the first dispute is lost."""
    most_urgent = attention.to_answer().values_list("due_by", flat=True).first()
    return {
        "stuck": attention.stuck()[:COUNT_CAP].count(),
        "mismatched": attention.mismatched()[:COUNT_CAP].count(),
        "to_answer": attention.to_answer()[:COUNT_CAP].count(),
        "answer_by": most_urgent,
    }


_fresh_work = Fresh(SECONDS, _work)
_fresh_payments = Fresh(SECONDS, _payments)
_fresh_money = Fresh(SECONDS, _money)
_fresh_past = Fresh(OVER_SECONDS, _past)


def workers() -> list[StageSigns] | None:
    """The signs of all stages; None if Redis does not answer."""
    beats = heartbeat.alive()
    if beats is None:
        return None
    silent = heartbeat.silent(beats)
    return [
        StageSigns(name, len(found), found[0][1] if found else None, name in silent)
        for name, found in beats.items()
    ]


def bars(hours: list[Hour]) -> list[Bar]:
    """The bars of all hours, failed above completed. The highest hour fills the height."""
    most, step = max(_most(hours), 1), WIDTH / len(hours)
    found = []
    for number, hour in enumerate(hours):
        top = float(HEIGHT)
        title = f"{hour.begins:%H:%M} UTC: {hour.completed} completed, {hour.failed} failed"
        for kind, count in (("completed", hour.completed), ("failed", hour.failed)):
            height = HEIGHT * count / most
            top -= height
            if count:
                found.append(Bar(kind, number * step + 2, top, step - 4, height, title))
    return found


def _most(hours: list[Hour]) -> int:
    return max(hour.completed + hour.failed for hour in hours)
