"""Counting what happens to generations and their credits, where it is written; after the commit."""

from __future__ import annotations

from functools import partial
from time import time

from django.db import transaction

from common import metrics
from generation.models import Generation
from generation.models.states import UNDELIVERED, State


def created(model: str, price: int) -> None:
    """A generation was charged and created."""
    transaction.on_commit(partial(_created, model, price))


def ended(generation: Generation, state: State, code: str) -> None:
    """A generation comes to its end in this transaction; ``code`` is the error's, if it failed."""
    transaction.on_commit(partial(_ended, generation, state, code))


def fenced(rows: int = 1) -> bool:
    """So many write-backs matched no row. Always False, which is what their verbs return."""
    metrics.FENCED.inc(rows)
    return False


def _created(model: str, price: int) -> None:
    metrics.CREATED.labels(model).inc()
    metrics.CHARGED.labels(model).inc(price)


def _ended(generation: Generation, state: State, code: str) -> None:
    model = generation.model_id
    metrics.ENDED.labels(model, generation.kind, str(state), code).inc()
    if state in UNDELIVERED:
        metrics.REFUNDED.labels(model, code or str(state)).inc(generation.price)
    else:
        lasted = max(0.0, time() - generation.created_at.timestamp())
        metrics.GENERATION_SECONDS.labels(model).observe(lasted)
