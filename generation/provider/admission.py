"""Whether there is any hope: refuse before charging when too much waits already."""

from __future__ import annotations

import time

from django.conf import settings
from django.db.models import QuerySet

from generation.models import CatalogModel, Generation
from generation.models.states import State

# How old an answer may be, in seconds: the bound is a forecast, so a count per request would only
# make it dearer, not truer. Counting takes a millisecond for a thousand rows that wait; whatever it
# takes, it is asked so seldom that it has a hundredth of a process's time.
FRESH = 1.0
SHARE = 0.01

_answers: dict[str, tuple[float, bool]] = {}  # until when an answer holds, and the answer


def is_overloaded(model: CatalogModel) -> bool:
    """Whether more is queued for the model than its quota lets through before a deadline."""
    began = time.monotonic()
    holds_until, answer = _answers.get(model.pk, (float("-inf"), False))
    if began < holds_until:
        return answer
    # one thread asks; for the others the old answer goes on meanwhile
    _answers[model.pk] = (began + FRESH, answer)
    # both the quota and the deadline are in the provider's minutes, whatever TIME_SCALE is
    bound = max(1, int(model.submits_per_minute * settings.DEADLINE / settings.TIME_SCALE / 60))
    answer = waiting(model).order_by()[bound - 1 : bound].exists()
    ended = time.monotonic()
    _answers[model.pk] = (ended + max(FRESH, (ended - began) / SHARE), answer)
    return answer


def waiting(model: CatalogModel) -> QuerySet[Generation]:
    """Its queued rows. Whatever is queued is open; saying so lets the small index answer."""
    return Generation.objects.filter(model=model, state=State.QUEUED, next_attempt_at__isnull=False)


def forget() -> None:
    """Ask again next time."""
    _answers.clear()
