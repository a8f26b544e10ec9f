"""What a page of a long history reads from the database, by plan: the same with every filter."""

from __future__ import annotations

import itertools
import json
from typing import Any

import psycopg
import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from credits import ledger
from generation.models import Generation
from generation.models.states import State
from tests.support.bring_to import reached
from tests.support.people import Person
from tests.support.vacuuming import rewrite, vacuum

PATH = "/api/v1/generate/history/"
MANY, FEW = 12_000, 30
BLOCKS = 250  # of 8 kB; a filter without its index reads 1,900
COLUMNS = ", ".join(str(field.column) for field in Generation._meta.concrete_fields)
COPY = f"""
INSERT INTO generation_generation ({COLUMNS})
SELECT {COLUMNS.replace(", ", ", made.").replace("id", "made.id", 1)}
  FROM generation_generation source, generate_series(1, %(count)s) n,
       jsonb_populate_record(source, jsonb_build_object(
           'id', gen_random_uuid(), 'charge_id', gen_random_uuid(), 'operation_name', NULL,
           'refund_id', CASE WHEN source.refund_id IS NOT NULL THEN gen_random_uuid() END,
           'created_at', now() - (%(older)s + n) * interval '1 second')) made
 WHERE source.id = %(id)s
"""


@pytest.fixture
def long_history(alice: Person, admin_connection: psycopg.Connection) -> dict[str, int]:
    """Thousands of delivered images lately; long ago a few of everything else."""
    counts: dict[tuple[str, str], int] = {}
    kinds = {"image": "image", "veo3_fast": "video"}
    ended = (State.COMPLETED, State.FAILED, State.CANCELED)
    admin_connection.execute("SET session_replication_role = replica")
    for model, state in itertools.product(kinds, ended):
        original = reached(alice, state, model=model)
        many = (model, state) == ("image", State.COMPLETED)
        count, older = (MANY, 0) if many else (FEW, 2 * MANY)
        admin_connection.execute(COPY, {"id": original.pk, "count": count, "older": older})
        counts[kinds[model], str(state)] = count + 1
    admin_connection.execute("SET session_replication_role = DEFAULT")
    rewrite(admin_connection, "generation_generation")
    for model, kind in kinds.items():
        reached(alice, State.QUEUED, model=model)
        counts[kind, "processing"] = 1
    vacuum(admin_connection, "generation_generation")
    return {f"{kind} {status}": count for (kind, status), count in counts.items()}


def blocks(plan: dict[str, Any]) -> int:
    return int(plan["Shared Hit Blocks"]) + int(plan["Shared Read Blocks"])


class Cost(int):
    """How many blocks a page read, and the plans that read them."""

    plans: list[str]


def read_for(client: Client, secret: str, address: str) -> tuple[dict[str, Any], Cost]:
    """The page, and what its statements on the history read."""
    with CaptureQueriesContext(connection) as asked:
        answer = client.get(address, headers={"Authorization": f"Bearer {secret}"})
    assert answer.status_code == 200
    total, plans = 0, []
    with connection.cursor() as cursor:
        for query in asked.captured_queries:
            sql = query["sql"]
            if sql.startswith("SELECT") and '"generation_generation"' in sql:
                cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {sql}")
                plan = cursor.fetchone()[0][0]["Plan"]
                total += blocks(plan)
                plans.append(f"{sql}\n{json.dumps(plan)}")
    assert total > 0
    cost = Cost(total)
    cost.plans = plans
    return answer.json(), cost


def test_a_page_costs_the_same_with_every_filter(
    client: Client, alice: Person, long_history: dict[str, int]
) -> None:
    kinds, statuses = ("", "image", "video"), ("", "processing", "completed", "failed", "canceled")
    costs: dict[str, Cost] = {}
    for kind, status in itertools.product(kinds, statuses):
        query = "&".join(
            f"{name}={value}" for name, value in (("type", kind), ("status", status)) if value
        )
        first, costs[query] = read_for(client, alice.key, f"{PATH}?{query}")
        wanted = [
            count
            for name, count in long_history.items()
            if kind in name.split()[0] and (not status or status == name.split()[1])
        ]
        assert first["count"] == min(sum(wanted), 10_000), query
        seen = [each["id"] for each in first["results"]]
        if first["next"] is None:
            continue
        second, costs[f"{query} next"] = read_for(client, alice.key, first["next"])
        back, costs[f"{query} previous"] = read_for(client, alice.key, second["previous"])
        assert [each["id"] for each in back["results"]] == seen, query
        assert not set(seen) & {each["id"] for each in second["results"]}, query
        _, costs[f"{query} offset"] = read_for(client, alice.key, f"{PATH}?{query}&offset=40")
    dear = {query: cost.plans for query, cost in costs.items() if cost > BLOCKS}
    assert dear == {}, costs


def test_filtered_pages_hold_what_the_whole_history_does(
    client: Client, alice: Person, settings: Any
) -> None:
    settings.RATE_LIMIT_READS = 10_000
    states = (State.COMPLETED, State.FAILED, State.CANCELED, State.QUEUED, State.RUNNING)
    for _, state, model in itertools.product(range(2), states, ("image", "veo3_fast")):
        if (state, model) != (State.RUNNING, "image"):
            ledger.grant(alice.account.pk, 500, description="for more")
            reached(alice, state, model=model)
    secret = {"Authorization": f"Bearer {alice.key}"}
    everything = client.get(f"{PATH}?limit=100", headers=secret).json()["results"]
    for kind, status in itertools.product(
        (None, "image", "video"), (None, "processing", "completed", "failed", "canceled")
    ):
        wanted = [
            each["id"]
            for each in everything
            if kind in (None, each["generation_type"]) and status in (None, each["status"])
        ]
        query = {"type": kind, "status": status, "limit": "3"}
        here: str | None = PATH
        params = {name: value for name, value in query.items() if value}
        found: list[str] = []
        while here is not None:
            body = client.get(here, params, headers=secret).json()
            assert body["count"] == len(wanted)
            found += [each["id"] for each in body["results"]]
            here, params = body["next"], {}
        assert found == wanted, (kind, status)
        chosen = {name: value for name, value in query.items() if value}
        for offset in range(len(wanted) + 1):
            asked = chosen | {"offset": str(offset)}
            body = client.get(PATH, asked, headers=secret).json()
            assert [each["id"] for each in body["results"]] == wanted[offset : offset + 3]
