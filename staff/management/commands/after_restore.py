"""``manage.py after_restore``: to run after restoring a dump, before any worker starts."""

from __future__ import annotations

import time
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.db import transaction

from generation.stages.restored import doubt_the_queue
from staff import audit

PAUSE = 2.0  # seconds between two rounds


class Command(BaseCommand):
    help = (
        "Let nothing be bought again that was bought after the dump was made: queued generations "
        "are looked for at the provider first. Run it before the workers start."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        """Repeat while rows are in a back-off or leased. Both end within a lease or two."""
        ends = time.monotonic() + 5 * settings.LEASE
        count, left = doubt_the_queue()
        while left and time.monotonic() < ends:
            time.sleep(PAUSE * settings.TIME_SCALE)
            more, left = doubt_the_queue()
            count += more
        with transaction.atomic():
            changes = {"by": "manage.py after_restore", "doubted": count, "left": left}
            audit.record_bare(None, "after_restore", changes=changes)
        self.stdout.write(f"{count} queued generations are looked for at the provider first")
        if left:
            self.stderr.write(f"{left} are queued and not due: does a worker run?")
            raise SystemExit(1)
