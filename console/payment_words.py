"""What pages say of payments, refusals, refunds and disputes, in words for people."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from rest_framework.exceptions import APIException, ErrorDetail

from common.errors import ApiError
from payments import links, public, receipts, reversals
from payments.models import Payment, Reversal
from payments.models.states import State

STATES = {
    State.CREATED: gettext_lazy("Being prepared"),
    State.OPEN: gettext_lazy("Waiting for payment"),
    State.PROCESSING: gettext_lazy("At your bank"),
    State.PAID: gettext_lazy("Paid"),
    State.EXPIRED: gettext_lazy("Expired"),
    State.FAILED: gettext_lazy("Failed"),
    State.MISMATCH: gettext_lazy("We are looking at it"),
}


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why nothing was bought; ``again`` is when to try again."""

    code: str
    status: int
    wait: str = ""
    again: datetime | None = None

    @classmethod
    def of(cls, error: APIException) -> Refusal:
        code = error.detail.code if isinstance(error.detail, ErrorDetail) else None
        wait = error.headers.get("Retry-After", "") if isinstance(error, ApiError) else ""
        again = timezone.now() + timedelta(seconds=int(wait)) if wait else None
        return cls(code or "invalid_request", error.status_code, wait, again)


@dataclass(frozen=True, slots=True)
class TakenBack:
    """A refund or a dispute as its customer sees it."""

    what: str
    amount_minor: int
    credits: int
    when: datetime


def shown(payment: Payment, *, may_pay: bool) -> dict[str, Any]:
    """The one public form of a payment, with the words and links of a page."""
    return {
        **public.to_dict(payment),
        "word": STATES[State(payment.state)],
        "pay_url": links.to_pay(payment) if may_pay else "",
        "has_receipt": receipts.is_there(payment),
        "made": payment.created_at,
        "ends": payment.expires_at,
        "finished": payment.finished_at,
    }


def taken_back(payment: Payment) -> list[TakenBack]:
    """All refunds and disputes of the payment, the oldest first."""
    return [
        TakenBack(_what(row), row.amount_minor, _credits(row), row.created_at)
        for row in reversals.rows_of(payment)
    ]


def _what(row: Reversal) -> str:
    if row.kind == Reversal.Kind.REFUND:
        came_back = row.status in reversals.CAME_BACK
        return _("Refund that failed") if came_back else _("Refund")
    if row.status in reversals.WON:
        return _("Dispute, decided for us: the credits are back")
    if row.status in reversals.MOVES_NOTHING:
        return _("Question of your bank, which moved no money")
    return _("Dispute: your bank took the money back")


def _credits(row: Reversal) -> int:
    """By how much it changed the balance in all."""
    taken = row.entry.amount if row.entry is not None else 0
    return taken + (row.reinstated.amount if row.reinstated is not None else 0)
