"""What the commands that check rows have in common."""

from __future__ import annotations

import json
import sys
import time
from abc import ABC, abstractmethod
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db import DatabaseError

from credits.books import Result
from credits.nightly import keep_result


class CheckCommand(ABC, BaseCommand):
    """Prints what was looked at and one line a difference; the exit code is 1 if there is one.

    Each run is a row of BooksCheck, from which /metrics knows when the books were last checked.
    """

    title: str

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    @abstractmethod
    def check_rows(self) -> Result:
        """What the subclass looks at."""

    def handle(self, *args: Any, **options: Any) -> None:
        """Print the result and keep what came of it."""
        began = time.monotonic()
        result = self.check_rows()
        seconds = time.monotonic() - began
        if options["json"]:
            self.stdout.write(json.dumps(result.to_dict()))
        else:
            for difference in result.differences:
                self.stdout.write(f"account {difference.account}: {difference.problem}")
            verdict = f"{len(result.differences)} differences" if result.differences else "adds up"
            self.stdout.write(f"{self.title}: {result.seen()}: {verdict}")
        self._keep(result, seconds)
        if result.differences:
            sys.exit(1)

    def _keep(self, result: Result, seconds: float) -> None:
        """Write the row; a database that takes none (a read-only copy) changes no verdict."""
        try:
            keep_result(type(self).__module__.rpartition(".")[2], result, seconds)
        except DatabaseError as error:
            self.stderr.write(f"This run was not noted: {error}")
