"""Which attempts are looked at again, and when; what is kept, and the report of it."""

from __future__ import annotations

import json
from functools import partial
from importlib import import_module
from io import StringIO
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client

from accounts.models import User
from generation import lifecycle, orphans
from generation.models import Attempt, Generation, GenerationEvent, Orphan
from generation.states import OPEN, State
from tests.generation.looks import claimed_looks, end_was, make_looks_due, seconds_until_look
from tests.generation.steps import attempt_of, claimed, reached
from tests.people import Person
from tests.racing import race

Outcome = Attempt.Outcome
migration = import_module("generation.migrations.0005_orphan_sweep")


def ended(person: Person, outcome: Outcome, state: State = State.FAILED) -> Attempt:
    """The attempt of a generation that ended undelivered while the attempt was as ``outcome``."""
    if state == State.CANCELED:
        generation = reached(person, state)
        number = {"number": 1, "prefix": f"gs://b/{generation.pk}/1/", "provider_model": "veo"}
        return Attempt.objects.create(generation=generation, outcome=outcome, **number)
    generation = reached(person, State.SUBMITTING)
    attempt = attempt_of(generation)
    Attempt.objects.filter(pk=attempt.pk).update(outcome=outcome)
    assert lifecycle.fail(generation, "timeout", "Too late")
    return attempt_of(generation)


@pytest.fixture
def attempt(alice: Person) -> Attempt:
    """Accepted by the provider; its generation ended by its deadline."""
    return ended(alice, Outcome.ACCEPTED)


@pytest.mark.parametrize("state", [state for state in OPEN if state != State.QUEUED])
def test_attempts_of_open_generations_wait_for_the_deadline(state: State, alice: Person) -> None:
    attempt = attempt_of(reached(alice, state))
    assert orphans.claim() == (1, [])
    wait = seconds_until_look(attempt)
    assert wait == pytest.approx(settings.DEADLINE + settings.LEASE, abs=5)
    assert orphans.claim() == (0, [])


def test_an_overdue_open_generation_is_waited_for_too(alice: Person) -> None:
    generation = reached(alice, State.RUNNING)
    Generation.objects.filter(pk=generation.pk).update(deadline_at=generation.created_at)
    assert orphans.claim() == (1, [])
    assert seconds_until_look(attempt_of(generation)) == pytest.approx(settings.LEASE, abs=5)


@pytest.mark.parametrize("outcome", [Outcome.NOT_ACCEPTED, Outcome.REJECTED])
@pytest.mark.parametrize("state", [State.FAILED, State.CANCELED])
def test_what_was_certainly_not_bought_is_settled(
    outcome: Outcome, state: State, alice: Person
) -> None:
    attempt = ended(alice, outcome, state)
    assert orphans.claim() == (1, [])
    assert seconds_until_look(attempt) is None


@pytest.mark.parametrize(
    "outcome", [Outcome.ASKED, Outcome.ACCEPTED, Outcome.UNKNOWN, Outcome.ADOPTED]
)
@pytest.mark.parametrize("state", [State.FAILED, State.CANCELED])
def test_what_may_have_been_bought_is_looked_for(
    outcome: Outcome, state: State, alice: Person
) -> None:
    attempt = ended(alice, outcome, state)
    due, (look,) = orphans.claim()
    assert (due, look.attempt_id, look.prefix) == (1, attempt.pk, attempt.prefix)
    assert seconds_until_look(attempt) == pytest.approx(settings.LEASE, abs=5)


def test_only_the_delivered_attempt_is_settled_by_a_delivery(alice: Person) -> None:
    """Also where a prefix begins like the other one: 1 and 11."""
    generation = reached(alice, State.COMPLETED)
    delivered = attempt_of(generation)
    eleventh = delivered.prefix.replace("/1/", "/11/")
    other = Attempt.objects.create(
        generation=generation, number=11, prefix=eleventh, provider_model="veo"
    )
    due, (look,) = orphans.claim()
    assert (due, look.attempt_id) == (2, other.pk)
    assert seconds_until_look(delivered) is None


def test_a_claim_takes_so_many_and_the_oldest_first(alice: Person) -> None:
    attempts = [ended(alice, Outcome.UNKNOWN) for _ in range(3)]
    _, looks = orphans.claim(2)
    assert [look.attempt_id for look in looks] == [each.pk for each in attempts[:2]]


def test_an_orphan_is_kept_and_nothing_else_changes(attempt: Attempt, alice: Person) -> None:
    before = (alice.balance, Generation.objects.values().get(), GenerationEvent.objects.count())
    (look,) = claimed_looks()
    uri = f"{attempt.prefix}1/sample_0.mp4"
    assert orphans.found(look, uri)
    orphan = Orphan.objects.get()
    assert (orphan.attempt, orphan.uri) == (attempt, uri)
    assert orphan.note == "refunded before it was found (timeout)"
    assert seconds_until_look(attempt) is None
    after = (alice.balance, Generation.objects.values().get(), GenerationEvent.objects.count())
    assert after == before
    assert orphans.claim() == (0, [])


@pytest.mark.parametrize("verb", [orphans.not_found, orphans.not_answered])
def test_a_sweeper_that_comes_back_too_late_writes_nothing(verb: Any, attempt: Attempt) -> None:
    (zombie,) = claimed_looks()
    (look,) = claimed_looks()
    assert zombie.until < look.until
    assert not orphans.found(zombie, "gs://b/late")
    verb(zombie)
    assert Attempt.objects.get().next_look_at == look.until
    assert not Orphan.objects.exists()
    assert orphans.found(look, "gs://b/in-time")
    assert not orphans.found(look, "gs://b/again")
    verb(look)
    assert seconds_until_look(attempt) is None
    assert Orphan.objects.get().uri == "gs://b/in-time"


def test_sweepers_at_once_hold_different_attempts_and_write_one_row(alice: Person) -> None:
    wanted = {ended(alice, Outcome.UNKNOWN).pk for _ in range(12)}
    results = race([partial(orphans.claim, 4)] * 10, at_once=10)
    looks = [look for result in results if isinstance(result, tuple) for look in result[1]]
    looks += orphans.claim()[1]
    assert sorted(look.attempt_id for look in looks) == sorted(wanted)
    kept = race([partial(orphans.found, looks[0], "gs://b/x")] * 10, at_once=10)
    assert kept.count(True) == 1
    assert kept.count(False) == 9
    assert Orphan.objects.count() == 1


MINUTE, HOUR, DAY = 60, 3600, 86400


@pytest.mark.parametrize(
    ("ago", "wait"),
    [
        ("0 minutes", 15 * MINUTE),
        ("20 minutes", 40 * MINUTE),
        ("2 hours", 4 * HOUR),
        ("7 hours", 17 * HOUR),
        ("25 hours", None),
    ],
)
def test_what_is_not_there_yet_is_looked_for_again(
    ago: str, wait: int | None, attempt: Attempt, admin_connection: psycopg.Connection
) -> None:
    end_was(admin_connection, attempt.generation, ago)
    (look,) = claimed_looks()
    orphans.not_found(look)
    assert seconds_until_look(attempt) == (wait and pytest.approx(wait, abs=5))


@pytest.mark.parametrize(
    ("ago", "wait"),
    [("0 minutes", MINUTE), ("4 hours", HOUR), ("5 days", 6 * HOUR), ("31 days", None)],
)
def test_a_bucket_that_does_not_answer_is_asked_less_and_less(
    ago: str, wait: int | None, attempt: Attempt, admin_connection: psycopg.Connection
) -> None:
    end_was(admin_connection, attempt.generation, ago)
    (look,) = claimed_looks()
    assert orphans.not_answered(look) is (wait is None)
    assert seconds_until_look(attempt) == (wait and pytest.approx(wait, abs=5))


@pytest.mark.parametrize(
    ("state", "output_uri", "why"),
    [
        ("completed", "gs://b/2/x", "another attempt was delivered"),
        ("canceled", "", "canceled and refunded before it was found"),
        ("failed", "", "refunded before it was found (timeout)"),
        ("failed", "gs://b/1/x", "found in time, but not delivered: refunded (timeout)"),
    ],
)
def test_the_note_says_why_nobody_got_it(
    state: str, output_uri: str, why: str, attempt: Attempt
) -> None:
    (look,) = claimed_looks()
    values = {name: getattr(look, name) for name in look.__slots__}
    values |= {"state": state, "output_uri": output_uri}
    assert orphans.Look(**values).why("gs://b/1/x") == why


def test_a_claim_reads_what_is_due_and_not_the_settled(
    alice: Person, attempt: Attempt, admin_connection: psycopg.Connection
) -> None:
    """20,000 settled attempts cost a claim nothing: they are not in the index it reads."""
    columns = "generation_id, number, prefix, provider_model, outcome, operation_name, detail"
    admin_connection.execute(
        f"INSERT INTO generation_attempt ({columns}, asked_at, next_look_at)"
        f" SELECT '{attempt.generation_id}', n, 'gs://b/' || n || '/', 'veo', 'rejected', '', '',"
        " now(), NULL FROM generate_series(2, 20001) AS n"
    )
    admin_connection.execute("ANALYZE generation_attempt")
    values: dict[str, Any] = {
        "limit": 100,
        "lease": 90.0,
        "not_bought": [],
        "completed": "completed",
    }
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {orphans.CLAIM}", values)
        (plan,) = cursor.fetchone()[0]
    assert '"Index Name": "attempt_to_look_at"' in json.dumps(plan)
    top = plan["Plan"]
    assert top["Actual Rows"] == 1
    assert top["Shared Hit Blocks"] + top["Shared Read Blocks"] < 100  # the table has over 200


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
    operator = Client()
    operator.force_login(User.objects.create_superuser("operator", "op@example.com", "x"))
    pages = "/admin/generation/orphan/"
    for query in (
        "",
        f"?q={attempt.generation_id}",
        f"?found_at__year={orphan.found_at.year}",
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


def test_a_zombie_lifecycle_does_not_reopen_a_settled_attempt(alice: Person) -> None:
    """The lifecycle's verbs never name the column; a claim alone moves it."""
    generation = claimed(reached(alice, State.SUBMITTING))
    attempt = attempt_of(generation)
    make_looks_due()
    moment = Attempt.objects.get().next_look_at
    assert lifecycle.requeue(generation, attempt, 1.0, "busy")
    assert Attempt.objects.get().next_look_at == moment
    assert orphans.claim() == (1, [])
    assert seconds_until_look(attempt) is None
