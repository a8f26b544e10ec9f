"""What lists of deliveries and recovering read, by plan: by indexes, however much was sent."""

from __future__ import annotations

import itertools
import json
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from events.models import DeliveryState, Event, WebhookDelivery, WebhookEndpoint
from tests.generation.api.test_history_plans import blocks
from tests.support.people import Person
from tests.support.vacuuming import rewrite, vacuum
from webhooks import again, endpoints, history, public

MANY, FEW = 30_000, 40
# of 8 kB. The count of 10,001 by the index reads 240 of them; all deliveries have 1,700, and each
# has an event besides.
BLOCKS = 450
LATELY = timedelta(days=5)
# Of each kind so many, older than those before; of every event one is sent to the endpoint.
FILL = """
WITH event AS (
    INSERT INTO events_event (id, account_id, sequence, type, generation_id, created_at)
    SELECT gen_random_uuid(), %(account)s,
           CASE WHEN %(test)s::bool THEN NULL ELSE %(behind)s::int + n END,
           %(type)s::text, CASE WHEN %(test)s::bool THEN NULL ELSE gen_random_uuid() END,
           %(from)s::timestamptz + n * interval '10 milliseconds'
      FROM generate_series(1, %(count)s) n
    RETURNING id, account_id, type, created_at
)
INSERT INTO events_webhookdelivery (id, event_id, account_id, endpoint_id, target, type, state,
       failed_reason, next_attempt_at, finished_at, last_error, created_at)
SELECT gen_random_uuid(), id, account_id, %(endpoint)s::uuid, %(endpoint)s::uuid, type,
       %(state)s::text,
       CASE WHEN %(state)s::text = 'failed' THEN 'exhausted' ELSE '' END,
       CASE WHEN %(state)s::text = 'pending' THEN now() END,
       CASE WHEN %(state)s::text <> 'pending' THEN now() END, '', created_at
  FROM event WHERE %(sent)s::bool
"""


@pytest.fixture
def much_sent(alice: Person, admin_connection: psycopg.Connection) -> WebhookEndpoint:
    """Lately all succeeded; before that there is a little of everything."""
    made, _ = endpoints.create(alice.account.pk, None, url="https://hooks.example.com/")
    other, _ = endpoints.create(alice.account.pk, None, url="https://other.example.com/")
    admin_connection.execute("SET session_replication_role = replica")
    behind, begins = 0, datetime.now(UTC) - LATELY
    kinds = [*itertools.product(history.TYPES, DeliveryState.values)]
    many = ("generation.completed", "succeeded")
    for endpoint, (what, state), count, sent in (
        *((made, kind, FEW, True) for kind in kinds),
        (made, many, FEW, False),
        (made, many, MANY, True),
        (other, many, MANY, True),
    ):
        values = {"account": alice.account.pk, "endpoint": endpoint.pk, "type": what}
        values |= {"state": state, "behind": behind, "count": count, "sent": sent}
        values |= {"from": begins, "test": what.endswith("test")}
        admin_connection.execute(FILL, values)
        behind, begins = behind + count, begins + timedelta(hours=1)
    sql = "UPDATE events_webhookendpoint SET created_at = created_at - interval '9 days'"
    admin_connection.execute(sql)
    admin_connection.execute("SET session_replication_role = DEFAULT")
    for table in ("events_event", "events_webhookdelivery"):
        rewrite(admin_connection, table)
        vacuum(admin_connection, table)
    return made


def read_by(statements: list[dict[str, str]]) -> tuple[int, list[str]]:
    """How many blocks the SELECTs among them read, and their plans."""
    total, plans = 0, []
    with connection.cursor() as cursor:
        for sql in (each["sql"] for each in statements):
            if sql.startswith("SELECT") and "events_" in sql:
                cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {sql}")
                plan = cursor.fetchone()[0][0]["Plan"]
                total += blocks(plan)
                plans.append(f"{blocks(plan)} {sql[:3000]}\n{json.dumps(plan)}")
    return total, plans


def test_a_page_costs_the_same_with_every_filter(
    client: Client, alice: Person, much_sent: WebhookEndpoint
) -> None:
    path = f"/api/v1/webhook-endpoints/{public.endpoint_id(much_sent.pk)}/deliveries/"
    secret = {"Authorization": f"Bearer {alice.key}"}
    dear: dict[str, list[str]] = {}
    for status, what in itertools.product((None, *DeliveryState.values), (None, *history.TYPES)):
        said = {"status": status, "type": what}
        chosen = {name: value for name, value in said.items() if value}
        columns = {"state": status, "type": what}
        rows = WebhookDelivery.objects.filter(target=much_sent.pk).filter(
            **{name: value for name, value in columns.items() if value}
        )
        for offset in (0, 15):
            with CaptureQueriesContext(connection) as asked:
                query = chosen | {"offset": str(offset)}
                body = client.get(path, query, headers=secret).json()
            assert body["count"] == min(rows.count(), 10_000)
            newest = rows.order_by("-created_at", "-id")[offset : offset + 20]
            wanted = [public.delivery_id(row.pk) for row in newest]
            assert [row["id"] for row in body["results"]] == wanted, query
            read, plans = read_by(asked.captured_queries)
            if read > BLOCKS:
                dear[str((query, read))] = plans
        if body["next"] is None:
            continue
        with CaptureQueriesContext(connection) as asked:
            client.get(body["next"], headers=secret)
        read, plans = read_by(asked.captured_queries)
        if read > BLOCKS:
            dear[str((chosen, "next", read))] = plans
    assert dear == {}


def test_recovering_reads_what_is_of_that_time(much_sent: WebhookEndpoint) -> None:
    missed = Event.objects.filter(deliveries=None)
    since = missed.earliest("created_at").created_at
    until = missed.latest("created_at").created_at
    with CaptureQueriesContext(connection) as asked:
        found = again.recover(much_sent, since, until)
    assert found == again.Recovered(FEW, False)
    read, plans = read_by([each for each in asked.captured_queries if "UPDATE" not in each["sql"]])
    assert read < BLOCKS, plans
