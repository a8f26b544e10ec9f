"""``python -m chaos [--seconds N] [--seed N] [--control NAME]``, ``controls`` or ``outages``."""

from __future__ import annotations

import argparse
import sys

from chaos import outages
from chaos.controls import CAUGHT_BY, MODULES
from chaos.run import run

CONTROL_SECONDS = 30.0


def main() -> int:
    """Exit code 1 for a violation, a missed floor, or a missing guard that went unnoticed."""
    parser = argparse.ArgumentParser(prog="python -m chaos", description=__doc__)
    parser.add_argument("what", nargs="?", choices=["run", "controls", "outages"], default="run")
    parser.add_argument("--seconds", type=float, default=60.0, help="of faults; then it calms down")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--control", choices=list(MODULES), help="remove this guard")
    chosen = parser.parse_args()
    if chosen.what == "controls":
        return controls(chosen.seed)
    if chosen.what == "outages":
        return 1 if outages.run().missed else 0
    return 1 if run(chosen.seconds, chosen.seed, chosen.control).problems else 0


def controls(seed: int) -> int:
    """Run with each guard removed in turn."""
    missed = []
    for name, words in CAUGHT_BY.items():
        problems = run(CONTROL_SECONDS, seed, name).problems
        if not any(words in problem for problem in problems):
            missed.append(name)
        print(f"{name}: {'NOT NOTICED' if name in missed else 'caught'}\n", flush=True)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
