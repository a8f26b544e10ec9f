"""Whether this process lives and can serve, for load balancers, compose and Kubernetes.

``/livez`` is 200 while the process answers at all. ``/readyz`` is 503 without the database or the
migrations that this code needs; all else is a warning (decision 44). It costs two statements and
one round trip to Redis, at most once a second.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from django.db import DatabaseError, InterfaceError, connection
from django.db.migrations.loader import MigrationLoader
from django.http import HttpRequest, JsonResponse

from common import errors
from common.api import shape
from common.fresh import Fresh
from common.web.client_address import direct_address
from generation.provider.standing import standings
from monitoring.access import may_read
from monitoring.due_rows import DUE, ages_of, due_values
from work import heartbeat

FRESH = 1.0  # seconds
LATE = 60.0  # seconds that a due row may wait without a warning

# Counts the needed migrations that were not applied.
MIGRATIONS = """
SELECT 'missing' AS state, count(*)::float8
  FROM unnest(%(apps)s::text[], %(names)s::text[]) AS needed (app, name)
 WHERE NOT EXISTS (SELECT FROM django_migrations AS applied
                    WHERE applied.app = needed.app AND applied.name = needed.name)
"""
QUESTION = f"{MIGRATIONS} UNION ALL {DUE}"

Found = tuple[int, dict[str, Any]]


def livez(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"status": "ok"})


def readyz(request: HttpRequest) -> JsonResponse:
    """200, or 503 in the contract's shape.

    Only a client that may read metrics gets the details, since they tell how busy we are.
    """
    status, checks = _newest()
    if not may_read(request.headers.get("Authorization", ""), direct_address(request)):
        checks = {"status": checks["status"]}
    if status == errors.ServiceUnavailable.status_code:
        message = errors.ServiceUnavailable.default_detail
        body = shape.body(message, errors.ServiceUnavailable.default_code, extra=checks)
        return JsonResponse(body, status=status, headers={"Retry-After": "2"})
    return JsonResponse(checks, headers={"Cache-Control": "no-store"})


def _check() -> Found:
    checks: dict[str, Any] = {"status": "unavailable", "database": "away"}
    try:
        with connection.cursor() as cursor:
            cursor.execute(QUESTION, _needed() | due_values())
            (_, missing), *queue = cursor.fetchall()
    except (DatabaseError, InterfaceError):
        connection.close()
        return 503, checks
    checks["database"] = "ok"
    checks["migrations"] = f"{missing:.0f} not applied" if missing else "ok"
    if missing:
        return 503, checks
    try:
        models = standings()
    except (DatabaseError, InterfaceError):
        connection.close()
        return 503, checks | {"database": "away"}
    ages = ages_of(queue)
    beats = heartbeat.alive()
    ticks = [age for _, age in (beats or {}).get(heartbeat.TICK, [])]
    checks["broker"] = "away" if beats is None else "ok"
    checks["silent"] = [] if beats is None else heartbeat.silent(beats)
    checks["last_tick_seconds"] = round(ticks[0], 1) if ticks else None
    checks["oldest_due_seconds"] = {stage: round(age, 1) for stage, age in ages.items()}
    checks["warnings"] = _warnings(checks)
    checks["warnings"] += [warning for each in models for warning in each.warnings]
    return 200, checks | {"status": "ok"}


_newest = Fresh(FRESH, _check, others_wait=True)  # "ready" must not be a thing of the past


def _warnings(checks: dict[str, Any]) -> list[str]:
    """What keeps orders from being worked on, but not from being taken."""
    found = ["the broker is away"] if checks["broker"] == "away" else []
    found += [f"nobody was heard of: {name}" for name in checks["silent"]]
    return found + [
        f"due for {age:.0f} s: {stage}"
        for stage, age in checks["oldest_due_seconds"].items()
        if age > LATE
    ]


@cache
def _needed() -> dict[str, list[str]]:
    """Apps and names of the migrations that this code brings. They are read from the disk once."""
    loader = MigrationLoader(None, load=False)
    loader.load_disk()
    apps, names = zip(*sorted(loader.disk_migrations), strict=True)
    return {"apps": list(apps), "names": list(names)}
