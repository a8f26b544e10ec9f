"""Writing back to a delivery, if the worker still holds it.

The endpoint is locked before its delivery, as in ``webhooks/switching.py``, so nothing deadlocks.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.db import connection, transaction

from common.statement import Statement
from events.models import (
    AttemptError,
    DeliveryState,
    DisabledReason,
    FailedReason,
    WebhookDelivery,
    WebhookEndpoint,
)
from webhooks import metrics, schedule, switching
from webhooks.due import PROMPT
from webhooks.send import Answer

logger = logging.getLogger(__name__)

KEPT = 50  # attempts of a delivery
GONE = 410

# Writes the delivery, its attempt, and what is known of the target; nothing if the lease is over.
# Of two attempts at one endpoint the later one counts, whichever is written back first.
WRITE = Statement(
    """
WITH delivery AS (
    UPDATE events_webhookdelivery AS row
       SET state = %(state)s::varchar, failed_reason = %(reason)s::varchar,
           next_attempt_at = now() + %(wait)s::float8 * interval '1 second',
           lease_token = NULL, strikes = 0, round_attempts = row.round_attempts + 1,
           attempts_made = row.attempts_made + 1, last_status_code = %(status_code)s::int2,
           last_error = %(error)s::varchar,
           finished_at = CASE WHEN %(state)s::varchar = 'pending' THEN NULL ELSE now() END
     WHERE row.id = %(id)s::uuid AND row.lease_token = %(token)s::uuid AND row.state = 'pending'
    RETURNING row.id, row.attempts_made
), attempt AS (
    INSERT INTO events_webhookattempt (delivery_id, number, at, duration_ms, status_code, error)
    SELECT id, attempts_made, %(at)s::timestamptz, %(duration_ms)s::int, %(status_code)s::int2,
           %(error)s::varchar
      FROM delivery
), former AS (
    DELETE FROM events_webhookattempt AS row USING delivery
     WHERE row.delivery_id = delivery.id AND row.number <= delivery.attempts_made - %(kept)s::int
), endpoint AS (
    UPDATE events_webhookendpoint AS row
       SET last_attempt_at = %(at)s::timestamptz, is_prompt = %(is_prompt)s::bool,
           last_attempt_succeeded = %(succeeded)s::bool,
           last_success_at = CASE WHEN %(succeeded)s::bool THEN %(at)s::timestamptz
                                  ELSE row.last_success_at END
      FROM delivery
     WHERE row.id = %(endpoint)s::uuid
       AND COALESCE(row.last_attempt_at, '-infinity') <= %(at)s::timestamptz
), secret AS (
    UPDATE events_defaultsecret AS row SET is_prompt = %(is_prompt)s::bool FROM delivery
     WHERE %(endpoint)s::uuid IS NULL AND row.account_id = %(account)s::uuid
       AND row.is_prompt IS DISTINCT FROM %(is_prompt)s::bool
)
SELECT attempts_made FROM delivery
"""
)
# The delivery ends without an attempt. The lease shows that nobody else has ended it.
END = """
UPDATE events_webhookdelivery
   SET state = 'failed', failed_reason = %(reason)s, next_attempt_at = NULL, lease_token = NULL,
       strikes = 0, finished_at = now()
 WHERE id = %(id)s AND lease_token = %(token)s AND state = 'pending'
"""
HAND_BACK = """
UPDATE events_webhookdelivery AS row
   SET next_attempt_at = now(), lease_token = NULL, strikes = GREATEST(row.strikes - 1, 0)
  FROM unnest(%(ids)s::uuid[], %(tokens)s::uuid[]) AS held (id, token)
 WHERE row.id = held.id AND row.lease_token = held.token
"""


@dataclass(frozen=True, slots=True)
class _Fate:
    state: DeliveryState
    reason: FailedReason | None = None
    wait: float | None = None  # seconds until the next attempt, if it stays pending


def attempted(delivery: WebhookDelivery, answer: Answer) -> None:
    """Write back what came of an attempt; switch the endpoint off if that follows."""
    with transaction.atomic():
        endpoint = _locked(delivery)
        fate = _fate(delivery, answer, endpoint)
        if not _write(delivery, answer, fate):
            return
        if fate.state is not DeliveryState.PENDING:
            outcome = fate.reason or metrics.SUCCEEDED
            transaction.on_commit(metrics.ENDED.labels(str(outcome)).inc)
        if endpoint is None:
            return
        if fate.reason is FailedReason.GONE:
            _switch_off(endpoint, DisabledReason.GONE)
        elif fate.reason is FailedReason.EXHAUSTED and _is_failing(delivery, answer, endpoint):
            _switch_off(endpoint, DisabledReason.FAILING)


def not_sent(delivery: WebhookDelivery, reason: FailedReason) -> None:
    """Let the delivery fail without another attempt."""
    values = {"id": delivery.pk, "token": delivery.lease_token, "reason": reason.value}
    with connection.cursor() as cursor:
        cursor.execute(END, values)
        if cursor.rowcount:
            metrics.ENDED.labels(reason.value).inc()
            return
    _fenced(delivery)


def hand_back(deliveries: Sequence[WebhookDelivery]) -> None:
    """Make rows that were claimed in vain due at once, for any worker and without a strike."""
    with connection.cursor() as cursor:
        tokens = [delivery.lease_token for delivery in deliveries]
        cursor.execute(HAND_BACK, {"ids": [each.pk for each in deliveries], "tokens": tokens})


def url_of(delivery: WebhookDelivery) -> str:
    """The URL it goes to, as read at the claim."""
    endpoint = delivery.endpoint
    return delivery.url or "" if endpoint is None else endpoint.url


def is_off(endpoint: WebhookEndpoint | None) -> FailedReason | None:
    """Why nothing is sent to the endpoint any more; None if something is."""
    if endpoint is None:
        return None
    if endpoint.deleted_at is not None:
        return FailedReason.ENDPOINT_DELETED
    return None if endpoint.enabled else FailedReason.ENDPOINT_DISABLED


def _locked(delivery: WebhookDelivery) -> WebhookEndpoint | None:
    """The endpoint as it is now, locked so that new deliveries can still name it."""
    if delivery.endpoint_id is None:
        return None
    return WebhookEndpoint.objects.select_for_update(no_key=True).get(pk=delivery.endpoint_id)


def _fate(delivery: WebhookDelivery, answer: Answer, endpoint: WebhookEndpoint | None) -> _Fate:
    if answer.error is None:
        return _Fate(DeliveryState.SUCCEEDED)
    # a 410 of the former URL says nothing about the new one
    if answer.status_code == GONE and (endpoint is None or endpoint.url == url_of(delivery)):
        return _Fate(DeliveryState.FAILED, FailedReason.GONE)
    wait = schedule.next_pause(delivery.round_attempts + 1, answer.retry_after)
    if wait is None:
        return _Fate(DeliveryState.FAILED, FailedReason.EXHAUSTED)
    off = is_off(endpoint)
    return _Fate(DeliveryState.FAILED, off) if off else _Fate(DeliveryState.PENDING, wait=wait)


def _is_failing(delivery: WebhookDelivery, answer: Answer, endpoint: WebhookEndpoint) -> bool:
    """Whether the endpoint has failed for days. Our own faults switch no endpoint off."""
    ours = answer.error is AttemptError.INTERNAL
    return not ours and schedule.is_failing(endpoint, delivery.claimed_at)


def _write(delivery: WebhookDelivery, answer: Answer, fate: _Fate) -> bool:
    """Write it all; False if the lease was not ours any more."""
    succeeded = answer.error is None
    values: dict[str, Any] = {
        "id": delivery.pk,
        "token": delivery.lease_token,
        "account": delivery.account_id,
        "endpoint": delivery.endpoint_id,
        "state": fate.state.value,
        "reason": fate.reason.value if fate.reason else "",
        "wait": fate.wait,
        "at": delivery.claimed_at,
        "duration_ms": answer.duration_ms,
        "status_code": answer.status_code,
        "error": answer.error.value if answer.error else "",
        "succeeded": succeeded,
        "is_prompt": succeeded and answer.duration_ms <= PROMPT * 1000,
        "kept": KEPT,
    }
    if WRITE.one(values) is None:
        _fenced(delivery)
        return False
    return True


def _switch_off(endpoint: WebhookEndpoint, reason: DisabledReason) -> None:
    if switching.switch_off(endpoint.pk, reason):
        line = "webhook endpoint %s: switched off, %s"
        transaction.on_commit(partial(logger.warning, line, endpoint.pk, reason.value))


def _fenced(delivery: WebhookDelivery) -> None:
    logger.info("delivery %s: another worker holds it", delivery.pk)
