"""``manage.py grant_credits EMAIL --credits N --reason TEXT``."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import IntegrityError

from common.errors import ApiError
from staff import customers, recipients
from staff.recipients import Refused

BY = "manage.py grant_credits"


class Command(BaseCommand):
    """Credits are given as one ledger entry of the kind ``grant``."""

    help = "Give credits to the account of an e-mail and print the new balance as JSON."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email")
        parser.add_argument("--credits", type=int, required=True, help="at least 1")
        parser.add_argument("--reason", required=True, help="what the customer reads in the ledger")
        parser.add_argument("--reference", help="grants once, however often the command is run")
        parser.add_argument(
            "--account", metavar="ID", help="needed where the e-mail's account registered itself"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Print ``account``, ``credits_granted`` and ``credits_balance`` as JSON."""
        if options["credits"] < 1:
            raise CommandError("--credits must be at least 1")
        try:
            found = recipients.account_of(options["email"], options["account"])
            if found is None:
                raise CommandError(f"Nobody is registered with {options['email']}")
            account, _user = found
            posted = customers.grant_by(
                BY, account.pk, options["credits"], options["reason"], options["reference"]
            )
        except Refused as error:
            raise CommandError(str(error)) from error
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
