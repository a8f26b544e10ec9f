"""When to poll an operation: not before it can be done, often while it may be, then ever rarer.

Durations are learned from a model's last operations in each resolution (decision 32). Until then
the catalog's figures and the steps of decision 17 hold. An outage makes an operation look longer,
so the soonest end counts; polls begin before it.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median

from django.conf import settings
from django.db import connection

from generation.models import Generation
from generation.models.gate import ProviderGate
from generation.offer.parameters import Parameters

# Seconds since the provider accepted it -> seconds until the next poll (decision 17).
STEPS = ((60.0, 5.0), (180.0, 10.0), (float("inf"), 30.0))
KEPT = 40  # durations of a model in a resolution
ENOUGH = 8  # fewer say nothing
MARGIN = 0.9  # of the soonest: before it, in case they have become faster
LOOKS = 12  # between the soonest and the latest: some six a video, as half of them are done by then
SHORTEST, LONGEST = 1.0, 5.0  # seconds between two of these looks
BEFORE = {"video": "720p", "image": ""}  # by kind, what ``ProviderGate.lasted`` was learned from

Key = tuple[str, str]  # model and resolution


# In one statement, since each finished video is one: the last ones of its resolution, and this.
LEARN = """
UPDATE generation_providergate AS gate
   SET lasted_by = lasted_by || jsonb_build_object(%(of)s::text, (
       SELECT jsonb_agg(value ORDER BY place) FROM (
           SELECT value, place FROM jsonb_array_elements(
               COALESCE(gate.lasted_by->%(of)s::text, '[]') || to_jsonb(%(seconds)s::float8))
               WITH ORDINALITY AS every(value, place) ORDER BY place DESC LIMIT %(kept)s::int
       ) AS kept))
 WHERE model_id = %(model)s
"""


@dataclass(frozen=True, slots=True)
class Pace:
    """``soonest`` and ``latest``, in seconds: between them nearly all get done."""

    soonest: float
    latest: float

    @classmethod
    def of(cls, lasted: list[float]) -> Pace | None:
        """The pace; None if too few durations are known."""
        if len(lasted) < ENOUGH:
            return None
        soonest = min(lasted)
        return cls(soonest, soonest + 2 * (median(lasted) - soonest))

    @property
    def step(self) -> float:
        """Seconds between two polls while it may be done at any moment."""
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


def key_of(generation: Generation) -> Key:
    """The model and resolution whose pace is the generation's."""
    return generation.model_id, Parameters.of(
        generation.kind, generation.parameters
    ).resolution or ""


def first_poll(generation: Generation, pace: Pace | None) -> float:
    """Seconds to wait, from the acceptance on.

    If nothing is learned yet, the catalog's first look is scaled by the time that this order was
    told, against the model's: an order of 4k is told more, and takes longer.
    """
    if pace is not None:
        return min(pace.next_poll(0.0), generation.expected_seconds)
    model = generation.model
    return generation.expected_seconds * model.first_poll_seconds / model.expected_seconds


def next_poll(pace: Pace | None, age: float) -> float:
    """Seconds from now, ``age`` seconds after the acceptance."""
    return _by_steps(age) if pace is None else pace.next_poll(age)


def learned() -> dict[Key, Pace | None]:
    found: dict[Key, Pace | None] = {}
    for gate in ProviderGate.objects.select_related("model"):
        before = BEFORE[gate.model.kind]
        found[gate.model_id, before] = Pace.of(gate.lasted)
        for resolution, lasted in gate.lasted_by.items():
            if resolution != before or len(lasted) >= ENOUGH:
                found[gate.model_id, resolution] = Pace.of(lasted)
    return found


def learn(generation: Generation, seconds: float) -> None:
    """Learn that its operation was seen done so many seconds after its acceptance."""
    name, resolution = key_of(generation)
    values: dict[str, str | float] = {
        "model": name,
        "of": resolution,
        "seconds": round(seconds, 3),
        "kept": KEPT,
    }
    with connection.cursor() as cursor:
        cursor.execute(LEARN, values)


def _by_steps(age: float) -> float:
    unscaled = age / settings.TIME_SCALE
    step = next(step for until, step in STEPS if unscaled < until)
    return step * settings.TIME_SCALE
