"""``manage.py grant_credits EMAIL --credits N --reason TEXT``."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import IntegrityError, transaction

from accounts.login import account_of, find_user
from common.errors import ApiError
from credits import ledger


class Command(BaseCommand):
    """Gives credits as one ledger entry of the kind ``grant``."""

    help = "Give credits to the account of an e-mail and print the new balance as JSON."

    def add_arguments(self, parser: CommandParser) -> None:
        """Django's hook."""
        parser.add_argument("email")
        parser.add_argument("--credits", type=int, required=True, help="at least 1")
        parser.add_argument("--reason", required=True, help="what the customer reads in the ledger")
        parser.add_argument("--reference", help="grants once, however often the command is run")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print ``account, credits_granted, credits_balance``."""
        if options["credits"] < 1:
            raise CommandError("--credits must be at least 1")
        user = find_user(options["email"]) if "@" in options["email"] else None
        if user is None:
            raise CommandError(f"Nobody is registered with {options['email']}")
        try:
            account = account_of(user)
            with transaction.atomic():
                posted = ledger.grant(
                    account.pk,
                    options["credits"],
                    description=options["reason"],
                    reference=options["reference"],
                )
        except ApiError as error:
            raise CommandError(str(error.detail)) from error
        except IntegrityError as error:
            raise CommandError(f"{options['reference']} has been granted before") from error
        shown = {
            "account": str(account.pk),
            "credits_granted": options["credits"],
            "credits_balance": posted.balance,
        }
        self.stdout.write(json.dumps(shown))
