"""What the database says, in the words of the model, and the real verbs under the model's names."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any

from django.db.models import BooleanField, Case, Value, When
from django.db.models.functions import Now

from credits.models import LedgerEntry
from events.models import Event
from generation import lifecycle, waiting
from generation.models import Attempt, Generation, GenerationEvent

LATER = 600.0  # seconds; longer than any example, shorter than the deadline
OUTPUT: dict[str, Any] = {
    "output_key": "outputs/x.mp4",
    "output_type": "video/mp4",
    "output_size": 1,
}
COLUMNS = ("state", "lease_token", "is_due", "is_refunded", "strikes", "retries")
MORE = ("unknown_attempts", "error_code", "version", "account_id", "price")
Lines = dict[uuid.UUID, list[tuple[Any, ...]]]


def newest(generation: Generation) -> Attempt:
    """What a worker has asked last, or something that is not there."""
    attempts = Attempt.objects.filter(generation=generation)
    return attempts.order_by("-number").first() or Attempt(pk=0)


def fail(generation: Generation, code: str, attempt: Attempt | None = None) -> bool:
    return lifecycle.fail(generation, code, "It failed", attempt=attempt)


VERBS: dict[str, Callable[[Generation], bool]] = {
    "accept": lambda g: lifecycle.accept(g, newest(g), f"operations/{uuid.uuid4()}", LATER),
    "requeue": lambda g: lifecycle.requeue(g, newest(g), LATER, "HTTP 429"),
    "doubt": lambda g: lifecycle.doubt(g, newest(g), "no answer", LATER),
    "give_up_waiting": lifecycle.give_up_waiting,
    "adopt": lambda g: lifecycle.adopt(g, "gs://outputs/x.mp4", newest(g)),
    "complete": lambda g: lifecycle.complete(g, **OUTPUT),
    "fail": lambda g: fail(g, "timeout"),
    "reject": lambda g: fail(g, "provider_rejected", newest(g)),
    "postpone": lambda g: waiting.postpone(g, LATER),
    "complain": lambda g: waiting.postpone(g, LATER, "HTTP 503"),
    "poll_again": lambda g: waiting.poll_again([(g, LATER)]) == 1,
    "hand_back": lambda g: waiting.hand_back([g]) == 1,
    "images_ready": waiting.images_ready,
    "await_images": lambda g: waiting.await_images(g, LATER, "no prepared images"),
    "keep_error": lambda g: waiting.keep_error(g, "of our own"),
}


def _when(**condition: Any) -> Case:
    when = When(**condition, then=Value(True))
    return Case(when, default=Value(False), output_field=BooleanField())


def generations() -> dict[uuid.UUID, tuple[Any, ...]]:
    """Every row, in the columns of ``Row.shown``."""
    rows = Generation.objects.annotate(
        is_due=_when(next_attempt_at__lte=Now()), is_refunded=_when(refund__isnull=False)
    )
    return {line[0]: line[1:] for line in rows.values_list("pk", *COLUMNS, *MORE)}


def attempts() -> Lines:
    """Number and outcome of each, by generation."""
    rows = Attempt.objects.order_by("generation", "number")
    return _grouped(rows.values_list("generation", "number", "outcome"))


def events() -> Lines:
    """Number and state of each, by generation."""
    rows = GenerationEvent.objects.order_by("generation", "sequence")
    return _grouped(rows.values_list("generation", "sequence", "state"))


def told() -> Lines:
    """What customers are told of each, by generation; within an account the numbers have no gap."""
    rows = Event.objects.order_by("account", "sequence")
    for who, numbers in _grouped(rows.values_list("account", "sequence")).items():
        assert numbers == [(number,) for number in range(1, len(numbers) + 1)], who
    return _grouped(rows.values_list("generation_id", "type"))


def entries() -> Lines:
    """Kind and amount of each that names a generation, by generation."""
    rows = LedgerEntry.objects.filter(generation_id__isnull=False).order_by("sequence")
    return _grouped(rows.values_list("generation_id", "kind", "amount"))


def _grouped(lines: Iterable[tuple[Any, ...]]) -> Lines:
    found: Lines = defaultdict(list)
    for name, *rest in lines:
        found[name].append(tuple(rest))
    return dict(found)
