"""Every rule of events, and of to whom they are sent, broken on purpose, by its name."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest
from django.db import connection
from django.utils import timezone

from events.models import DefaultSecret, Event, WebhookAttempt, WebhookDelivery, WebhookEndpoint
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
LOG = [
    Breach("event_sequence_unique_in_account", event(sequence="1")),
    Breach("event_once_a_generation", event(generation_id="%(generation)s")),
    Breach("event_once_a_generation", event(generation_id="%(generation)s", account_id="%(bob)s")),
    Breach("event_type_is_known", event(type="'credits.low'")),
    Breach("event_names_its_generation", event(generation_id="NULL")),
    Breach("event_is_numbered_unless_a_test", event(sequence="NULL")),
    Breach(
        "event_is_numbered_unless_a_test",
        event(type="'webhook_endpoint.test'", generation_id="NULL"),
    ),
    Breach(APPEND_ONLY, "UPDATE events_event SET type = 'generation.failed'"),
    Breach(APPEND_ONLY, "UPDATE events_event SET created_at = now() - interval '2 days'"),
    Breach(APPEND_ONLY, "DELETE FROM events_event"),
    Breach("event_log_is_not_truncated", "TRUNCATE events_event CASCADE", as_owner=True),
    Breach(COUNTS_UP, "UPDATE events_feed SET last_sequence = 0"),
    Breach(COUNTS_UP, "UPDATE events_feed SET last_sequence = last_sequence"),
    Breach(COUNTS_UP, "UPDATE events_feed SET last_sequence = last_sequence + 2"),
    Breach(COUNTS_UP, "UPDATE events_feed SET account_id = %(bob)s, last_sequence = 2"),
    Breach(COUNTS_UP, "DELETE FROM events_feed"),
]


def delivery(**changes: str) -> str:
    """INSERT a delivery of Alice's event to an order's URL, whole but for ``changes`` (SQL)."""
    columns = {
        "id": "gen_random_uuid()",
        "event_id": "%(event)s",
        "account_id": "%(alice)s",
        "url": "'https://example.com/new'",
        "target": "%(alice)s",
        "type": "'generation.canceled'",
        "state": "'pending'",
        "failed_reason": "''",
        "last_error": "''",
        "next_attempt_at": "now()",
    } | changes
    names, values = ", ".join(columns), ", ".join(columns.values())
    return f"INSERT INTO events_webhookdelivery ({names}) VALUES ({values})"


def sent(sets: str) -> str:
    """UPDATE of the delivery to the endpoint, which is pending."""
    return f"UPDATE events_webhookdelivery SET {sets} WHERE id = %(delivery)s"


def endpoint(sets: str) -> str:
    return f"UPDATE events_webhookendpoint SET {sets}"


ATTEMPT = (
    "INSERT INTO events_webhookattempt (delivery_id, number, duration_ms, status_code, error)"
    " VALUES (%(delivery)s, 2, 100, 500, 'http_status')"
)
OVER = "next_attempt_at = NULL, finished_at = now()"
SCHEDULED, FINISHED = "delivery_pending_iff_scheduled", "delivery_finished_iff_not_pending"
REASON, TARGET = "delivery_failed_for_a_reason", "delivery_has_one_target"
EXPIRES, UNSEALED = "previous_secret_iff_it_expires", "endpoint_deleted_has_no_secret"
SINCE, ITS = "endpoint_disabled_since_a_moment", "previous_default_secret_iff_it_expires"
DELETED = "deleted_at = now(), enabled = false, disabled_at = now()"

DELIVERIES = [
    Breach(
        "delivery_once_an_event_and_endpoint",
        delivery(url="NULL", endpoint_id="%(endpoint)s", target="%(endpoint)s"),
    ),
    Breach("delivery_once_an_event_and_url", delivery(url="%(url)s")),
    Breach("delivery_once_an_event_and_url", delivery()),
    Breach(TARGET, delivery(url="NULL")),
    Breach(TARGET, delivery(endpoint_id="%(endpoint)s")),
    Breach(SCHEDULED, sent("next_attempt_at = NULL")),
    Breach(SCHEDULED, sent("state = 'succeeded', finished_at = now()")),
    Breach(SCHEDULED, sent(f"state = 'paused', {OVER}")),
    Breach(REASON, sent("failed_reason = 'gone'")),
    Breach(REASON, sent(f"state = 'failed', {OVER}")),
    Breach(REASON, sent(f"state = 'failed', failed_reason = 'bored', {OVER}")),
    Breach(REASON, sent(f"state = 'succeeded', failed_reason = 'gone', {OVER}")),
    Breach(FINISHED, sent("finished_at = now()")),
    Breach(FINISHED, sent("state = 'succeeded', next_attempt_at = NULL")),
    Breach("delivery_error_is_known", sent("last_error = 'gremlins'")),
    Breach("delivery_type_is_known", sent("type = ''")),
    *(
        Breach(f"events_webhookdelivery_{column}_check", sent(f"{column} = -1"))
        for column in ("strikes", "round_attempts", "attempts_made", "last_status_code")
    ),
    Breach("attempt_number_unique_in_delivery", ATTEMPT.replace(" 2,", " 1,")),
    Breach("attempt_error_is_known", ATTEMPT.replace("http_status'", "gremlins'")),
    Breach("events_webhookattempt_number_check", ATTEMPT.replace(" 2,", " -1,")),
    Breach("events_webhookattempt_duration_ms_check", ATTEMPT.replace("100", "-1")),
    Breach("events_webhookattempt_status_code_check", ATTEMPT.replace("500", "-1")),
]
SECRETS = [
    Breach(EXPIRES, endpoint("previous_secret = 'sealed'")),
    Breach(EXPIRES, endpoint("previous_secret_expires_at = now()")),
    Breach(UNSEALED, endpoint(DELETED)),
    Breach(
        UNSEALED,
        endpoint(
            f"{DELETED}, secret = '', previous_secret = 'x', previous_secret_expires_at = now()"
        ),
    ),
    Breach(UNSEALED, endpoint("deleted_at = now(), secret = ''")),
    Breach(SINCE, endpoint("enabled = false")),
    Breach(SINCE, endpoint("disabled_at = now()")),
    Breach(SINCE, endpoint("disabled_reason = 'gone'")),
    Breach(
        "endpoint_disabled_reason_is_known",
        endpoint("disabled_reason = 'bored', enabled = false, disabled_at = now()"),
    ),
    Breach("endpoint_wants_some_type", endpoint("event_types = '{}'")),
    Breach(ITS, "UPDATE events_defaultsecret SET previous_secret = 'sealed'"),
    Breach(ITS, "UPDATE events_defaultsecret SET previous_secret_expires_at = now()"),
    Breach("default_secret_is_one", "UPDATE events_defaultsecret SET secret = ''"),
]
BREACHES = [*LOG, *DELIVERIES, *SECRETS]


@pytest.fixture
def values(alice: Person, bob: Person) -> dict[str, Any]:
    """Alice has one event, and Bob none; it goes to an endpoint and to the URL of its order."""
    url = "https://example.com/hooks"
    secret = {"secret": "sealed", "secret_hint": "abcd"}
    made = WebhookEndpoint.objects.create(
        account=alice.account, url=url, event_types=["*"], **secret
    )
    DefaultSecret.objects.create(account=alice.account, **secret)
    generation = reached(alice, State.CANCELED)
    event, pending = Event.objects.get(), WebhookDelivery.objects.get()
    WebhookAttempt.objects.create(delivery=pending, number=1, duration_ms=100)
    WebhookDelivery.objects.create(
        event=event,
        account=alice.account,
        url=url,
        target=alice.account.pk,
        type=event.type,
        next_attempt_at=timezone.now(),
    )
    whose = {"alice": alice.account.pk, "bob": bob.account.pk, "generation": generation.pk}
    return whose | {"event": event.pk, "endpoint": made.pk, "delivery": pending.pk, "url": url}


def test_every_rule_refuses(values: dict[str, Any], admin_connection: psycopg.Connection) -> None:
    for breach in BREACHES:
        assert breach.provoke(values, admin_connection) == breach.rule, breach
    assert (Event.objects.count(), WebhookDelivery.objects.count()) == (1, 2)


def test_what_is_whole_is_not_refused(values: dict[str, Any]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(event(), values)
        cursor.execute(event(account_id="%(bob)s", sequence="1"), values)
        test = {"type": "'webhook_endpoint.test'", "sequence": "NULL", "generation_id": "NULL"}
        cursor.execute(event(**test), values)
        cursor.execute(event(**test), values)
        cursor.execute(delivery(event_id="(SELECT id FROM events_event LIMIT 1 OFFSET 1)"), values)
        cursor.execute(sent(f"state = 'failed', failed_reason = 'gone', {OVER}"), values)
        cursor.execute(sent(f"state = 'succeeded', failed_reason = '', {OVER}"), values)
        cursor.execute(ATTEMPT, values)
        cursor.execute(endpoint(f"{DELETED}, disabled_reason = 'gone', secret = ''"), values)
    assert (Event.objects.count(), WebhookDelivery.objects.count()) == (5, 3)
