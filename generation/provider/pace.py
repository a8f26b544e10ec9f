"""When to look at an operation: not before it can be done, often while it may be, then ever rarer.

How long a model needs is learned from its operations that were done last (``ProviderGate.lasted``),
because it differs between models, regions and times of the day; a model that has none yet is looked
at by the catalog's figure and the steps of decision 17 (docs/decisions.md).

A duration ends when we saw the end, which an outage delays. So the soonest one counts, not a share
of them: looks begin before it, and one that finds the work done moves them forward at once. No
first look is later than customers are told.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from statistics import median

from django.conf import settings
from django.db import transaction

from generation.models import CatalogModel
from generation.models.gate import ProviderGate

# Seconds since the provider accepted it -> seconds until the next poll (decision 17).
STEPS = ((60.0, 5.0), (180.0, 10.0), (float("inf"), 30.0))
KEPT = 40  # durations a model
ENOUGH = 8  # fewer say nothing
MARGIN = 0.9  # of the soonest: before it, in case they have become faster
LOOKS = 12  # between the soonest and the latest: some six a video, as half of them are done by then
SHORTEST, LONGEST = 1.0, 5.0  # seconds between two of these looks


@dataclass(frozen=True, slots=True)
class Pace:
    """``soonest`` and ``latest``, in seconds: between them nearly all are done."""

    soonest: float
    latest: float

    @classmethod
    def of(cls, lasted: list[float]) -> Pace | None:
        """None while too few are known."""
        if len(lasted) < ENOUGH:
            return None
        soonest = min(lasted)
        return cls(soonest, soonest + 2 * (median(lasted) - soonest))

    @property
    def step(self) -> float:
        """Between two looks while it may be done at any moment."""
        shortest, longest = SHORTEST * settings.TIME_SCALE, LONGEST * settings.TIME_SCALE
        return min(longest, max(shortest, (self.latest - self.soonest) / LOOKS))

    def next_poll(self, age: float) -> float:
        """Seconds from now, ``age`` seconds after the provider accepted it."""
        begins = self.soonest * MARGIN
        if age < begins:
            return begins - age
        if age < self.latest + 2 * self.step:
            return self.step
        return _by_steps(age - self.latest)


def first_poll(model: CatalogModel, pace: Pace | None) -> float:
    """Seconds to wait, from the acceptance on."""
    if pace is None:
        return float(model.first_poll_seconds * settings.TIME_SCALE)
    return min(pace.next_poll(0.0), float(model.expected_seconds * settings.TIME_SCALE))


def next_poll(pace: Pace | None, age: float) -> float:
    """Seconds from now, ``age`` seconds after the acceptance."""
    return _by_steps(age) if pace is None else pace.next_poll(age)


def learned() -> dict[str, Pace | None]:
    rows: Iterable[tuple[str, list[float]]] = ProviderGate.objects.values_list("model_id", "lasted")
    return {name: Pace.of(lasted) for name, lasted in rows}


def learn(name: str, seconds: float) -> None:
    """An operation of this model was seen done so many seconds after its acceptance."""
    with transaction.atomic():
        gate = ProviderGate.objects.select_for_update().filter(pk=name).first()
        if gate is not None:
            gate.lasted = [*gate.lasted, round(seconds, 3)][-KEPT:]
            gate.save(update_fields=["lasted"])


def _by_steps(age: float) -> float:
    unscaled = age / settings.TIME_SCALE
    step = next(step for until, step in STEPS if unscaled < until)
    return step * settings.TIME_SCALE
