"""What staff do to a generation: its form, the verb, and its entry in the audit log."""

from __future__ import annotations

import uuid
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest

from accounts.models import User
from generation import interventions
from generation.models import Generation
from staff import audit
from staff.pages.forms import ReasonForm, RetryForm

# What a verb's page says about it: title, explanation.
VERBS = {
    "retry": (
        "Try again",
        "Orders the same once more as a new generation, at today's price. This one stays as it is.",
    ),
    "fail": (
        "Fail and refund",
        (
            "Ends it now, as failed, and gives the credits back. A worker with it is fenced off; "
            "what the provider still delivers becomes an orphan."
        ),
    ),
    "cancel": ("Cancel", "Cancels it as the customer could, and gives the credits back."),
}


def may(request: HttpRequest, verb: str) -> bool:
    """Whether this person may do that at all."""
    return isinstance(request.user, User) and request.user.has_perm(f"generation.{verb}_generation")


def form_of(verb: str, generation: Generation, request: HttpRequest) -> ReasonForm:
    """Filled in, when it was sent. Raises PermissionDenied for a grant by who may not give any."""
    data = request.POST if request.method == "POST" else None
    if verb != "retry":
        return ReasonForm(data)
    may_grant = isinstance(request.user, User) and request.user.has_perm("credits.grant_credits")
    if data is not None and data.get("paid_by") == "grant" and not may_grant:
        raise PermissionDenied
    form = RetryForm(data)
    price, balance = generation.model.price, generation.account.wallet.balance
    form.show_price(price, balance, may_grant=may_grant)
    return form


def do(
    verb: str, request: HttpRequest, generation: Generation, values: dict[str, Any]
) -> tuple[uuid.UUID, str]:
    """The verb and its audit entry in one transaction; whose page to show, and what to say."""
    actor, reason = request.user, values["reason"]
    if not isinstance(actor, User):
        raise PermissionDenied
    shown, sentence, changes = generation.pk, "", {}
    with transaction.atomic():
        if verb == "retry":
            answer = interventions.order_again(
                generation,
                actor=actor,
                reason=reason,
                paid_by=values["paid_by"],
                token=values["token"],
            )
            shown, sentence = answer.generation_id, "Ordered again: this is the new generation"
            if answer.replayed:
                return shown, sentence
            changes = {"retried_by": str(shown), "paid_by": values["paid_by"]}
            changes["credits"] = answer.price
        elif verb == "fail":
            was = interventions.fail_and_refund(generation, actor=actor, reason=reason)
            sentence, changes = "Ended and refunded", {"state": [was, "failed"]}
        else:
            was = interventions.cancel(generation, actor=actor, reason=reason)
            sentence, changes = "Canceled and refunded", {"state": [was, "canceled"]}
        audit.record(
            actor,
            f"{verb}_generation",
            generation,
            reason=reason,
            account_id=generation.account_id,
            changes=changes,
        )
    return shown, sentence
