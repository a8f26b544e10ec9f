"""Making, changing and ending the endpoints of an account."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from typing import TypedDict, Unpack

from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Now

from accounts.models import Account
from common import ids
from common.errors import NotFound
from events.models import EVERY_TYPE, FailedReason, Type, WebhookEndpoint
from webhooks import keys, switching
from webhooks.refusals import MOST_ENDPOINTS, TooManyWebhookEndpoints

LONGEST_DESCRIPTION = 200


class Changes(TypedDict, total=False):
    """What a customer says of an endpoint. The values were checked before."""

    url: str
    event_types: list[str]
    description: str
    enabled: bool


def of_account(account_id: uuid.UUID) -> QuerySet[WebhookEndpoint]:
    """The account's endpoints but the deleted ones, each with the database's time as ``now``."""
    kept = WebhookEndpoint.objects.filter(account_id=account_id, deleted_at__isnull=True)
    return kept.annotate(**keys.TIMED)


class MadeAlready(Exception):
    """An endpoint of this id was made before; nothing shows its secret again."""


def create(
    account_id: uuid.UUID,
    user_id: uuid.UUID | None,
    endpoint_id: uuid.UUID | None = None,
    **said: Unpack[Changes],
) -> tuple[WebhookEndpoint, str]:
    """A new endpoint, and its secret, which nothing shows again. Raises TooManyWebhookEndpoints.

    Of several calls with one ``endpoint_id`` the first makes it, the others raise MadeAlready.
    The account's lock is held while endpoints are counted and one is inserted; without it, two
    calls at once would make one too many.
    """
    made = keys.make()
    enabled = said.get("enabled", True)
    with transaction.atomic():
        Account.objects.select_for_update(no_key=True).get(pk=account_id)
        if endpoint_id and WebhookEndpoint.objects.filter(pk=endpoint_id).exists():
            raise MadeAlready
        if of_account(account_id).count() >= MOST_ENDPOINTS:
            raise TooManyWebhookEndpoints
        row = WebhookEndpoint.objects.create(
            id=endpoint_id or ids.new(),
            account_id=account_id,
            created_by_id=user_id,
            url=said["url"],
            event_types=merged(said.get("event_types", Type.values)),
            description=said.get("description", ""),
            enabled=enabled,
            disabled_at=None if enabled else Now(),
            # the database's clock, by which events are older than it or not
            **dict.fromkeys(("created_at", "updated_at", "enabled_at"), Now()),
            secret=made.sealed,
            secret_hint=made.hint,
        )
        return _read(row.pk), made.secret


def change(endpoint: WebhookEndpoint, **said: Unpack[Changes]) -> WebhookEndpoint:
    """The endpoint after the changes. Raises NotFound if it was just deleted.

    Pending deliveries go to the new ``url``, because each attempt reads it anew.
    """
    texts = {name: value for name, value in said.items() if name != "enabled"}
    if "event_types" in said:
        texts["event_types"] = merged(said["event_types"])
    with transaction.atomic():
        _locked(endpoint.pk)
        if texts:
            rows = WebhookEndpoint.objects.filter(pk=endpoint.pk)
            rows.update(**texts, updated_at=Now())
        if said.get("enabled") is True:
            switching.switch_on(endpoint.pk)
        elif said.get("enabled") is False:
            switching.switch_off(endpoint.pk, None)
        return _read(endpoint.pk)


def delete(endpoint: WebhookEndpoint) -> None:
    """Send nothing there any more, and drop its secrets. Raises NotFound the second time."""
    with transaction.atomic():
        row = _locked(endpoint.pk)
        row.secret, row.secret_hint = "", ""
        row.previous_secret = row.previous_secret_expires_at = None
        row.enabled, row.disabled_at = False, row.disabled_at or row.now
        row.deleted_at = row.updated_at = row.now
        row.save(
            update_fields=[*keys.COLUMNS, "enabled", "disabled_at", "deleted_at", "updated_at"]
        )
        switching.end_pending(row.pk, FailedReason.ENDPOINT_DELETED)


def rotate(
    endpoint: WebhookEndpoint, keep_hours: int = keys.KEEP_HOURS, force: bool = False
) -> tuple[WebhookEndpoint, str]:
    """Give the endpoint a new secret; return both. Raises RotationInProgress and NotFound."""
    with transaction.atomic():
        row = _locked(endpoint.pk)
        secret = keys.rotate(row, row.now, keep_hours, force)
        row.updated_at = row.now
        row.save(update_fields=[*keys.COLUMNS, "updated_at"])
    return row, secret


def merged(event_types: Iterable[str]) -> list[str]:
    """The types, each once; ``*`` alone if it is among them."""
    said = dict.fromkeys(event_types)
    return [EVERY_TYPE] if EVERY_TYPE in said else list(said)


def _locked(endpoint_id: uuid.UUID) -> WebhookEndpoint:
    """Lock it, before its deliveries as everywhere. New rows may still point to it."""
    rows = WebhookEndpoint.objects.select_for_update(no_key=True).annotate(**keys.TIMED)
    found = rows.filter(pk=endpoint_id, deleted_at__isnull=True).first()
    if found is None:
        raise NotFound
    return found


def _read(endpoint_id: uuid.UUID) -> WebhookEndpoint:
    return WebhookEndpoint.objects.annotate(**keys.TIMED).get(pk=endpoint_id)
