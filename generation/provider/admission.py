"""Refusing before the charge, if so much waits that a new order would miss its deadline."""

from __future__ import annotations

from django.conf import settings
from django.db.models import QuerySet

from common.fresh import Fresh
from generation.models import CatalogModel, Generation
from generation.models.states import State

# The bound is a forecast: a count for each request would cost more and tell no more. A thousand
# rows are counted in a millisecond. Counting gets at most a hundredth of a process's time.
FRESH = 1.0  # seconds
SHARE = 0.01


def is_overloaded(model: CatalogModel) -> bool:
    """Whether more is queued for the model than its quota lets through before a deadline."""
    return _overloaded(model)


def waiting(model: CatalogModel) -> QuerySet[Generation]:
    """The model's queued rows.

    All of them have a ``next_attempt_at``; the condition lets the small index of open rows answer.
    """
    return Generation.objects.filter(model=model, state=State.QUEUED, next_attempt_at__isnull=False)


def _ask(model: CatalogModel) -> bool:
    # quota and deadline are both in the provider's minutes, whatever TIME_SCALE is
    bound = max(1, int(model.submits_per_minute * settings.DEADLINE / settings.TIME_SCALE / 60))
    return waiting(model).order_by()[bound - 1 : bound].exists()


_overloaded = Fresh(FRESH, _ask, at_first=False, share=SHARE)
