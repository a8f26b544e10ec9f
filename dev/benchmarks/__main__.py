"""``python -m dev.benchmarks [PART] [--rounds N] …``; ``--help`` lists the parts.

Prints a table for people, and as its last line JSON for programs.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from typing import Any

from dev.benchmarks import growth, report
from dev.benchmarks.api import Api, Subject
from dev.benchmarks.customers import give_endpoints
from dev.benchmarks.failure import BenchmarkFailed
from dev.benchmarks.figures import Rounds, last_line
from dev.benchmarks.in_flight import in_flight
from dev.benchmarks.pages import pages
from dev.benchmarks.pipeline import pipeline
from dev.benchmarks.seed import seed
from dev.benchmarks.shown import shown
from dev.benchmarks.stage import TemporaryStage
from dev.benchmarks.usage import memory, worker_rss_mb
from dev.benchmarks.waits import waits
from dev.embedded import StackError
from dev.embedded.services import STAGES

SEEDED_ACCOUNTS = 100
SEEDED_GENERATIONS = 10_000

Figures = dict[str, Any]
Subjects = Callable[[Api], dict[str, Subject]]
Reading = Callable[[Rounds], Figures]
PARTS: dict[str, tuple[Subjects, Reading]] = {
    "create": (Api.create_subjects, report.create_figures),
    "status": (Api.status_subjects, report.status_figures),
    "history": (Api.history_subjects, report.history_figures),
}


def requests(chosen: argparse.Namespace) -> Figures:
    """Measure the wanted parts, interleaved, on one stack; `start` loads none."""
    parts = [part for name, part in PARTS.items() if chosen.what in (name, "all")]
    print("Starting PostgreSQL, Valkey, web, workers and beat ...", flush=True)
    with TemporaryStage() as stage:
        stage.first_generation()
        rss = memory(stage.stack)
        figures: Figures = {
            "first_201_s": stage.seconds_to_first_201,
            "worker_rss_mb": worker_rss_mb(rss, STAGES),
            "rss_mb": rss,
        }
        if not parts:
            return figures
        stage.rest()
        customers = stage.customers()
        with stage.owner() as connection:
            seed(connection, customers, SEEDED_GENERATIONS, SEEDED_ACCOUNTS)
            if chosen.webhooks:
                give_endpoints(connection, customers)
        api = Api(stage, customers, SEEDED_ACCOUNTS, webhooks=chosen.webhooks)
        try:
            subjects: dict[str, Subject] = {}
            for subjects_of, _ in parts:
                subjects |= subjects_of(api)
            api.measure(subjects, chosen.rounds, chosen.seconds)
        finally:
            api.close()
    print(f"\n{api.rounds.table()}\n", flush=True)
    for _, figures_of in parts:
        figures |= figures_of(api.rounds)
    return figures


COMMANDS: dict[str, Callable[[argparse.Namespace], Figures]] = {
    "all": requests,
    **dict.fromkeys(PARTS, requests),
    "start": requests,
    "seed": growth.seed_command,
    "growth": growth.growth_command,
    "in-flight": in_flight,
    "shown": shown,
    "pipeline": pipeline,
    "waits": waits,
    "pages": pages,
}


def arguments(words: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m dev.benchmarks", description=__doc__)
    parser.add_argument("what", nargs="?", choices=list(COMMANDS), default="all")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=4.0, help="of each measurement")
    parser.add_argument(
        "--webhooks", action="store_true", help="create also with an endpoint and a webhook_url"
    )
    parser.add_argument(
        "--generations", type=int, default=1_000_000, help="of seed and growth, beside 10,000"
    )
    parser.add_argument("--operations", type=int, default=10_000, help="of in-flight")
    parser.add_argument("--videos", type=int, default=100, help="of shown, beside a fifth to learn")
    parser.add_argument("--orders", type=int, default=500, help="of each flood of pipeline")
    parser.add_argument("--held", type=int, default=2000, help="requests of waits")
    parser.add_argument("--processes", type=int, default=2, help="that poll them")
    return parser.parse_args(words)


def main() -> int:
    """Exit code 1 when a figure could not be had."""
    chosen = arguments()
    try:
        figures = COMMANDS[chosen.what](chosen)
    except (BenchmarkFailed, StackError) as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    print(last_line(dict.fromkeys(report.FIGURES) | figures))
    return 0


if __name__ == "__main__":
    sys.exit(main())
