"""Whose turn it is: by target, by what is known of it, and at what cost."""

from __future__ import annotations

import uuid
from collections import Counter
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from events.models import WebhookDelivery, WebhookEndpoint
from generation.models.states import State
from tests.generation.api.test_history_plans import blocks
from tests.support.bring_to import reached
from tests.support.deliveries import delivery_to, endpoint_of, event_of
from tests.support.people import Person
from tests.support.vacuuming import rewrite, vacuum
from webhooks import due
from webhooks.due import OF_SLOW, OF_UNPROVEN, SLOTS, Queue, Target, UnderWay, share_out

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
WAITING = 100_000
BLOCKS = 200  # of 8 kB: a claim of 2 rows; the rows of one target alone fill 2,000
# Many events of one endpoint, as if it had been away for long.
FILL = """
WITH event AS (
    INSERT INTO events_event (id, account_id, sequence, type, generation_id, created_at)
    SELECT gen_random_uuid(), account_id, 1000 + n, 'generation.failed', gen_random_uuid(), now()
      FROM events_webhookendpoint, generate_series(1, %(many)s) n WHERE id = %(endpoint)s
    RETURNING id, account_id
)
INSERT INTO events_webhookdelivery (id, event_id, account_id, endpoint_id, target, type, state,
       failed_reason, next_attempt_at, last_error, created_at)
SELECT gen_random_uuid(), id, account_id, %(endpoint)s, %(endpoint)s, 'generation.failed',
       'pending', '', now() - random() * interval '1 hour' + %(later)s, '', now()
  FROM event
"""


def target(minutes_ago: float, is_prompt: bool | None = True) -> Target:
    return Target(uuid.uuid4(), NOON - timedelta(minutes=minutes_ago), is_prompt)


def sending(*targets: Target) -> UnderWay:
    """What a process has under way."""
    found = UnderWay()
    for each in targets:
        found.begins(each.id, each.is_prompt)
    return found


def claimed(*under_way: Target) -> list[WebhookDelivery]:
    return Queue().claim(SLOTS, sending(*under_way))


def test_of_all_one_before_anybody_gets_two() -> None:
    found = [target(minutes) for minutes in range(4)]
    assert share_out(found, 6, UnderWay()) == {
        found[3].id: 2,
        found[2].id: 2,
        found[1].id: 1,
        found[0].id: 1,
    }
    assert share_out(found, 50, UnderWay()) == dict.fromkeys([each.id for each in found], 2)
    busy = sending(found[3], found[3], found[2])
    assert share_out(found, 50, busy) == {found[2].id: 1, found[1].id: 2, found[0].id: 2}
    assert share_out(found, 0, UnderWay()) == {}
    busy.ends(found[3].id, True)
    assert share_out(found, 1, busy) == {found[3].id: 1}


def test_who_is_slow_or_new_has_a_part_whoever_else_waits() -> None:
    dead = [target(minutes, is_prompt=False) for minutes in range(60)]
    new = [target(0, is_prompt=None) for _ in range(60)]
    fine = [target(0) for _ in range(60)]
    rooms = share_out([*dead, *new[:1], *fine[:1]], SLOTS, UnderWay())
    assert (rooms[new[0].id], rooms[fine[0].id]) == (2, 2)
    assert sum(rooms.values()) == OF_SLOW + 4
    rooms = share_out([*dead, *new[:1], *fine[:1]], SLOTS, sending(*dead[:OF_SLOW]))
    assert rooms == {new[0].id: 2, fine[0].id: 2}
    rooms = share_out([*new, *fine[:1]], SLOTS, UnderWay())
    assert sum(rooms.values()) == OF_UNPROVEN + 2
    assert share_out([*dead, *new], SLOTS, sending(*dead[:1], *new[: OF_UNPROVEN - 1])) == {}
    assert sum(share_out([*dead, *fine], SLOTS, UnderWay()).values()) == SLOTS


def test_whoever_was_slow_stands_back_and_not_for_ever() -> None:
    slow, new = target(0.5, is_prompt=False), target(0, is_prompt=None)
    assert list(share_out([slow, new], 1, UnderWay())) == [new.id]
    slow = target(1.5, is_prompt=False)
    assert list(share_out([slow, new], 1, UnderWay())) == [slow.id]
    fine = target(0)
    assert list(share_out([slow, fine], 1, UnderWay())) == [slow.id]


def test_a_look_tells_who_is_due_since_when_and_how_prompt(alice: Person, bob: Person) -> None:
    events = [event_of(reached(person, State.FAILED)) for person in (alice, alice, bob)]
    known = [endpoint_of(alice, is_prompt=prompt) for prompt in (True, False, None)]
    for endpoint in known:
        delivery_to(endpoint, events[0])
        delivery_to(endpoint, events[1])
    later = endpoint_of(bob)
    delivery = delivery_to(later, events[2], next_attempt_at=NOON + timedelta(days=3650), due=False)
    delivery_to("https://example.com/order", events[2])
    found = {each.id: each.is_prompt for each in Queue().look()}
    wanted: dict[uuid.UUID, bool | None] = {each.pk: each.is_prompt for each in known}
    assert found == wanted | {bob.account.pk: None}
    rows = claimed()
    assert Counter(row.target for row in rows) == dict.fromkeys([each.pk for each in known], 2) | {
        bob.account.pk: 1
    }
    assert delivery.pk not in {row.pk for row in rows}
    assert len({row.lease_token for row in rows}) == 1
    assert {row.strikes for row in rows} == {1}
    assert claimed() == []


def test_what_is_under_way_here_counts(alice: Person) -> None:
    events = [event_of(reached(alice, State.FAILED)) for _ in range(4)]
    endpoint = endpoint_of(alice)
    for event in events:
        delivery_to(endpoint, event)
    one = Target(endpoint.pk, NOON, None)
    assert len(claimed(one)) == 1
    assert claimed(one, one) == []
    new = [target(0, is_prompt=None) for _ in range(OF_UNPROVEN)]
    assert claimed(*new) == []
    assert len(claimed(*new[1:])) == 1
    WebhookEndpoint.objects.update(is_prompt=True)
    assert len(claimed(*new)) == 2


def test_looks_go_on_where_the_last_one_ended(
    alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    event = event_of(reached(alice, State.FAILED))
    endpoints = [endpoint_of(alice) for _ in range(5)]
    for endpoint in endpoints:
        delivery_to(endpoint, event)
    monkeypatch.setattr(due, "WALK_MOST", 2)
    queue = Queue()
    seen = [sorted(target.id for target in queue.look()) for _ in range(4)]
    pks = [endpoint.pk for endpoint in endpoints]
    assert seen == [pks[:2], pks[2:4], pks[4:], pks[:2]]


def test_of_what_may_kill_its_workers_one_is_claimed_with_all_others(alice: Person) -> None:
    event = event_of(reached(alice, State.FAILED))
    deliveries = [delivery_to(endpoint_of(alice), event) for _ in range(5)]
    suspects = {delivery.pk for delivery in deliveries[:3]}
    WebhookDelivery.objects.filter(pk__in=suspects).update(strikes=3)
    first = {row.pk for row in claimed()}
    assert len(first) == 3
    assert len(first & suspects) == 1
    second, third = ({row.pk for row in claimed()} for _ in range(2))
    assert (len(second), len(third)) == (1, 1)
    assert first | second | third == {delivery.pk for delivery in deliveries}


@pytest.mark.parametrize("later", [0, 3])
def test_a_claim_reads_few_rows_however_many_wait_for_one_target(
    later: int, alice: Person, bob: Person, admin_connection: psycopg.Connection
) -> None:
    event = event_of(reached(bob, State.FAILED))
    away = endpoint_of(alice, is_prompt=False)
    values = {"many": WAITING, "endpoint": away.pk, "later": timedelta(hours=later)}
    admin_connection.execute(FILL, values)
    fine = delivery_to(endpoint_of(bob), event)
    for table in ("events_webhookdelivery", "events_event"):
        rewrite(admin_connection, table)
        vacuum(admin_connection, table)
    for _ in range(2):
        with CaptureQueriesContext(connection) as asked:
            rows = claimed()
        assert fine.pk in {row.pk for row in rows}
        assert len(rows) == (1 if later else 3)
        WebhookDelivery.objects.filter(pk=fine.pk).update(next_attempt_at=NOON)
        read = 0
        with connection.cursor() as cursor:
            for query in asked.captured_queries:
                cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {query['sql']}")
                read += blocks(cursor.fetchone()[0][0]["Plan"])
        assert read < BLOCKS
        WebhookDelivery.objects.filter(pk=fine.pk).update(next_attempt_at=NOON)
