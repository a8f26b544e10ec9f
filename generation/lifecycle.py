"""Every change of a generation's state after its creation, and the refunds that belong to them.

Two guards each: the states a verb may start from, and the lease its caller holds; a worker that
lost it gets False and writes nothing. A generation's end, refund and event are one transaction;
locks are taken in the order generation, wallet.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now

from common.errors import ApiError
from common.telemetry.redaction import cut_text
from credits import ledger
from generation.metrics import count_fenced
from generation.models import Attempt, Generation, reasons
from generation.models.states import OPEN, State
from generation.provider.route import Route
from generation.transitions import end_undelivered, held_row, in_seconds, lock, move

Outcome = Attempt.Outcome

# How often a generation may be asked for without an answer. If no video is found in the time of
# doubt, it may never have been made. A lost image cannot be found even if it was paid for.
MAX_UNKNOWN_ATTEMPTS = {"video": 2, "image": 1}


class NotCancelable(ApiError):
    """409: an attempt at the provider may have been accepted, or it is over."""

    status_code = 409
    default_code = "not_cancelable"
    default_detail = "This generation can no longer be canceled"


def begin_attempt(generation: Generation, route: Route) -> Attempt | None:
    """Commit the intent to ask the provider, with a place of its own; None when fenced off."""
    with transaction.atomic():
        number = Attempt.objects.filter(generation=generation).count() + 1
        written = move(
            generation,
            [State.QUEUED],
            State.SUBMITTING,
            data={"attempt": number},
            next_attempt_at=Now() + timedelta(seconds=settings.LEASE),
            keep_lease=True,
            retries=F("retries"),  # the back-off goes on where it was
            **route.names,
        )
        if not written:
            return None
        attempt = Attempt(generation=generation, number=number, asked_at=Now(), **route.names)
        attempt.prefix = route.place_for(str(generation.pk), number)
        attempt.forget_at = generation.deadline_at if route.remembers else None
        attempt.save(force_insert=True)
        return attempt


def committed_intent(generation: Generation) -> Attempt | None:
    """The attempt of a ``begin_attempt`` whose COMMIT got no answer, if it was committed.

    Only for the caller of that ``begin_attempt``, and only before the provider was asked.
    """
    held = held_row(generation, [State.SUBMITTING])
    return Attempt.objects.filter(outcome=Outcome.ASKED, generation__in=held).first()


def accept(
    generation: Generation, attempt: Attempt, operation_name: str, first_poll: float
) -> bool:
    """The provider took it; look at the operation in ``first_poll`` seconds."""
    return move(
        generation,
        [State.SUBMITTING],
        State.RUNNING,
        answer=(attempt, {"outcome": Outcome.ACCEPTED, "operation_name": operation_name}),
        next_attempt_at=in_seconds(first_poll),
        operation_name=operation_name,
        accepted_at=Now(),
    )


def requeue(
    generation: Generation, attempt: Attempt, wait: float, detail: str, **said: Any
) -> bool:
    """The provider certainly did not take it and ``said`` why; ask again in ``wait`` seconds."""
    return move(
        generation,
        [State.SUBMITTING],
        State.QUEUED,
        answer=(attempt, {"outcome": Outcome.NOT_ACCEPTED, "detail": detail, **said}),
        next_attempt_at=in_seconds(wait),
        retries=F("retries") + 1,
        last_error=detail,
    )


def doubt(generation: Generation, attempt: Attempt, detail: str, seconds: float) -> bool:
    """The provider may have taken it: look into its place for ``seconds``, ask nobody."""
    return move(
        generation,
        [State.SUBMITTING],
        State.SUBMIT_UNKNOWN,
        answer=(attempt, {"outcome": Outcome.UNKNOWN, "detail": detail}),
        next_attempt_at=Now(),
        unknown_until=Now() + timedelta(seconds=seconds),
        unknown_attempts=F("unknown_attempts") + 1,
        last_error=detail,
    )


def give_up_waiting(generation: Generation, *, recovers: bool = True) -> bool:
    """The time of doubt is over and the place is empty: ask once more, or fail.

    Never once more if nothing would be found even if it was paid for (``recovers`` is False).
    """
    most = MAX_UNKNOWN_ATTEMPTS[generation.kind] if recovers else 1
    if generation.unknown_attempts >= most:
        return fail(
            generation,
            "submission_lost",
            "The provider never confirmed this generation",
            retryable=True,
            sources=[State.SUBMIT_UNKNOWN],
        )
    return move(generation, [State.SUBMIT_UNKNOWN], State.QUEUED, next_attempt_at=Now())


def adopt(
    generation: Generation,
    uri: str,
    attempt: Attempt | None = None,
    outcome: Attempt.Outcome = Outcome.ADOPTED,
    *,
    number: int | None = None,  # of an attempt that had one
    cost: str = "",  # what the provider says it bills
) -> bool:
    """The output exists at the provider: store it next. ``attempt`` had no outcome until now."""
    return move(
        generation,
        [State.SUBMITTING, State.SUBMIT_UNKNOWN, State.RUNNING],
        State.STORING,
        data={"cost": cut_text(cost)} if cost else None,
        answer=(attempt, {"outcome": outcome, "detail": uri}) if attempt else None,
        next_attempt_at=Now(),
        output_uri=uri,
        output_attempt=attempt.number if attempt else number,
    )


def complete(
    generation: Generation, *, differs: str = "", remembered: bool = False, **output: Any
) -> bool:
    """The file is whole and in our storage; ``output`` are the row's output_… fields.

    ``differs`` says for operators what is not as it was ordered. If the provider ``remembered``
    anything, it is told to forget it at once, and not after the deadline.
    Lock order: generation, wallet, then the UPDATE. The other order deadlocks with a replayed
    create.
    """
    with transaction.atomic():
        if not lock(held_row(generation, [State.STORING])):
            count_fenced()
            return False
        ledger.settle(generation.account_id)
        if remembered:
            generation.attempts.filter(forget_at__isnull=False).update(forget_at=Now())
        data = {"code": "not_as_ordered", "detail": differs} if differs else {}
        changes = output | ({"last_error": differs} if differs else {})
        return move(
            generation, [State.STORING], State.COMPLETED, data=data, finished_at=Now(), **changes
        )


def fail(
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
    """Refund in full and say why. ``message`` is for the customer, ``detail`` for operators.

    ``message`` says what happened; that the same may be tried again is added from ``retryable``.
    Without a detail operators read what went wrong before, or the message.
    ``attempt`` is the one that the provider refused, with its ``refusal``. If it had accepted the
    attempt before, that stays the attempt's outcome.
    """
    data = {"code": code} | ({"detail": cut_text(detail)} if detail else {})
    said: dict[str, Any] = {"detail": detail, "refusal": refusal}
    if attempt is not None and attempt.outcome == Outcome.ASKED:
        said["outcome"] = Outcome.REJECTED
    with transaction.atomic():
        return end_undelivered(
            generation,
            sources,
            State.FAILED,
            f"Refund: {code}",
            data=data,
            answer=(attempt, said) if attempt else None,
            last_error=detail or generation.last_error or message,
            **reasons.columns(code, message, retryable=retryable),
        )


def cancel(generation_id: uuid.UUID) -> bool:
    """Give the credits back, as long as nothing can have been bought; False if it was done before.

    Else raises NotCancelable. Needs no lease: a worker that holds one finds itself fenced.
    """
    with transaction.atomic():
        generation = Generation.objects.select_for_update().get(pk=generation_id)
        if generation.state == State.CANCELED:
            return False
        if not is_cancelable(generation):
            raise NotCancelable
        end_undelivered(generation, [State.QUEUED], State.CANCELED, "Refund: canceled", lease=False)
        return True


def is_cancelable(generation: Generation) -> bool:
    """Whether no attempt at the provider can have been accepted."""
    return generation.state == State.QUEUED and generation.unknown_attempts == 0
