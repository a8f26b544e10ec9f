"""``manage.py create_account EMAIL --credits N``: a customer and a fresh API key, as JSON."""

from __future__ import annotations

import json
import re
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.core.validators import validate_email
from django.db import transaction

from accounts import keys
from accounts.login import account_of, find_user, fold
from accounts.models import Account, User
from accounts.registration import open_account
from common.errors import ApiError
from credits import ledger
from credits.models import Wallet

KEY_NAME = "create_account"


class Command(BaseCommand):
    """Runs as often as one likes: for a known e-mail it makes a fresh key and nothing else."""

    help = "Create an account (or find it by its e-mail) and print a fresh API key as JSON."

    def add_arguments(self, parser: CommandParser) -> None:
        """Django's hook."""
        parser.add_argument("email")
        parser.add_argument("--credits", type=int, default=0, help="for a new account")
        parser.add_argument("--top-up", action="store_true", help="for an existing one too")
        parser.add_argument("--staff", action="store_true", help="may use the admin pages, all of")
        parser.add_argument("--username", help="default: what stands before the @")
        parser.add_argument("--password", help="default: none, so that only the key works")
        parser.add_argument("--description", default="Granted by the operator")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print ``account, user, username, email, key, credits_balance``."""
        if options["credits"] < 0:
            raise CommandError("--credits must not be negative")
        try:
            validate_email(options["email"])
            with transaction.atomic():
                account, user = self._find_or_create(options)
                issued = keys.create_key(account, user, KEY_NAME, make_room=True)
        except ValidationError as error:
            raise CommandError(error.messages[0]) from error
        except ApiError as error:
            raise CommandError(str(error.detail)) from error
        except ValueError as error:  # a name or a password that is too long
            raise CommandError(str(error)) from error
        shown = {
            "account": str(account.pk),
            "user": str(user.pk),
            "username": user.username,
            "email": user.email,
            "key": issued.secret,
            "credits_balance": Wallet.objects.get(account=account).balance,
        }
        self.stdout.write(json.dumps(shown))

    def _find_or_create(self, options: dict[str, Any]) -> tuple[Account, User]:
        user = find_user(options["email"])
        if user is None:
            user = User(username=_username(options), email=options["email"])
            _equip(user, options)
            return open_account(user, options["credits"], options["description"]), user
        account = account_of(user)
        if _equip(user, options):
            user.save(update_fields=["is_staff", "is_superuser", "password"])
        if options["top_up"] and options["credits"]:
            ledger.grant(account.pk, options["credits"], description=options["description"])
        return account, user


def _equip(user: User, options: dict[str, Any]) -> bool:
    """Set what was asked for; whether that changed anything."""
    if options["staff"]:
        user.is_staff = user.is_superuser = True
    if options["password"]:
        user.set_password(options["password"])
    elif not user.password:
        user.set_unusable_password()
    return bool(options["staff"] or options["password"])


def _username(options: dict[str, Any]) -> str:
    """The wanted name; else the e-mail's, with a number behind it if it is taken."""
    if options["username"]:
        if find_user(options["username"]) is not None:
            raise CommandError(f"The username {options['username']} is already taken")
        return fold(options["username"])
    base = re.sub(r"[^\w.+-]", "", options["email"].partition("@")[0])[:140].ljust(3, "_")
    name, number = base, 1
    while find_user(name) is not None:
        number += 1
        name = f"{base}-{number}"
    return name
