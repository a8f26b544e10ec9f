"""A worker keeps its connection to PostgreSQL from task to task: a new one is a process there."""

from __future__ import annotations

import time

import psycopg

from dev.embedded.stack import Stack
from tests.e2e.customer import VIDEO, Customer

SECONDS = 5.0
OPENED = "SELECT sessions FROM pg_stat_database WHERE datname = current_database()"
ENOUGH = 6  # beat wakes each of four stages once a second: more than 15 when each opens its own


def test_ticks_open_no_connections(stack: Stack, rich: Customer) -> None:
    rich.finished(rich.create(VIDEO, "The workers are up"))
    with psycopg.connect(stack.superuser_url, autocommit=True) as connection:
        before = opened(connection)
        time.sleep(SECONDS)
        assert opened(connection) - before < ENOUGH


def opened(connection: psycopg.Connection) -> int:
    """How many connections were opened until now; PostgreSQL tells it a second late."""
    row = connection.execute(OPENED).fetchone()
    assert row
    return int(row[0])
