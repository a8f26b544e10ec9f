"""What staff do to endpoints and deliveries: each verb with its audit entry, in one transaction."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import transaction

from accounts.models import User
from events.models import DisabledReason, WebhookDelivery, WebhookEndpoint
from staff import audit
from staff.results import Result
from webhooks import again, switching

Values = Mapping[str, Any]  # of the form

ON, OFF = "on", "off"


def switch_off(actor: User, endpoint: WebhookEndpoint, values: Values) -> Result:
    """Send nothing there any more. Its customer may switch it on again."""
    with transaction.atomic():
        row = _locked(endpoint)
        if not switching.switch_off(row.pk, DisabledReason.OPERATOR):
            return Result(f"It was off before ({state_of(row)}).", changed=False)
        changes = {"state": [state_of(row), f"{OFF}: {DisabledReason.OPERATOR}"]}
        _record(actor, "switch_off_endpoint", row, values, changes)
    return Result("Nothing is sent there from now on. What was waiting for it has failed.")


def switch_on(actor: User, endpoint: WebhookEndpoint, values: Values) -> Result:
    """Send what ends from now on. What has failed stays so, until somebody recovers it."""
    with transaction.atomic():
        row = _locked(endpoint)
        if not switching.switch_on(row.pk):
            gone = "It is deleted." if row.deleted_at else "It was on before."
            return Result(gone, changed=False)
        _record(actor, "switch_on_endpoint", row, values, {"state": [state_of(row), ON]})
    return Result("What ends from now on is sent there. Recover what it has missed.")


def recover(actor: User, endpoint: WebhookEndpoint, values: Values) -> Result:
    """Send what failed or was never sent since a moment.

    Raises the EndpointDisabled of ``webhooks/again.py``.
    """
    since = values["since"]
    with transaction.atomic():
        done = again.recover(endpoint, since, None)  # it locks, once it has looked
        changes = {"since": since, "deliveries": done.count, "has_more": done.has_more}
        _record(actor, "recover_endpoint", endpoint, values, changes)
    more = " There are more: recover once again." if done.has_more else ""
    return Result(f"{done.count:,} deliveries are due now.{more}", changed=done.count > 0)


def send_again(actor: User, delivery: WebhookDelivery, values: Values) -> Result:
    """Send it now, in a new round of attempts.

    Raises the EndpointDisabled of ``webhooks/again.py``.
    """
    with transaction.atomic():
        if delivery.endpoint is not None:
            _locked(delivery.endpoint)  # before its deliveries, as everywhere
        row = WebhookDelivery.objects.select_for_update().get(pk=delivery.pk)
        again.resend(row)
        changes = {"state": [row.state, "pending"], "attempts_made": row.attempts_made}
        _record(actor, "send_webhook_again", row, values, changes)
    return Result("It is sent within seconds; then reload this page.")


def state_of(endpoint: WebhookEndpoint) -> str:
    """Whether it is on, and who or what switched it off."""
    if endpoint.deleted_at is not None:
        return "deleted"
    if endpoint.enabled:
        return ON
    return f"{OFF}: {endpoint.disabled_reason or 'its customer'}"


def _locked(endpoint: WebhookEndpoint) -> WebhookEndpoint:
    return WebhookEndpoint.objects.select_for_update(no_key=True).get(pk=endpoint.pk)


def _record(
    actor: User,
    action: str,
    target: WebhookEndpoint | WebhookDelivery,
    values: Values,
    changes: dict[str, Any],
) -> None:
    audit.record(
        actor,
        action,
        target,
        reason=values["reason"],
        account_id=target.account_id,
        changes=changes,
    )
