"""``manage.py reseal_secrets``: to run before a former SECRET_KEY is dropped (docs/rotation.md)."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand
from django.db import transaction

from staff import audit
from webhooks.resealing import reseal

NAMED = 20  # of those that do not open


class Command(BaseCommand):
    help = (
        "Seal the secrets of webhooks with SECRET_KEY, so that a former one may be dropped. "
        "Exit code 1 when one opens with none of these keys."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        """May be run again: what the newest key sealed is left as it is."""
        found = reseal()
        with transaction.atomic():
            changes = {"by": "manage.py reseal_secrets", "sealed_anew": found.anew}
            changes |= {"were_already": found.already, "do_not_open": len(found.closed)}
            audit.record_bare(None, "reseal_secrets", changes=changes)
        self.stdout.write(
            f"{found.anew} secrets are sealed with the newest key now, {found.already} were already"
        )
        if found.closed:
            self.stderr.write(
                f"{len(found.closed)} open with no key: {', '.join(found.closed[:NAMED])}"
            )
            raise SystemExit(1)
