"""What the operator is told about orphans, and what the migration does for old attempts."""

from __future__ import annotations

import json
from importlib import import_module
from io import StringIO
from types import SimpleNamespace

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from generation.models import Attempt, Orphan
from generation.models.states import State
from generation.outputs import orphans
from tests.support.bring_to import attempt_of, reached
from tests.support.orphan_looks import claimed_looks, ended
from tests.support.people import Person, inside, make_staff

Outcome = Attempt.Outcome
migration = import_module("generation.migrations.0005_orphan_sweep")


@pytest.fixture
def attempt(alice: Person) -> Attempt:
    """Accepted by the provider; its generation ended by its deadline."""
    return ended(alice, Outcome.ACCEPTED)


def report(*arguments: str) -> str:
    out = StringIO()
    call_command("list_orphans", *arguments, stdout=out)
    return out.getvalue()


def test_the_report(attempt: Attempt, alice: Person) -> None:
    assert report() == "0 orphans\n"
    assert json.loads(report("--json")) == {"orphans": []}
    (look,) = claimed_looks()
    orphans.found(look, "gs://b/1/x.mp4")
    (row,) = json.loads(report("--json"))["orphans"]
    found_at = row.pop("found_at")
    assert found_at == Orphan.objects.get().found_at.isoformat()
    assert row == {
        "account": str(alice.account.pk),
        "generation": str(attempt.generation_id),
        "attempt": 1,
        "model": "veo3_fast",
        "uri": "gs://b/1/x.mp4",
        "why": "refunded before it was found (timeout)",
    }
    line, count = report("--since", found_at).splitlines()
    assert line.split("\t")[:2] == [row["account"], row["generation"]]
    assert count == "1 orphans"
    assert report("--since", "2026-11-01").endswith("1 orphans\n")
    assert report("--since", "2999-01-01") == "0 orphans\n"
    with pytest.raises(CommandError, match="not a date"):
        report("--since", "yesterday")


def test_the_operator_sees_them_and_changes_nothing(attempt: Attempt) -> None:
    (look,) = claimed_looks()
    orphans.found(look, "gs://b/1/x.mp4")
    orphan = Orphan.objects.get()
    operator = inside(make_staff())
    pages = "/admin/generation/orphan/"
    for query in (
        "",
        f"?q={attempt.generation_id}",
        "?q=nobody%27s",
    ):
        page = operator.get(pages + query)
        assert page.status_code == 200, query
        assert ("gs://b/1/x.mp4" in page.text) == ("nobody" not in query), query
    assert f"/admin/generation/generation/{attempt.generation_id}/change/" in (
        operator.get(pages).text
    )
    assert "refunded before" in operator.get(f"{pages}{orphan.pk}/change/").text
    assert operator.get(f"{pages}add/").status_code == 403
    assert operator.post(f"{pages}{orphan.pk}/change/", {"uri": "x"}).status_code == 403
    assert operator.post(f"{pages}{orphan.pk}/delete/", {"post": "yes"}).status_code == 403


def test_old_rows_get_a_look_where_something_may_have_been_left(alice: Person) -> None:
    """What the migration does to the rows of years, without rewriting them."""
    wanted = {ended(alice, Outcome.ACCEPTED).pk, attempt_of(reached(alice, State.RUNNING)).pk}
    kept = ended(alice, Outcome.UNKNOWN)
    Orphan.objects.create(attempt=kept, uri="gs://b/x")
    ended(alice, Outcome.REJECTED)
    reached(alice, State.COMPLETED)
    Attempt.objects.update(next_look_at=None)
    migration.make_due(None, SimpleNamespace(connection=connection))
    due = Attempt.objects.filter(next_look_at__isnull=False)
    assert set(due.values_list("pk", flat=True)) == wanted


def test_the_column_comes_without_a_rewrite(
    attempt: Attempt, admin_connection: psycopg.Connection
) -> None:
    where = "SELECT pg_relation_filenode('generation_attempt')"
    with admin_connection.transaction(force_rollback=True):
        admin_connection.execute("ALTER TABLE generation_attempt DROP COLUMN next_look_at")
        before = admin_connection.execute(where).fetchone()
        for statement in migration.COLUMN:
            admin_connection.execute(statement)
        assert admin_connection.execute(where).fetchone() == before
        looks = admin_connection.execute("SELECT next_look_at FROM generation_attempt").fetchall()
        assert looks == [(None,)]
