"""``manage.py list_orphans [--since DATE] [--json]``."""

from __future__ import annotations

import argparse
import json
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from generation.models import Orphan
from generation.outputs import orphans


def moment(text: str) -> datetime:
    """``2026-11-24`` or ``2026-11-24T15:30:00+01:00``; UTC where it does not say."""
    try:
        parsed = datetime.fromisoformat(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"not a date: {text!r}") from error
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


def described(orphan: Orphan) -> dict[str, Any]:
    """What the operator needs to find it at the provider and in the bill."""
    generation = orphan.attempt.generation
    return {
        "account": str(generation.account_id),
        "generation": str(generation.pk),
        "attempt": orphan.attempt.number,
        "model": generation.model_id,
        "uri": orphan.uri,
        "found_at": orphan.found_at.isoformat(),
        "why": orphan.note,
    }


class Command(BaseCommand):
    """Prints one line an orphan, fields separated by tabs, or one JSON object."""

    help = "List outputs that were paid for and reached no customer, oldest first."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--since", type=moment, help="found at or after this date (UTC)")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        rows = [described(orphan) for orphan in orphans.listed(options["since"])]
        if options["json"]:
            self.stdout.write(json.dumps({"orphans": rows}))
            return
        for row in rows:
            self.stdout.write("\t".join(str(value) for value in row.values()))
        self.stdout.write(f"{len(rows)} orphans")
