"""``python -m dev.soak [--seconds N] [--rate N]``."""

from __future__ import annotations

import argparse
import sys

from dev.soak.run import run
from dev.soak.verdict import LEAST_SECONDS


def main() -> int:
    """Exit code 1 when something grew or went wrong."""
    parser = argparse.ArgumentParser(prog="python -m dev.soak", description=__doc__)
    parser.add_argument("--seconds", type=float, default=600.0, help="under load")
    parser.add_argument("--rate", type=float, default=2.0, help="generations ordered a second")
    chosen = parser.parse_args()
    if chosen.seconds < LEAST_SECONDS:
        parser.error(f"--seconds: less than {LEAST_SECONDS:.0f} say nothing")
    return 1 if run(chosen.seconds, chosen.rate).problems else 0


if __name__ == "__main__":
    sys.exit(main())
