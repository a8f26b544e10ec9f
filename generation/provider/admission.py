"""Whether there is any hope: refuse before charging when too much waits already."""

from __future__ import annotations

from django.conf import settings
from django.db.models import QuerySet

from common.fresh import Fresh
from generation.models import CatalogModel, Generation
from generation.models.states import State

# The bound is a forecast, so a count per request would only make it dearer, not truer. Counting
# takes a millisecond for a thousand rows that wait; whatever it takes, it is asked so seldom that
# it has a hundredth of a process's time.
FRESH = 1.0  # seconds
SHARE = 0.01


def is_overloaded(model: CatalogModel) -> bool:
    """Whether more is queued for the model than its quota lets through before a deadline."""
    return _overloaded(model)


def waiting(model: CatalogModel) -> QuerySet[Generation]:
    """Its queued rows. Whatever is queued is open; saying so lets the small index answer."""
    return Generation.objects.filter(model=model, state=State.QUEUED, next_attempt_at__isnull=False)


def _ask(model: CatalogModel) -> bool:
    # both the quota and the deadline are in the provider's minutes, whatever TIME_SCALE is
    bound = max(1, int(model.submits_per_minute * settings.DEADLINE / settings.TIME_SCALE / 60))
    return waiting(model).order_by()[bound - 1 : bound].exists()


_overloaded = Fresh(FRESH, _ask, at_first=False, share=SHARE)
