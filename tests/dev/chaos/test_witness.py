"""Who was hit: claims that ended without a write-back, and whether a fault of ours explains it."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator

import psycopg
import pytest

from dev.chaos.witness import NOTE_CLAIMS, OVERTAKEN, Fallen, Overtaken, hits

CLAIM = "UPDATE generation_generation SET lease_token = gen_random_uuid()"
WRITE_BACK = "UPDATE generation_generation SET lease_token = NULL"


@pytest.fixture
def session() -> Iterator[psycopg.Connection]:
    """The trigger on a table of its own, which is gone afterwards with the transaction."""
    with psycopg.connect(os.environ["TEST_ADMIN_URL"]) as connection:
        connection.execute("CREATE SCHEMA witness; SET LOCAL search_path = witness")
        table = "CREATE TABLE generation_generation (id uuid, lease_token uuid)"
        connection.execute(table.encode())
        connection.execute(NOTE_CLAIMS.replace("= public", "= witness").encode())
        add = "INSERT INTO generation_generation VALUES (%s, NULL)"
        connection.execute(add.encode(), [uuid.uuid4()])
        yield connection
        connection.rollback()


def work(session: psycopg.Connection, process: int, *statements: str) -> None:
    session.execute("SELECT set_config('application_name', %s, false)", [str(process)])
    for statement in statements:
        session.execute(statement.encode())


def lost(session: psycopg.Connection) -> list[int]:
    return [int(row[1]) for row in session.execute(OVERTAKEN.encode()).fetchall()]


def test_a_claim_that_is_written_back_overtakes_nobody(session: psycopg.Connection) -> None:
    for process in (11, 12):
        work(session, process, CLAIM, WRITE_BACK)
    assert lost(session) == []


def test_a_claim_without_a_write_back_is_lost_by_who_held_it(session: psycopg.Connection) -> None:
    work(session, 11, CLAIM)
    work(session, 12, CLAIM)
    work(session, 13, CLAIM, WRITE_BACK)
    assert lost(session) == [11, 12]


def test_only_what_we_did_explains_a_lost_claim() -> None:
    claims = [
        Overtaken("killed", 11, 100.0, 109.0),
        Overtaken("slow", 12, 100.0, 109.0),
        Overtaken("during", 12, 120.0, 129.0),
    ]
    found = hits(claims, Fallen({11}, [125.0]))
    assert found.generations == {"killed", "during"}
    assert [claim.generation for claim in found.unexplained] == ["slow"]
