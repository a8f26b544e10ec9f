"""Gauges that only the database and Redis know. A scrape asks them, at most once in 5 s.

Every statement reads a few rows, or a partial index of open work, so finished generations cost a
scrape nothing. A gauge tells all of its labels, 0 included: an alert rule cannot tell a missing
series from 0.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable

from django.db import DatabaseError, InterfaceError, connection
from prometheus_client.core import Metric

from common.fresh import Fresh
from generation.books import CHECKS
from generation.models.states import OPEN
from generation.provider.standing import standings
from monitoring.build import BUILD
from monitoring.due_rows import DUE, ages_of, due_values
from monitoring.families import ask, gauge
from monitoring.payments import payments
from monitoring.webhooks import webhooks
from payments.mode import payments_available
from work import heartbeat
from work.wake import INTERVALS

logger = logging.getLogger(__name__)

FRESH = 5.0  # seconds
SEEN = 30.0  # seconds; a worker that was heard of within them counts as alive

# By the index generation_open_of_model alone. A model without open generations has a row, too.
OPEN_ROWS = """
SELECT model.name, state, count, age
  FROM generation_catalogmodel AS model LEFT JOIN (
       SELECT model_id, state, count(*), extract(epoch FROM now() - min(created_at)) AS age
         FROM generation_generation WHERE next_attempt_at IS NOT NULL GROUP BY model_id, state
       ) AS open ON open.model_id = model.name
"""
GATES = """
SELECT name, COALESCE(open_until > now(), false), COALESCE(held_until > now(), false)
  FROM generation_catalogmodel LEFT JOIN generation_providergate ON model_id = name
"""
BOOKS = """
SELECT DISTINCT ON (command) command, extract(epoch FROM checked_at), differences
  FROM credits_bookscheck ORDER BY command, checked_at DESC
"""
MOST_ORPHANS = 10_000
ORPHANS = "SELECT count(*) FROM (SELECT FROM generation_orphan LIMIT %s) AS orphan"
CONNECTIONS = """
SELECT COALESCE(state, 'hidden'), count(*) FROM pg_stat_activity
 WHERE datname = current_database() AND backend_type = 'client backend' GROUP BY 1
"""
# The states of pg_stat_activity ("starting" since PostgreSQL 18), and those hidden from the role.
CONNECTION_STATES = (
    *("active", "idle", "idle in transaction", "idle in transaction (aborted)"),
    *("fastpath function call", "disabled", "starting", "hidden"),
)


class GenerationGauges:
    def collect(self) -> Iterable[Metric]:
        """The gauges, at most ``FRESH`` seconds old."""
        return _newest()


def _all() -> list[Metric]:
    return [BUILD, *_of_the_database(), *_of_redis()]


_newest = Fresh(FRESH, _all, others_wait=True)  # old figures would look like new ones


def _of_the_database() -> list[Metric]:
    """All gauges of the database, or only that it is away: old figures would look like new ones."""
    up = gauge("reelmint_database_up", "Whether PostgreSQL answers.")
    found: list[Metric] = [up]
    try:
        for part in PARTS:
            found += part()
    except (DatabaseError, InterfaceError) as error:
        logger.warning("no gauges of the database: %s", type(error).__name__)
        connection.close()
        found = [up]
    up.add_metric([], float(len(found) > 1))
    return found


def _open() -> list[Metric]:
    count = gauge("reelmint_generations_open", "Open generations.", "model", "state")
    oldest = gauge("reelmint_oldest_open_seconds", "Age of the oldest open one.", "model")
    found = ask(OPEN_ROWS)
    counts = {(model, str(state)): 0 for model, *_ in found for state in OPEN}
    ages = dict.fromkeys((model for model, *_ in found), 0.0)
    for model, state, rows, age in found:
        if state is not None:
            counts[model, state] = rows
            ages[model] = max(ages[model], float(age))
    for labels, rows in counts.items():
        count.add_metric(labels, rows)
    for model, age in ages.items():
        oldest.add_metric([model], age)
    return [count, oldest]


def _queue() -> list[Metric]:
    family = gauge(
        "reelmint_oldest_due_seconds", "How long the oldest due row has been waiting.", "stage"
    )
    for stage, age in ages_of(ask(DUE, due_values())).items():
        family.add_metric([stage], age)
    return [family]


def _gates() -> list[Metric]:
    breaker = gauge(
        "reelmint_breaker_open", "Whether the provider is not asked: too many failures.", "model"
    )
    held = gauge(
        "reelmint_gate_held", "Whether nothing is bought: outputs cannot be stored.", "model"
    )
    for model, is_open, is_held in ask(GATES):
        breaker.add_metric([model], is_open)
        held.add_metric([model], is_held)
    return [breaker, held]


def _models() -> list[Metric]:
    known = gauge(
        "reelmint_model_known", "Whether no id of a model on sale was unknown when asked.", "model"
    )
    paused = gauge(
        "reelmint_model_paused", "Whether it is not sold: the provider does not know it.", "model"
    )
    fallback = gauge("reelmint_model_on_fallback", "Whether its fallback is asked.", "model")
    for each in standings():
        known.add_metric([each.model], not each.unknown)
        paused.add_metric([each.model], each.paused_until is not None)
        fallback.add_metric([each.model], each.on_fallback)
    return [known, paused, fallback]


def _books() -> list[Metric]:
    at = gauge(
        "reelmint_books_checked_timestamp_seconds",
        "When the books were last checked; 0 = never.",
        "command",
    )
    differences = gauge(
        "reelmint_books_differences", "Differences that the last check found.", "command"
    )
    checks = {command: (float(when), count) for command, when, count in ask(BOOKS)}
    for command in (*CHECKS, *(["check_payments"] if payments_available() else [])):
        checked_at, count = checks.get(command, (0.0, 0))
        at.add_metric([command], checked_at)
        differences.add_metric([command], count)
    return [at, differences]


def _orphans() -> list[Metric]:
    family = gauge(
        "reelmint_orphans", f"Outputs that were paid for and reach nobody, up to {MOST_ORPHANS}."
    )
    family.add_metric([], ask(ORPHANS, [MOST_ORPHANS])[0][0])
    return [family]


def _connections() -> list[Metric]:
    family = gauge(
        "reelmint_database_connections", "Connections to this database, all programs'.", "state"
    )
    counts = dict.fromkeys(CONNECTION_STATES, 0) | dict(ask(CONNECTIONS))
    for state, count in counts.items():
        family.add_metric([state], count)
    limit = gauge("reelmint_database_connections_limit", "PostgreSQL's max_connections.")
    limit.add_metric([], int(ask("SHOW max_connections")[0][0]))
    return [family, limit]


PARTS = (_open, _queue, _gates, _models, _books, _orphans, payments, webhooks, _connections)


def _of_redis() -> list[Metric]:
    up = gauge("reelmint_broker_up", "Whether Redis answers.")
    workers = gauge(
        "reelmint_workers", f"Processes heard of within {SEEN:.0f} s; tick is beat.", "stage"
    )
    seen = gauge(
        "reelmint_worker_seen_seconds",
        f"Seconds since any of them was last heard of, up to {heartbeat.KEPT:.0f}.",
        "stage",
    )
    beats = heartbeat.alive()
    up.add_metric([], float(beats is not None))
    for name, heard in (beats or {}).items():
        workers.add_metric([name], sum(age < _limit(name) for _, age in heard))
        seen.add_metric([name], heard[0][1] if heard else heartbeat.KEPT)
    return [up, workers, seen]


def _limit(name: str) -> float:
    """Seconds until silence counts. The sweep is heard of once a minute."""
    return SEEN + INTERVALS.get(name, 0.0)
