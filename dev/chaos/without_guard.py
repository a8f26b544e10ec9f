"""Control run no-refund-guard: the refund is written first, and not together with the end."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db.models import F
from django.db.models.functions import Now

from common.crash import crash_point
from credits import ledger
from generation import lifecycle
from generation.models import Attempt, Generation, reasons
from generation.models.states import OPEN, State
from generation.transitions import move


def pay_back_and_fail(
    generation: Generation,
    code: str,
    message: str,
    *,
    retryable: bool = False,
    detail: str = "",
    attempt: Attempt | None = None,
    refusal: dict[str, Any] | None = None,
    sources: Iterable[State] = OPEN,
) -> bool:
    """In the place of ``lifecycle.fail``: no lock, no transaction around both."""
    del attempt, refusal
    refund = ledger.refund(generation.charge_id, f"Refund: {code}")
    crash_point("control.refunded")
    return move(
        generation,
        sources,
        State.FAILED,
        data={"code": code},
        refund_id=refund,
        finished_at=Now(),
        last_error=detail or F("last_error"),
        **reasons.columns(code, message, retryable=retryable),
    )


lifecycle.fail = pay_back_and_fail
