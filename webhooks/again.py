"""Sending on demand: a test, one delivery again, or all that an endpoint has missed."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Now

from common.errors import NotFound
from events.models import (
    EVERY_TYPE,
    TEST,
    DeliveryState,
    Event,
    Type,
    WebhookDelivery,
    WebhookEndpoint,
)
from events.retention import kept_since
from webhooks import keys, log
from webhooks.refusals import EndpointDisabled
from work.wake import wake

STAGE = "deliver"
MOST = 1_000  # deliveries that one call of recover makes due

_DUE_ANEW = {
    "state": DeliveryState.PENDING,
    "failed_reason": "",
    "next_attempt_at": Now(),
    "lease_token": None,  # a worker that sends it at this moment is fenced off
    "strikes": 0,
    "round_attempts": 0,
    "finished_at": None,
}


@dataclass(frozen=True, slots=True)
class Recovered:
    """How many deliveries are due now, and whether another call would find more."""

    count: int
    has_more: bool


def test(endpoint: WebhookEndpoint) -> WebhookDelivery:
    """Send a test to the endpoint alone, also while it is switched off."""
    with transaction.atomic():
        moment = _locked(endpoint).now
        event = Event.objects.create(account_id=endpoint.account_id, type=TEST, created_at=moment)
        made = WebhookDelivery.objects.create(**_row(endpoint, event, moment))
        transaction.on_commit(_wake)
    return made


def resend(delivery: WebhookDelivery) -> WebhookDelivery:
    """Send a delivery now, whatever its state, in a new round of attempts.

    Raises EndpointDisabled. If the endpoint is switched off at the same moment, the worker sees
    that and ends the delivery (``webhooks/switching.py``).
    """
    endpoint = delivery.endpoint
    if endpoint is not None and endpoint.deleted_at is not None:
        raise NotFound
    if endpoint is not None and not endpoint.enabled:
        raise EndpointDisabled
    with transaction.atomic():
        if not WebhookDelivery.objects.filter(pk=delivery.pk).update(**_DUE_ANEW):
            raise NotFound  # retention took it
        transaction.on_commit(_wake)
    return WebhookDelivery.objects.select_related("event", "endpoint").get(pk=delivery.pk)


def recover(endpoint: WebhookEndpoint, since: datetime, until: datetime | None = None) -> Recovered:
    """Send now the events of that time that the endpoint did not get. Raises EndpointDisabled.

    These are failed deliveries, and events of its types that found it switched off and therefore
    have no delivery.
    Where there are many events, the search takes a second. So the endpoint is locked only after it,
    and what another call has taken meanwhile is left out.
    """
    row = _now(endpoint, WebhookEndpoint.objects.all())
    if not row.enabled:
        raise EndpointDisabled
    until = row.now if until is None else until
    failed = _failed(row, since, until)
    missed = [] if len(failed) > MOST else _missed(row, since, until, MOST + 1 - len(failed))
    has_more = len(failed) + len(missed) > MOST
    failed, missed = failed[:MOST], missed[: MOST - len(failed)]
    with transaction.atomic():
        row = _locked(endpoint)
        if not row.enabled:
            raise EndpointDisabled
        still = WebhookDelivery.objects.filter(pk__in=failed, state=DeliveryState.FAILED)
        count = still.update(**_DUE_ANEW)
        sent = WebhookDelivery.objects.filter(endpoint=row, event__in=missed)
        known = set(sent.values_list("event_id", flat=True))
        made = WebhookDelivery.objects.bulk_create(
            WebhookDelivery(**_row(row, event, row.now))
            for event in missed
            if event.pk not in known
        )
        count += len(made)
        if count:
            transaction.on_commit(_wake)
    return Recovered(count, has_more)


def _failed(endpoint: WebhookEndpoint, since: datetime, until: datetime) -> list[uuid.UUID]:
    """The oldest failed deliveries, up to MOST + 1. No delivery is older than its event."""
    of_endpoint = WebhookDelivery.objects.filter(target=endpoint.pk, state=DeliveryState.FAILED)
    found = of_endpoint.filter(
        created_at__gte=since, event__created_at__gte=since, event__created_at__lte=until
    )
    return list(found.order_by("created_at", "id").values_list("pk", flat=True)[: MOST + 1])


def _missed(endpoint: WebhookEndpoint, since: datetime, until: datetime, most: int) -> list[Event]:
    """The oldest ``most`` events of its types without a delivery to the endpoint."""
    kept = kept_since(endpoint.now)
    begins = max(since, endpoint.created_at, *([] if kept is None else [kept]))
    types = Type.values if EVERY_TYPE in endpoint.event_types else endpoint.event_types
    return log.without_delivery(endpoint, types, (begins, until), most)


def _locked(endpoint: WebhookEndpoint) -> WebhookEndpoint:
    """The endpoint as it is now, locked before its deliveries. Raises NotFound if it is deleted."""
    return _now(endpoint, WebhookEndpoint.objects.select_for_update(no_key=True))


def _now(endpoint: WebhookEndpoint, rows: QuerySet[WebhookEndpoint]) -> WebhookEndpoint:
    found = rows.filter(pk=endpoint.pk, deleted_at=None).annotate(**keys.TIMED).first()
    if found is None:
        raise NotFound
    return found


def _row(endpoint: WebhookEndpoint, event: Event, moment: datetime) -> dict[str, object]:
    return {
        "event": event,
        "account_id": endpoint.account_id,
        "endpoint": endpoint,
        "target": endpoint.pk,
        "type": event.type,
        "next_attempt_at": moment,
        "created_at": moment,
    }


def _wake() -> None:
    wake(STAGE)
