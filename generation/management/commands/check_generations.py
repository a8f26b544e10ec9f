"""``manage.py check_generations [--json]``."""

from __future__ import annotations

from credits.books import Result
from credits.management.reporting import CheckCommand
from generation.books import check_generations


class Command(CheckCommand):
    """Asks the rows whether everything charged for exists, and everything undelivered is paid."""

    help = "Check generations against charges and refunds. Exit code 1 for a difference."
    title = "The generations"

    def check_rows(self) -> Result:
        """All generations, in one snapshot."""
        return check_generations()
