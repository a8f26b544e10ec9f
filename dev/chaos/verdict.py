"""What a run came to: what was bought, the floors, and the last line."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from dev.chaos.fleet import crash_points
from dev.chaos.invariants import Finding, Row
from dev.chaos.money import CREDITED_TWICE, LAST, LOST, Till
from dev.chaos.orders import REFUSED
from dev.chaos.witness import Hits

DRAIN_SECONDS = 60.0
CALM_SHARE = 0.95  # of the undisturbed generations, see Verdict.undisturbed
SHARE = 0.85  # of the unmarked ones, see Verdict.unmarked
# A run that says too little does not pass. A slow machine gets a fault for each piece of work.
FAULTS_A_SECOND = 0.5
GENERATIONS_A_SECOND = 0.5
PAYMENTS_A_SECOND = 0.2
FIRES_EVERY = 30.0  # seconds in which every crash point ends a process once at least


@dataclass(slots=True)
class Run:
    """What is known when everything has calmed down; ``drain`` in seconds, None = it did not."""

    seconds: float
    seed: int
    faults: Counter[str]
    crashes: Counter[str]
    drain: float | None
    secrets: list[str]
    hits: Hits = field(default_factory=Hits)
    focus: str | None = None


@dataclass(slots=True)
class Bought:
    """As the provider counts it, by generation. Billed is what ended with a file, and only that."""

    accepted: dict[str, int] = field(default_factory=dict)
    billed: dict[str, int] = field(default_factory=dict)

    @property
    def asked_twice(self) -> list[str]:
        """Generations with more than one accepted operation, billed or not."""
        return [name for name, times in self.accepted.items() if times > 1]

    @property
    def paid_twice(self) -> list[str]:
        """Generations with more than one billed operation.

        An operation without a file is not billed: Google charges nothing for a blocked or failed
        one. When its answer is lost it looks like an operation that never was, so that its video
        may be ordered again.
        """
        return [name for name, times in self.billed.items() if times > 1]

    @property
    def overspent(self) -> str | None:
        """A sentence when something was paid twice."""
        if not self.paid_twice:
            return None
        names = ", ".join(self.paid_twice[:3])
        return f"paid twice: {len(self.paid_twice)} generations, such as {names}"


@dataclass(slots=True)
class Verdict:
    """``problems`` is empty when all went well."""

    run: Run
    rows: list[Row]
    bought: Bought = field(default_factory=Bought)
    marked: dict[str, str] = field(default_factory=dict)  # markers by generation
    findings: list[Finding] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    till: Till = field(default_factory=lambda: Till([], {}))  # the payments' two sides
    played: dict[str, set[str]] = field(default_factory=dict)  # Stripe's faults by payment
    reported: int = 0  # outputs in the operator's report of orphans, broken ones included

    @property
    def undelivered(self) -> list[Row]:
        """Generations that ended with a refund."""
        return [row for row in self.rows if row["state"] in ("failed", "canceled")]

    @property
    def paid_twice(self) -> list[str]:
        """Videos and images for which more than one operation is billed."""
        return self.bought.paid_twice

    @property
    def orphans(self) -> list[str]:
        """Videos that were bought, made whole and given to nobody; they are in the bucket.

        Images are not: we write them there ourselves, from the answer.
        """
        return [row["id"] for row in self._given_to_nobody() if row["kind"] == "video"]

    @property
    def lost_images(self) -> list[str]:
        """Images that were bought, and lost with the answer."""
        return [row["id"] for row in self._given_to_nobody() if row["kind"] == "image"]

    def _given_to_nobody(self) -> list[Row]:
        whole = [row for row in self.undelivered if self.bought.billed.get(row["id"])]
        return [row for row in whole if self.marked.get(row["id"]) not in REFUSED]

    @property
    def undisturbed(self) -> list[Row]:
        """Generations that met neither a fault of the provider nor one of ours.

        They have no marker, were not canceled, and lost no claim to a killed or stopped worker or
        to a database that went down. A doubt, a repetition, a lease that no death explains and a
        deadline that passed in the queue are no excuses.
        """
        hit = self.run.hits.generations
        return [row for row in self.unmarked if row["id"] not in hit]

    @property
    def unmarked(self) -> list[Row]:
        """Generations that met no fault of the provider, whatever was killed under them."""
        return [
            row
            for row in self.rows
            if not self.marked.get(row["id"]) and row["state"] != "canceled"
        ]

    def line(self) -> str:
        """The JSON that programs read. ``failed`` counts what was refunded: canceled ones, too."""
        run = self.run
        states = Counter(row["state"] for row in self.rows)
        return json.dumps(
            {
                "seconds": run.seconds,
                "seed": run.seed,
                "faults": run.faults.total() + run.crashes.total(),
                "generations": len(self.rows),
                "completed": states["completed"],
                "failed": len(self.undelivered),
                "paid_twice": len(self.paid_twice),
                "orphans": len(self.orphans) + len(self.lost_images),
                "stuck": len(self.rows) - states["completed"] - len(self.undelivered),
                "payments": len(self.till.rows),
                "paid": len([row for row in self.till.rows if row["state"] == "paid"]),
                "credited_twice": self._broken(CREDITED_TWICE),
                "lost": self._broken(LOST),
                "taken_not_given": self._broken(LAST),
                "violations": len(self.problems),
                "drain_s": None if run.drain is None else round(run.drain, 1),
            }
        )

    def _broken(self, sentence: str) -> int:
        """How many things break a rule."""
        return sum(len(each.wrong) for each in self.findings if each.sentence == sentence)


def share_completed(rows: list[Row]) -> float:
    """0 to 1; 0 of nothing."""
    return len([row for row in rows if row["state"] == "completed"]) / max(1, len(rows))


def problems_of(verdict: Verdict) -> list[str]:
    """Broken rules, contradictions of the provider's count, and missed floors."""
    found = [each.problem for each in verdict.findings if each.problem]
    return [*found, *_overspent(verdict), *_too_slow(verdict), *_too_little(verdict.run, verdict)]


def _overspent(verdict: Verdict) -> Iterator[str]:
    if verdict.bought.overspent:
        yield verdict.bought.overspent
    doubted = {row["id"] for row in verdict.rows if row["doubts"]}
    kinds = {row["id"]: row["kind"] for row in verdict.rows}
    for name, times in verdict.bought.accepted.items():
        if name not in kinds:
            yield f"bought for nobody: {name}"
        elif times > (2 if name in doubted and kinds[name] == "video" else 1):
            yield f"{name} was asked for {times} times ({kinds[name]})"


def _too_slow(verdict: Verdict) -> Iterator[str]:
    """Liveness: a product that refuses or fails everything would keep every promise about money."""
    if verdict.run.drain is None or verdict.run.drain > DRAIN_SECONDS:
        yield f"not drained within {DRAIN_SECONDS:.0f} s"
    floors = {
        "undisturbed": (verdict.undisturbed, CALM_SHARE),
        "unmarked": (verdict.unmarked, SHARE),
    }
    for what, (rows, floor) in floors.items():
        if (share := share_completed(rows)) < floor:
            yield f"only {share:.1%} of the {len(rows)} {what} generations were completed"


def _too_little(run: Run, verdict: Verdict) -> Iterator[str]:
    """Floors below which a run says little."""
    faults = run.faults.total() + run.crashes.total()
    if faults < run.seconds * FAULTS_A_SECOND:
        yield f"only {faults} faults in {run.seconds:.0f} s"
    if len(verdict.rows) < run.seconds * GENERATIONS_A_SECOND:
        yield f"only {len(verdict.rows)} generations in {run.seconds:.0f} s"
    if len(verdict.till.rows) < run.seconds * PAYMENTS_A_SECOND:
        yield f"only {len(verdict.till.rows)} payments in {run.seconds:.0f} s"
    for name in owed(run.crashes, run.seconds, run.focus):
        yield f"the crash point {name} fired {run.crashes[name]} times, not {least(run.seconds)}"


def owed(crashes: Counter[str], seconds: float, focus: str | None = None) -> list[str]:
    """The crash points that did not fire often enough for a run of so many seconds."""
    return [name for name in crash_points(focus) if crashes[name] < least(seconds)]


def least(seconds: float) -> int:
    """How often each crash point has to fire."""
    return int(seconds / FIRES_EVERY)
