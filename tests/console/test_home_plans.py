"""What Home reads from the database of large tables, by plan."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from common.fresh import Fresh
from generation.models.states import State
from tests.generation.api.test_history_plans import COPY, blocks
from tests.support.bring_to import reached
from tests.support.console import browser
from tests.support.people import Person
from tests.support.vacuuming import rewrite, vacuum
from tests.support.works import Works

MANY = 20_000
BLOCKS = 30  # of 8 kB; a scan of the table reads 2,000


@pytest.fixture
def crowded(works: Works, alice: Person, bob: Person, admin_connection: psycopg.Connection) -> None:
    """Bob has made many videos, and Alice many images and not one video."""
    admin_connection.execute("SET session_replication_role = replica")
    for person, model in ((bob, "veo3_fast"), (alice, "image")):
        original = reached(person, State.COMPLETED, model=model)
        admin_connection.execute(COPY, {"id": original.pk, "count": MANY, "older": 0})
    admin_connection.execute("SET session_replication_role = DEFAULT")
    rewrite(admin_connection, "generation_generation")
    vacuum(admin_connection, "generation_generation")


@pytest.mark.usefixtures("crowded")
def test_each_statement_of_home_reads_a_few_blocks(alice: Person, bob: Person) -> None:
    for person, made in ((alice, False), (bob, True)):
        client, path = browser(person.user), f"/c/{person.account.pk}/"
        client.get(path)
        Fresh.clear_all()
        with CaptureQueriesContext(connection) as asked:
            steps = client.get(path).context["steps"]
        assert steps[1].is_done == made
        read = [query["sql"] for query in asked if "generation_generation" in query["sql"]]
        assert len(read) == 2
        for sql in read:
            assert of_plan(sql) <= BLOCKS, sql


def of_plan(sql: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {sql}")
        row: Any = cursor.fetchone()
    return blocks(row[0][0]["Plan"])
