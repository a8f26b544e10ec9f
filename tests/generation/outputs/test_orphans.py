"""Which attempts are looked at again, and when; what is kept, and the report of it."""

from __future__ import annotations

import json
from functools import partial
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.db import connection

from generation import lifecycle
from generation.models import Attempt, Generation, GenerationEvent, Orphan
from generation.models.states import OPEN, State
from generation.outputs import orphans
from tests.support.bring_to import attempt_of, claimed, reached
from tests.support.orphan_looks import (
    claimed_looks,
    end_was,
    ended,
    make_looks_due,
    seconds_until_look,
)
from tests.support.people import Person
from tests.support.racing import race

Outcome = Attempt.Outcome


@pytest.fixture
def attempt(alice: Person) -> Attempt:
    """Accepted by the provider; its generation ended by its deadline."""
    return ended(alice, Outcome.ACCEPTED)


@pytest.mark.parametrize("state", [state for state in OPEN if state != State.QUEUED])
def test_attempts_of_open_generations_wait_for_the_deadline(state: State, alice: Person) -> None:
    attempt = attempt_of(reached(alice, state))
    assert orphans.claim_looks() == (1, [])
    wait = seconds_until_look(attempt)
    assert wait == pytest.approx(settings.DEADLINE + settings.LEASE, abs=20)
    assert orphans.claim_looks() == (0, [])


def test_an_overdue_open_generation_is_waited_for_too(alice: Person) -> None:
    generation = reached(alice, State.RUNNING)
    Generation.objects.filter(pk=generation.pk).update(deadline_at=generation.created_at)
    assert orphans.claim_looks() == (1, [])
    assert seconds_until_look(attempt_of(generation)) == pytest.approx(settings.LEASE, abs=20)


@pytest.mark.parametrize("outcome", [Outcome.NOT_ACCEPTED, Outcome.REJECTED])
@pytest.mark.parametrize("state", [State.FAILED, State.CANCELED])
def test_what_was_certainly_not_bought_is_settled(
    outcome: Outcome, state: State, alice: Person
) -> None:
    attempt = ended(alice, outcome, state)
    assert orphans.claim_looks() == (1, [])
    assert seconds_until_look(attempt) is None


@pytest.mark.parametrize(
    "outcome", [Outcome.ASKED, Outcome.ACCEPTED, Outcome.UNKNOWN, Outcome.ADOPTED]
)
@pytest.mark.parametrize("state", [State.FAILED, State.CANCELED])
def test_what_may_have_been_bought_is_looked_for(
    outcome: Outcome, state: State, alice: Person
) -> None:
    attempt = ended(alice, outcome, state)
    due, (look,) = orphans.claim_looks()
    assert (due, look.attempt_id, look.place) == (1, attempt.pk, attempt.prefix)
    assert seconds_until_look(attempt) == pytest.approx(settings.LEASE, abs=20)


def test_only_the_delivered_attempt_is_settled_by_a_delivery(alice: Person) -> None:
    """Also where a prefix begins like the other one: 1 and 11."""
    generation = reached(alice, State.COMPLETED)
    delivered = attempt_of(generation)
    eleventh = delivered.prefix.replace("/1/", "/11/")
    other = Attempt.objects.create(
        generation=generation, number=11, prefix=eleventh, provider_model="veo"
    )
    due, (look,) = orphans.claim_looks()
    assert (due, look.attempt_id) == (2, other.pk)
    assert seconds_until_look(delivered) is None


def test_a_claim_takes_so_many_and_the_oldest_first(alice: Person) -> None:
    attempts = [ended(alice, Outcome.UNKNOWN) for _ in range(3)]
    _, looks = orphans.claim_looks(2)
    # which ones is promised, not in what order the statement returns them
    assert {look.attempt_id for look in looks} == {each.pk for each in attempts[:2]}


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
    assert orphans.claim_looks() == (0, [])


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
    results = race([partial(orphans.claim_looks, 4)] * 10, at_once=10)
    looks = [look for result in results if isinstance(result, tuple) for look in result[1]]
    looks += orphans.claim_looks()[1]
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
    assert seconds_until_look(attempt) == (wait and pytest.approx(wait, abs=20))


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
    assert seconds_until_look(attempt) == (wait and pytest.approx(wait, abs=20))


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


def test_a_zombie_lifecycle_does_not_reopen_a_settled_attempt(alice: Person) -> None:
    """The lifecycle's verbs never name the column; a claim alone moves it."""
    generation = claimed(reached(alice, State.SUBMITTING))
    attempt = attempt_of(generation)
    make_looks_due()
    moment = Attempt.objects.get().next_look_at
    assert lifecycle.requeue(generation, attempt, 1.0, "busy")
    assert Attempt.objects.get().next_look_at == moment
    assert orphans.claim_looks() == (1, [])
    assert seconds_until_look(attempt) is None
