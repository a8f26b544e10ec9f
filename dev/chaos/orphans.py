"""Whether the operator's report of orphans is complete and right, once everything is over.

At the real scale the product sweeps within a day after the end; here it is told to begin.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import httpx
import psycopg
from psycopg.rows import dict_row

from dev.chaos.invariants import Finding, Row, finding

SECONDS = 40.0  # in which the sweepers finish, the lease of a killed one included
TURN = 0.5
# Every unsettled attempt that no sweeper holds is due at once.
IT_IS_TIME = """
UPDATE generation_attempt SET next_look_at = LEAST(next_look_at, now()),
                              forget_at = LEAST(forget_at, now())
 WHERE next_look_at > now() OR forget_at > now()
"""
DUE = "SELECT FROM generation_attempt WHERE LEAST(next_look_at, forget_at) <= now() LIMIT 1"
REPORTED = """
SELECT g.id::text, g.state, g.output_uri, attempt.prefix, attempt.outcome, orphan.uri
  FROM generation_orphan orphan JOIN generation_attempt attempt ON attempt.id = orphan.attempt_id
  JOIN generation_generation g ON g.id = attempt.generation_id
"""


def sweep(owner_url: str, expected: set[str]) -> list[Row]:
    """Wait until all of ``expected`` is reported, at most SECONDS; the whole report."""
    began = time.monotonic()
    with psycopg.connect(owner_url, autocommit=True, row_factory=dict_row) as connection:
        connection.execute(IT_IS_TIME)
        while True:
            report = connection.execute(REPORTED.encode()).fetchall()
            is_over = expected <= {row["id"] for row in report}
            is_over = is_over and not connection.execute(DUE).fetchall()
            if is_over or time.monotonic() > began + SECONDS:
                return report
            time.sleep(TURN)


def findings(
    expected: set[str], billed: dict[str, int], report: list[Row], exists: Callable[[str], bool]
) -> list[Finding]:
    """``expected``: generations whose whole output nobody got; ``billed``: the provider's bill."""
    return [
        finding(
            "every whole video that nobody got is reported as an orphan",
            len(expected),
            sorted(expected - {row["id"] for row in report}),
        ),
        finding(
            "an orphan was paid for, is in the bucket, and nobody got it",
            len(report),
            (
                f"{row['uri']} ({row['id']}, {row['state']})"
                for row in report
                if _is_delivered(row)
                or not billed.get(row["id"])
                or not row["uri"].startswith(row["prefix"])
                or not exists(row["uri"])
            ),
        ),
    ]


def _is_delivered(row: Row) -> bool:
    return bool(row["state"] == "completed" and row["output_uri"].startswith(row["prefix"]))


def in_bucket(emulator_url: str) -> Callable[[str], bool]:
    """A function that asks the provider's storage for a ``gs://`` address."""

    def exists(uri: str) -> bool:
        bucket, _, name = uri.removeprefix("gs://").partition("/")
        path: Any = httpx.URL(f"{emulator_url}/storage/v1/b/{bucket}/o").copy_with(
            params={"prefix": name}
        )
        items = httpx.get(path, timeout=20).json().get("items", [])
        return any(item["name"] == name for item in items)

    return exists
