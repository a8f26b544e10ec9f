"""What pages say of endpoints and deliveries."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from events.models import (
    EVERY_TYPE,
    TEST,
    AttemptError,
    DeliveryState,
    DisabledReason,
    FailedReason,
    Type,
    WebhookAttempt,
    WebhookDelivery,
    WebhookEndpoint,
)
from webhooks import payload, public


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An endpoint as a page shows it. ``look`` is a badge's class."""

    row: WebhookEndpoint
    id: str
    state: str
    look: str
    why: str  # it is off; empty when it is on
    told: list[str]  # what it is sent


@dataclass(frozen=True, slots=True)
class Delivery:
    """A delivery as a page shows it. ``seen`` names the state that the reader sees."""

    row: WebhookDelivery
    id: str
    event_id: str
    told: str
    state: str
    look: str
    why: str  # it failed
    last: str  # what came of the newest attempt
    next_at: datetime | None
    is_test: bool
    is_pending: bool
    seen: str


@dataclass(frozen=True, slots=True)
class Attempt:
    """One POST and what came of it."""

    at: datetime
    took: str
    said: str
    is_good: bool


def endpoint(row: WebhookEndpoint) -> Endpoint:
    failing = row.enabled and row.last_attempt_succeeded is False
    state, look = (_("on"), "good") if row.enabled else (_("off"), "bad")
    if failing:
        state, look = _("on, but failing"), "busy"
    return Endpoint(
        row=row,
        id=public.endpoint_id(row.pk),
        state=state,
        look=look,
        why="" if row.enabled else _why_off(row.disabled_reason),
        told=[_told(each) for each in row.event_types],
    )


def delivery(row: WebhookDelivery) -> Delivery:
    """A delivery for a page. ``row`` comes with its event."""
    looks = {DeliveryState.SUCCEEDED: "good", DeliveryState.FAILED: "bad"}
    states = {
        DeliveryState.SUCCEEDED: _("delivered"),
        DeliveryState.FAILED: _("failed"),
        DeliveryState.PENDING: _("waiting"),
    }
    state = DeliveryState(row.state)
    return Delivery(
        row=row,
        id=public.delivery_id(row.pk),
        event_id=payload.shown_id(row.event_id),
        told=_told(row.event.type),
        state=states[state],
        look=looks.get(state, "busy"),
        why=_why_failed(row.failed_reason),
        last=said(row.last_status_code, row.last_error),
        next_at=row.next_attempt_at,
        is_test=row.event.type == TEST,
        is_pending=state == DeliveryState.PENDING,
        seen=f"{state}-{row.attempts_made}",
    )


def attempt(row: WebhookAttempt) -> Attempt:
    tenths = row.duration_ms // 100
    return Attempt(
        at=row.at,
        took=_("%(seconds)s s") % {"seconds": f"{tenths // 10}.{tenths % 10}"},
        said=said(row.status_code, row.error),
        is_good=not row.error,
    )


def said(status_code: int | None, error: str) -> str:
    """What came of an attempt, in words; empty before the first one."""
    if not error:
        return "" if status_code is None else _("answered %(status)s") % {"status": status_code}
    words = {
        AttemptError.TIMEOUT: _("no answer within 15 seconds"),
        AttemptError.CONNECTION: _("no connection"),
        AttemptError.TLS: _("no secure connection: look at the certificate"),
        AttemptError.HTTP_STATUS: _("answered %(status)s") % {"status": status_code},
        AttemptError.REDIRECT: _("answered %(status)s: redirects are not followed")
        % {"status": status_code},
        AttemptError.INTERNAL: _("a fault of ours"),
    }
    return words[AttemptError(error)]


def times(count: int) -> str:
    return ngettext("%(count)s attempt", "%(count)s attempts", count) % {"count": count}


def pretty(body: dict[str, Any]) -> str:
    """The event, indented for people; what is sent has no blanks."""
    return json.dumps(body, ensure_ascii=False, indent=2)


def _told(event_type: str) -> str:
    words = {
        Type.COMPLETED: _("completed"),
        Type.FAILED: _("failed"),
        Type.CANCELED: _("canceled"),
        TEST: _("test"),
        EVERY_TYPE: _("everything"),
    }
    return words.get(event_type, event_type)


def _why_off(reason: str) -> str:
    words = {
        DisabledReason.GONE: _(
            "Your server answered 410, which says that nothing is to be sent there any more."
        ),
        DisabledReason.FAILING: _(
            "A delivery has used up its ten attempts, and nothing had succeeded for five days."
        ),
        DisabledReason.OPERATOR: _("Somebody of ours switched it off. Please write to us."),
    }
    return words[DisabledReason(reason)] if reason else _("You switched it off.")


def _why_failed(reason: str) -> str:
    words = {
        FailedReason.EXHAUSTED: _("All ten attempts failed."),
        FailedReason.GONE: _("Your server answered 410."),
        FailedReason.ENDPOINT_DISABLED: _("The endpoint was switched off."),
        FailedReason.ENDPOINT_DELETED: _("The endpoint was deleted."),
        FailedReason.INTERNAL: _("A fault of ours. Please write to us."),
    }
    return words[FailedReason(reason)] if reason else ""
