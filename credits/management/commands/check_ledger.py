"""``manage.py check_ledger [--json]``."""

from __future__ import annotations

from credits.books import Result, check_ledger
from credits.management.progress import Bar
from credits.management.reporting import CheckCommand


class Command(CheckCommand):
    """Asks the rows whether the money is right."""

    help = "Check that every balance is the sum of its entries. Exit code 1 for a difference."
    title = "The ledger"

    def check_rows(self) -> Result:
        """The whole ledger, in one snapshot."""
        return check_ledger(Bar("entries"))
