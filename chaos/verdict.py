"""What a run came to: the provider's count of what was bought, the floors, and the last line."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx

from chaos.book import Book
from chaos.fleet import CRASH_POINTS, Fleet
from chaos.invariants import Row, generations, violations
from chaos.orders import FILELESS, NEVER_DELIVERED

DRAIN_SECONDS = 60.0
CALM_SHARE = 0.95  # of what met neither a fault of the provider nor a lost answer
SHARE = 0.85  # of what met no fault of the provider, whatever was killed under it
LONG = 300.0  # seconds from which on every crash point has to fire more than once
LONG_RUN_FIRES_EVERY = 30.0  # seconds


@dataclass(slots=True)
class Run:
    """What is known when everything has calmed down; ``drain`` in seconds, None = it did not."""

    seconds: float
    seed: int
    faults: Counter[str]
    crashes: Counter[str]
    drain: float | None
    secrets: list[str]


@dataclass(slots=True)
class Verdict:
    """``problems`` is empty when all went well."""

    run: Run
    rows: list[Row]
    bought: dict[str, int]  # operations by generation, as the provider counts them
    marked: dict[str, str] = field(default_factory=dict)  # markers by generation
    problems: list[str] = field(default_factory=list)

    @property
    def undelivered(self) -> list[Row]:
        """What ended with a refund."""
        return [row for row in self.rows if row["state"] in ("failed", "canceled")]

    @property
    def paid_twice(self) -> list[str]:
        """Videos that were made more than once.

        An operation that made no file is not billed: Google charges nothing for what it blocked or
        could not make. Such a one looks, once its answer is lost, like one that never was, and may
        be asked for again.
        """
        return [
            row["id"]
            for row in self.rows
            if self._times(row) > 1 and row["kind"] == "video" and self._makes_a_file(row)
        ]

    @property
    def images_bought_again(self) -> list[str]:
        """Images whose answer was lost with the process that waited for it.

        The provider keeps no image: one that nobody received cannot be found again, only bought
        again, once.
        """
        return [row["id"] for row in self.rows if self._times(row) > 1 and row["kind"] == "image"]

    @property
    def orphans(self) -> list[str]:
        """Bought, made whole, and given to nobody."""
        return [
            row["id"]
            for row in self.undelivered
            if self._times(row) and self.marked.get(row["id"]) not in NEVER_DELIVERED
        ]

    def share_completed(self, *, calm: bool) -> float:
        """Of what met no provider fault; if ``calm``, of those whose answers all arrived."""
        rows = [
            row
            for row in self.rows
            if not self.marked.get(row["id"])
            and row["state"] != "canceled"
            and not (calm and (row["doubts"] or row["unknown_attempts"]))
        ]
        return len([row for row in rows if row["state"] == "completed"]) / max(1, len(rows))

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
                "orphans": len(self.orphans),
                "stuck": len(self.rows) - states["completed"] - len(self.undelivered),
                "violations": len(self.problems),
                "drain_s": None if run.drain is None else round(run.drain, 1),
            }
        )

    def _times(self, row: Row) -> int:
        return self.bought.get(row["id"], 0)

    def _makes_a_file(self, row: Row) -> bool:
        return self.marked.get(row["id"]) not in FILELESS


def judge(fleet: Fleet, book: Book, run: Run) -> Verdict:
    """Compare everything with everything."""
    rows = generations(fleet)
    stats = httpx.get(f"{fleet.stack.emulator_url}/emulator/stats", timeout=20).json()
    marked = {
        row["id"]: book.orders[row["idempotency_key"]].marker
        for row in rows
        if row["idempotency_key"] in book.orders
    }
    verdict = Verdict(run, rows, stats["by_label"].get("generation", {}), marked)
    verdict.problems += violations(fleet, book, rows, run.secrets)
    verdict.problems += problems_of(verdict)
    return verdict


def problems_of(verdict: Verdict) -> list[str]:
    """What the provider's count and the floors say against the run."""
    return [*_overspent(verdict), *_too_little(verdict)]


def _overspent(verdict: Verdict) -> Iterator[str]:
    if verdict.paid_twice:
        names = ", ".join(verdict.paid_twice[:3])
        yield f"paid twice: {len(verdict.paid_twice)} videos, such as {names}"
    doubted = {row["id"] for row in verdict.rows if row["unknown_attempts"]}
    known = {row["id"] for row in verdict.rows}
    for name, times in verdict.bought.items():
        if name not in known:
            yield f"bought for nobody: {name}"
        elif times > 2 or (times == 2 and name not in doubted):
            yield f"{name} was bought {times} times"


def _too_little(verdict: Verdict) -> Iterator[str]:
    """Liveness: a product that refuses or fails everything would keep every promise about money."""
    run = verdict.run
    if run.drain is None or run.drain > DRAIN_SECONDS:
        yield f"not drained within {DRAIN_SECONDS:.0f} s"
    for calm, floor in ((True, CALM_SHARE), (False, SHARE)):
        share = verdict.share_completed(calm=calm)
        if share < floor:
            what = "undisturbed" if calm else "unmarked"
            yield f"only {share:.1%} of the {what} generations were completed"
    if len(verdict.rows) < run.seconds:
        yield f"only {len(verdict.rows)} generations: the run says little"
    least = int(run.seconds / LONG_RUN_FIRES_EVERY) if run.seconds >= LONG else 1
    if run.seconds >= DRAIN_SECONDS:
        for name in CRASH_POINTS:
            if run.crashes[name] < least:
                yield f"the crash point {name} fired {run.crashes[name]} times, not {least}"


def table(verdict: Verdict, book: Book) -> str:
    """What a person wants to know."""
    run = verdict.run
    states: Counter[Any] = Counter(row["state"] for row in verdict.rows)
    errors = Counter(row["error_code"] for row in verdict.undelivered if row["error_code"])
    sections = {
        "faults": run.faults,
        "crash points": run.crashes,
        "provider faults": Counter(marker for marker in verdict.marked.values() if marker),
        "generations": states,
        "reasons": errors,
        "customers": book.tally,
        "provider": {
            "operations bought": sum(verdict.bought.values()),
            "images bought again after a lost answer": len(verdict.images_bought_again),
        },
    }
    lines = []
    for title, counts in sections.items():
        lines.append(f"\n{title}")
        lines += [f"  {name:<42} {count:>7}" for name, count in sorted(counts.items())]
    lines += [
        f"\nundisturbed and completed {verdict.share_completed(calm=True):>29.1%}",
        f"without a provider fault and completed {verdict.share_completed(calm=False):>16.1%}",
        f"slowest create that answered {book.slowest_create:>24.1f} s",
    ]
    return "\n".join(lines)
