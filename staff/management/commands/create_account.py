"""``manage.py create_account EMAIL --credits N``: a customer and a fresh API key, as JSON."""

from __future__ import annotations

import json
import re
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.core.validators import validate_email
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts import keys
from accounts.login import find_user, fold
from accounts.models import Account, User
from common.errors import ApiError
from credits.models import Wallet
from signup.registration import open_account
from staff import audit, customers, recipients, roles
from staff.recipients import Refused

KEY_NAME = "create_account"
BY = "manage.py create_account"


class Command(BaseCommand):
    """May be repeated: an account that exists gets a fresh key and nothing else."""

    help = "Create an account (or find it by its e-mail) and print a fresh API key as JSON."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email")
        parser.add_argument("--credits", type=int, default=0, help="for a new account")
        parser.add_argument("--top-up", action="store_true", help="for an existing one too")
        parser.add_argument("--staff", action="store_true", help="may use the admin pages, all of")
        parser.add_argument("--username", help="default: what stands before the @")
        parser.add_argument("--password", help="default: none, so that only the key works")
        parser.add_argument("--description", default="Granted by the operator")
        parser.add_argument(
            "--keys-manage-keys", action="store_true", help="its keys may make and delete keys"
        )
        parser.add_argument(
            "--account", metavar="ID", help="needed where the e-mail's account registered itself"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Print ``account, user, username, email, key, credits_balance``; ``password`` if new."""
        if options["credits"] < 0:
            raise CommandError("--credits must not be negative")
        try:
            validate_email(options["email"])
            with transaction.atomic():
                shown = _run(options)
        except ValidationError as error:
            raise CommandError(error.messages[0]) from error
        except Refused as error:
            raise CommandError(str(error)) from error
        except ApiError as error:
            raise CommandError(str(error.detail)) from error
        except IntegrityError as error:
            raise CommandError("Somebody took this e-mail or name just now, try again") from error
        except ValueError as error:  # a name or a password that is too long
            raise CommandError(str(error)) from error
        self.stdout.write(json.dumps(shown))


def _run(options: dict[str, Any]) -> dict[str, Any]:
    """Make or find the account, and record it; what to print. Belongs into a transaction."""
    found = recipients.account_of(options["email"], options["account"])
    if found is None:
        user = User(
            username=_username(options),
            email=options["email"],
            email_verified_at=timezone.now(),  # whoever types the address vouches for it
            origin=User.Origin.CREATE_ACCOUNT,
        )
        user.set_unusable_password()
        account = open_account(user)
    else:
        account, user = found
    # Lock order: wallet, then account, as a charge does.
    if options["credits"] and (found is None or options["top_up"]):
        customers.grant_by(BY, account.pk, options["credits"], options["description"])
    if options["keys_manage_keys"]:
        account.keys_manage_keys = True
        account.save(update_fields=["keys_manage_keys"])
    made_up = _equip(user, options)
    issued = keys.create_key(account, user, KEY_NAME, make_room=True)
    _record(account, user, {"made": found is None, "api_key": issued.api_key.preview}, options)
    shown = {
        "account": str(account.pk),
        "user": str(user.pk),
        "username": user.username,
        "email": user.email,
        "key": issued.secret,
        "credits_balance": Wallet.objects.get(account=account).balance,
    }
    return shown | ({"password": made_up} if made_up else {})


def _equip(user: User, options: dict[str, Any]) -> str:
    """Set password and role as the options say; the new password, if it was made up here.

    A user who registered and becomes staff is taken over first: a stranger may know the password.
    """
    made_up = ""
    if options["staff"] and not user.is_superuser and user.origin == User.Origin.REGISTERED:
        fresh = recipients.take_over(BY, user, options["password"] or "")
        made_up = "" if options["password"] else fresh
    elif options["password"]:
        user.set_password(options["password"])
        user.save(update_fields=["password"])
    if options["staff"]:
        roles.assign_by(BY, user, roles.SUPERUSER)
    return made_up


def _record(account: Account, user: User, facts: dict[str, Any], options: dict[str, Any]) -> None:
    changes = {"by": BY, "user": str(user.pk), **facts}
    if options["keys_manage_keys"]:
        changes["keys_manage_keys"] = True
    if options["password"]:
        changes["password"] = None  # the entry says that it was set, not what it is
    audit.record_bare(
        None,
        "create_account",
        target_type=Account._meta.label_lower,
        target_id=str(account.pk),
        account_id=account.pk,
        changes=changes,
    )


def _username(options: dict[str, Any]) -> str:
    """The wanted name, or the e-mail's part before the @, with a number if that name is taken."""
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
