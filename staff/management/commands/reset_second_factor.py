"""``manage.py reset_second_factor EMAIL --reason TEXT``: after the loss of app and codes.

Anybody can register any e-mail address, so a customer is named by an id as well, after a look at
who it is that asks; a mail tells the customer.
"""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from accounts import second_factor
from accounts.login import find_user
from signup import changes, notices
from staff import audit


class Command(BaseCommand):
    """An operator's next log-in enrols a new app, and open sessions ask for it, too."""

    help = "Take somebody's second factor away, so that the next log-in enrols a new one."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email")
        parser.add_argument("--reason", required=True, help="for the audit log")
        parser.add_argument("--customer", metavar="ID", help="the user's id, if not of the staff")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print how many devices were removed."""
        user = find_user(options["email"])
        if user is None or not (user.is_staff or options["customer"] == str(user.pk)):
            raise CommandError(
                f"Nobody of the staff has the name or e-mail {options['email']}; a customer is"
                " named by --customer and the user's id, too"
            )
        with transaction.atomic():
            removed = second_factor.reset(user)
            audit.record_bare(
                None,
                "reset_second_factor",
                target_type="accounts.user",
                target_id=str(user.pk),
                reason=options["reason"],
                changes={"devices": removed, "by": "manage.py reset_second_factor"},
            )
            if removed and not user.is_staff:
                notices.second_factor_changed(user, changes.TURNED_OFF)
        then = "enrols a new one" if user.is_staff else "asks for the password alone"
        self.stdout.write(f"{user.username}: {removed} removed; the next log-in {then}")
