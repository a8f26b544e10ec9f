"""Every rule that the log of ends holds, broken on purpose, by its name."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest
from django.db import connection

from events.models import Event
from generation.models.states import State
from tests.support.bring_to import reached
from tests.support.people import Person
from tests.support.provoke import Breach


def event(**changes: str) -> str:
    """INSERT a second event of Alice's, whole but for ``changes`` (SQL)."""
    columns = {
        "id": "gen_random_uuid()",
        "account_id": "%(alice)s",
        "sequence": "2",
        "type": "'generation.failed'",
        "generation_id": "gen_random_uuid()",
    } | changes
    names, values = ", ".join(columns), ", ".join(columns.values())
    return f"INSERT INTO events_event ({names}) VALUES ({values})"


APPEND_ONLY, COUNTS_UP = "event_log_is_append_only", "feed_only_counts_up"
BREACHES = [
    Breach("event_sequence_unique_in_account", event(sequence="1")),
    Breach("event_once_a_generation", event(generation_id="%(generation)s")),
    Breach("event_once_a_generation", event(generation_id="%(generation)s", account_id="%(bob)s")),
    Breach("event_type_is_known", event(type="'credits.low'")),
    Breach("event_names_its_generation", event(generation_id="NULL")),
    Breach(APPEND_ONLY, "UPDATE events_event SET type = 'generation.failed'"),
    Breach(APPEND_ONLY, "UPDATE events_event SET created_at = now() - interval '2 days'"),
    Breach(APPEND_ONLY, "DELETE FROM events_event"),
    Breach("event_log_is_not_truncated", "TRUNCATE events_event", as_owner=True),
    Breach(COUNTS_UP, "UPDATE events_feed SET last_sequence = 0"),
    Breach(COUNTS_UP, "UPDATE events_feed SET last_sequence = last_sequence"),
    Breach(COUNTS_UP, "UPDATE events_feed SET last_sequence = last_sequence + 2"),
    Breach(COUNTS_UP, "UPDATE events_feed SET account_id = %(bob)s, last_sequence = 2"),
    Breach(COUNTS_UP, "DELETE FROM events_feed"),
]


@pytest.fixture
def values(alice: Person, bob: Person) -> dict[str, Any]:
    """Alice has one event, and Bob none."""
    generation = reached(alice, State.CANCELED)
    return {"alice": alice.account.pk, "bob": bob.account.pk, "generation": generation.pk}


def test_every_rule_refuses(values: dict[str, Any], admin_connection: psycopg.Connection) -> None:
    for breach in BREACHES:
        assert breach.provoke(values, admin_connection) == breach.rule, breach
    assert Event.objects.count() == 1


def test_what_is_whole_is_not_refused(values: dict[str, Any]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(event(), values)
        cursor.execute(event(account_id="%(bob)s", sequence="1"), values)
    assert Event.objects.count() == 3
