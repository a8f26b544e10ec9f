"""What staff do to a generation: each verb with its audit entry, in one transaction.

Each verb raises NotAllowed if the state forbids it. Then nothing was written.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import transaction

from accounts.models import User
from generation import interventions
from generation.models import Generation
from staff import audit
from staff.results import Result

Values = Mapping[str, Any]  # of the form


def retry(actor: User, generation: Generation, values: Values) -> Result:
    """Order the same again. ``paid_by`` and ``token`` are those of ``interventions.order_again``.

    Raises also what ``creation.create`` raises.
    """
    with transaction.atomic():
        answer = interventions.order_again(
            generation,
            actor=actor,
            reason=values["reason"],
            paid_by=values["paid_by"],
            token=values["token"],
        )
        result = Result("Ordered again: this is the new generation", answer.generation_id)
        if answer.replayed:
            return result
        changes = {
            "retried_by": str(answer.generation_id),
            "paid_by": values["paid_by"],
            "credits": answer.price,
        }
        _record(actor, "retry_generation", generation, values, changes)
    return result


def fail(actor: User, generation: Generation, values: Values) -> Result:
    """End it as failed, and refund it."""
    with transaction.atomic():
        was = interventions.fail_and_refund(generation, actor=actor, reason=values["reason"])
        _record(actor, "fail_generation", generation, values, {"state": [was, "failed"]})
    return Result("Ended and refunded")


def cancel(actor: User, generation: Generation, values: Values) -> Result:
    """Cancel it as the customer could, and refund it."""
    with transaction.atomic():
        was = interventions.cancel(generation, actor=actor, reason=values["reason"])
        _record(actor, "cancel_generation", generation, values, {"state": [was, "canceled"]})
    return Result("Canceled and refunded")


def _record(
    actor: User, action: str, generation: Generation, values: Values, changes: dict[str, Any]
) -> None:
    audit.record(
        actor,
        action,
        generation,
        reason=values["reason"],
        account_id=generation.account_id,
        changes=changes,
    )
