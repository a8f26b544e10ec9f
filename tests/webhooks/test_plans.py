"""What a page of events reads, by plan: by an index, however long the log is."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from events.models import Event
from generation.models.states import State
from tests.generation.api.test_history_plans import blocks
from tests.support.bring_to import reached
from tests.support.event_reader import PATH
from tests.support.people import Person
from tests.support.vacuuming import rewrite, vacuum

MANY, BLOCKS = 30_000, 60  # events; blocks of 8 kB, of 700 that a scan reads
FILL = """
INSERT INTO events_event (id, account_id, sequence, type, generation_id, created_at)
SELECT gen_random_uuid(), %(account)s, n + %(behind)s, %(type)s, gen_random_uuid(), now()
  FROM generate_series(1, %(many)s) n
"""


@pytest.fixture
def long_logs(alice: Person, bob: Person, admin_connection: psycopg.Connection) -> list[str]:
    """Bob's many are all completed. Alice's first and last are no failures, and all between are."""
    first = reached(alice, State.COMPLETED, model="image")
    admin_connection.execute("SET session_replication_role = replica")
    for person, what in ((alice, "generation.failed"), (bob, "generation.completed")):
        values = {"account": person.account.pk, "many": MANY, "type": what, "behind": 1}
        admin_connection.execute(FILL, values)
    sql = "UPDATE events_feed SET last_sequence = %s WHERE account_id = %s"
    admin_connection.execute(sql, [MANY + 1, alice.account.pk])
    admin_connection.execute("SET session_replication_role = DEFAULT")
    last = reached(alice, State.COMPLETED, model="image")
    rewrite(admin_connection, "events_event")
    vacuum(admin_connection, "events_event")
    found = Event.objects.filter(generation_id__in=[first.pk, last.pk]).order_by("sequence")
    return [f"evt_{event.pk.hex}" for event in found]


def read_for(client: Client, secret: str, query: dict[str, str]) -> tuple[dict[str, Any], int, int]:
    """The page, how many statements of its own it took, and the blocks that they read."""
    with CaptureQueriesContext(connection) as asked:
        answer = client.get(PATH, query, headers={"Authorization": f"Bearer {secret}"})
    assert answer.status_code == 200
    own = [each["sql"] for each in asked.captured_queries if "accounts_apikey" not in each["sql"]]
    total = 0
    with connection.cursor() as cursor:
        for sql in own:
            cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {sql}")
            total += blocks(cursor.fetchone()[0][0]["Plan"])
    return answer.json(), len(own), total


def test_a_page_is_two_statements_and_few_blocks(
    client: Client, alice: Person, long_logs: list[str]
) -> None:
    first, last = long_logs
    completed = {"type": "generation.completed"}
    for query, wanted in (
        ({"after": "latest"}, []),
        ({"limit": "1"}, [first]),
        ({"after": last}, []),
        (completed, [first, last]),
        (completed | {"after": first}, [last]),
        ({"type": "generation.canceled"}, []),
        ({"type": "generation.canceled", "after": first}, []),
    ):
        body, statements, read = read_for(client, alice.key, query)
        assert [event["id"] for event in body["results"]] == wanted, query
        assert statements <= 2, query
        assert read < BLOCKS, query
