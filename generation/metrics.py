"""Counts of generations and their credits; each is made after the commit that it is about."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from time import time

from django.db import transaction

from common.telemetry.metrics import Counter, Histogram
from generation.models import Generation
from generation.models.states import UNDELIVERED, State

CREATED = Counter("reelmint_generations_created", "Generations that were charged.", ["model"])
ENDED = Counter(
    "reelmint_generations_ended",
    "Generations that came to their end, by final state and error code (empty when completed).",
    ["model", "kind", "state", "code"],
)
GENERATION_SECONDS = Histogram(
    "reelmint_generation_duration_seconds",
    "Seconds from creation to completion of those that were completed.",
    ["model"],
    buckets=(5, 10, 20, 30, 45, 60, 90, 120, 180, 300, 600, 1800),
)
CHARGED = Counter("reelmint_credits_charged", "Credits taken for generations.", ["model"])
REFUNDED = Counter(
    "reelmint_credits_refunded",
    "Credits given back, by the error code or canceled.",
    ["model", "code"],
)
NOT_AS_ORDERED = Counter(
    "reelmint_outputs_not_as_ordered",
    "Videos delivered with other sound or of another length than ordered.",
    ["what"],
)
for _what in ("sound", "length"):  # shown as 0 until the first one, which an alert would miss
    NOT_AS_ORDERED.labels(_what)
FENCED = Counter(
    "reelmint_fenced_writes",
    "Write-backs that matched no row: the lease was lost, or somebody ended it meanwhile.",
)
UPLOADS = Counter(
    "reelmint_uploads",
    "Uploads by what became of them: stored, or the code of the error.",
    ["what"],
)


def count_uploaded(what: str) -> None:
    """Count an upload that got its answer."""
    UPLOADS.labels(what).inc()


def count_created(model: str, price: int) -> None:
    """Count a generation that was charged and created."""
    transaction.on_commit(partial(_count_created, model, price))


def count_ended(generation: Generation, state: State, code: str) -> None:
    """Count a generation that ends in this transaction; ``code`` is the error's, if it failed."""
    transaction.on_commit(partial(_count_ended, generation, state, code))


def count_not_as_ordered(whats: Iterable[str]) -> None:
    """Count a delivered video that differs from its order in these: ``sound``, ``length``."""
    for what in whats:
        NOT_AS_ORDERED.labels(what).inc()


def count_fenced(rows: int = 1) -> None:
    """Count so many write-backs that matched no row."""
    FENCED.inc(rows)


def _count_created(model: str, price: int) -> None:
    CREATED.labels(model).inc()
    CHARGED.labels(model).inc(price)


def _count_ended(generation: Generation, state: State, code: str) -> None:
    model = generation.model_id
    ENDED.labels(model, generation.kind, str(state), code).inc()
    if state in UNDELIVERED:
        REFUNDED.labels(model, code or str(state)).inc(generation.price)
    else:
        lasted = max(0.0, time() - generation.created_at.timestamp())
        GENERATION_SECONDS.labels(model).observe(lasted)
