"""Row 22 of the fault table: ten thousand rows come due at once when PostgreSQL is back."""

from __future__ import annotations

import uuid
from collections import Counter
from datetime import datetime

import psycopg

from generation.backends import base
from generation.models import CatalogModel, Generation
from generation.models.states import State
from generation.provider import gate
from generation.stages.poll import PollStage
from tests.generation.provider.test_gate import later
from tests.support.bring_to import reached
from tests.support.people import Person
from tests.support.racing import race
from tests.support.works import Works, age

MANY = 10_000
COPIES = """
SET session_replication_role = replica;  -- no foreign key is looked up 50,000 times
CREATE TEMP TABLE copy ON COMMIT DROP AS
    SELECT gen_random_uuid() AS id, gen_random_uuid() AS charge FROM generate_series(2, {many});
INSERT INTO generation_generation ({columns})
    SELECT {values} FROM copy, generation_generation template WHERE template.id = '{template}';
INSERT INTO generation_attempt (generation_id, number, prefix, provider_model, outcome,
                                operation_name, detail, asked_at)
    SELECT copy.id, 1, copy.id, '', 'accepted', '', '', now() FROM copy;
UPDATE generation_generation SET lease_token = NULL, next_attempt_at = now() - interval '1 minute';
SET session_replication_role = DEFAULT;
"""


def multiply(generation: Generation, owner: psycopg.Connection) -> None:
    """Make it one of ``MANY`` that are alike and due, each an order of its own."""
    own = {"id": "copy.id", "charge_id": "copy.charge", "operation_name": "copy.id::text"}
    columns = [str(field.column) for field in Generation._meta.concrete_fields]
    values = [own.get(column, f"template.{column}") for column in columns]
    statement = COPIES.format(
        many=MANY, columns=", ".join(columns), values=", ".join(values), template=generation.pk
    )
    with owner.transaction():
        owner.execute(statement.encode())
    owner.execute("ANALYZE generation_generation")
    assert Generation.objects.count() == MANY


def test_polls_are_claimed_in_bounded_batches_and_spread_again(
    alice: Person, works: Works, admin_connection: psycopg.Connection
) -> None:
    """Each row once, never more than the stage's slots, and not due together a second time."""
    running = reached(alice, State.RUNNING)
    age(str(running.pk), accepted_at="-10 minutes")  # polled so seldom that none comes due again
    multiply(running, admin_connection)
    stage = PollStage(works.provider)
    claimed: dict[uuid.UUID, datetime] = {}
    while rows := stage.claim(stage.concurrency):
        assert len(rows) <= stage.concurrency
        assert not claimed.keys() & {row.pk for row in rows}
        claimed |= {row.pk: row.claimed_at for row in rows}
        assert stage.together([(row, base.Running()) for row in rows]) == []
    assert len(claimed) == MANY
    due = {pk: when for pk, when in Generation.objects.values_list("pk", "next_attempt_at") if when}
    waits = {pk: (due[pk] - moment).total_seconds() for pk, moment in claimed.items()}
    shortest, longest = min(waits.values()), max(waits.values())
    assert longest > 1.4 * shortest  # ±20 %
    tenths = Counter(int((wait - shortest) / (longest - shortest) * 10) for wait in waits.values())
    assert max(tenths.values()) < MANY * 0.2


def test_the_provider_is_asked_no_faster_than_its_quota(
    alice: Person, admin_connection: psycopg.Connection
) -> None:
    """However many wait, and however many workers come for them."""
    CatalogModel.objects.filter(pk="veo3_fast").update(submits_per_minute=50)
    multiply(reached(alice, State.QUEUED), admin_connection)
    asked: list[uuid.UUID] = []
    for _ in range(10):
        for rows in race([lambda: gate.claim(20)] * 4, at_once=4):
            assert isinstance(rows, list), rows
            asked += [row.pk for row in rows]
        later(6)
    assert len(asked) == len(set(asked))
    assert 40 <= len(asked) <= 50
