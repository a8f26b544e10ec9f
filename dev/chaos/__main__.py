"""``python -m dev.chaos [--seconds N] [--seed N] [--focus STAGE | --control NAME]``.

Also ``controls`` and ``outages``.
"""

from __future__ import annotations

import argparse
import sys

from dev.chaos import outages
from dev.chaos.controls import MODULES
from dev.chaos.fleet import STAGES
from dev.chaos.run import run, run_without


def main() -> int:
    """Exit code 1 for a violation, a missed floor, or a missing guard that went unnoticed."""
    parser = argparse.ArgumentParser(prog="python -m dev.chaos", description=__doc__)
    parser.add_argument("what", nargs="?", choices=["run", "controls", "outages"], default="run")
    parser.add_argument("--seconds", type=float, default=60.0, help="of faults; then it calms down")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--control", choices=list(MODULES), help="remove this guard")
    parser.add_argument("--focus", choices=STAGES, help="the stage whose worker dies most")
    chosen = parser.parse_args()
    if chosen.what == "controls":
        return controls(chosen.seed, list(MODULES))
    if chosen.what == "outages":
        return 1 if outages.run().missed else 0
    if chosen.control:
        return controls(chosen.seed, [chosen.control])
    return 1 if run(chosen.seconds, chosen.seed, chosen.focus).problems else 0


def controls(seed: int, names: list[str]) -> int:
    """Run with each guard removed in turn; 0 when every time somebody noticed."""
    missed = 0
    for name in names:
        sentence = run_without(name, seed)
        missed += sentence is None
        print(f"{name}: {f'caught by: {sentence}' if sentence else 'NOT NOTICED'}\n", flush=True)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
