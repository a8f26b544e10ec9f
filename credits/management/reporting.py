"""What the commands that check rows have in common."""

from __future__ import annotations

import json
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from credits.check import Result


class CheckCommand(BaseCommand):
    """Prints what was looked at and one line a difference; the exit code is 1 if there is one."""

    title: str

    def add_arguments(self, parser: CommandParser) -> None:
        """Django's hook."""
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def check_rows(self) -> Result:
        """What the subclass looks at."""
        raise NotImplementedError

    def handle(self, *args: Any, **options: Any) -> None:
        """Print the result."""
        result = self.check_rows()
        if options["json"]:
            self.stdout.write(json.dumps(result.to_dict()))
        else:
            for difference in result.differences:
                self.stdout.write(f"account {difference.account}: {difference.problem}")
            seen = ", ".join(f"{count} {name}" for name, count in result.counts.items())
            verdict = f"{len(result.differences)} differences" if result.differences else "adds up"
            self.stdout.write(f"{self.title}: {seen}: {verdict}")
        if result.differences:
            sys.exit(1)
