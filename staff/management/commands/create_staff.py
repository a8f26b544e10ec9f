"""``manage.py create_staff EMAIL --role operator``: a log-in for the operators' pages, as JSON."""

from __future__ import annotations

import json
import re
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.core.validators import validate_email
from django.db import IntegrityError, transaction

from accounts.login import find_user, fold
from accounts.models import User
from staff import recipients, roles
from staff.recipients import Refused

BY = "manage.py create_staff"


class Command(BaseCommand):
    """Set role and password of a member of staff, who is made if the e-mail is new.

    Any other user with this e-mail may be a stranger, and is therefore taken over by id alone.
    """

    help = "Let somebody use the operators' pages; prints the log-in as JSON, the password once."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email")
        parser.add_argument("--role", choices=roles.NAMES, required=True)
        parser.add_argument("--username", help="default: the e-mail's part before the @")
        parser.add_argument("--password", help="default: a random one for a new user")
        parser.add_argument(
            "--existing-user",
            metavar="ID",
            help="take this user over: new password, no more keys, log-ins and second factors",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Print ``user``, ``username``, ``email`` and ``role``, and a password that was made up."""
        try:
            validate_email(options["email"])
            with transaction.atomic():
                user, password = _find_or_create(options)
                roles.assign_by(BY, user, options["role"], **_set(options))
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        except ValueError as error:  # a name or a password that is too long
            raise CommandError(str(error)) from error
        except Refused as error:
            raise CommandError(str(error)) from error
        except IntegrityError as error:
            raise CommandError("Somebody took this e-mail or name just now, try again") from error
        shown = {"user": str(user.pk), "username": user.username, "email": user.email}
        shown["role"] = options["role"]
        if password:
            shown["password"] = password
        self.stdout.write(json.dumps(shown))


def _find_or_create(options: dict[str, Any]) -> tuple[User, str]:
    """The saved user, and the password if it was made up here."""
    user = recipients.staff_of(options["email"], options["existing_user"])
    wanted = options["password"] or ""
    if user is None:
        user = User(
            username=_username(options), email=options["email"], origin=User.Origin.CREATE_STAFF
        )
        fresh = recipients.set_password(user, wanted)
        user.save(force_insert=True)
    elif options["existing_user"]:
        fresh = recipients.take_over(BY, user, wanted)
    elif wanted:
        fresh = recipients.set_password(user, wanted)
        user.save(update_fields=["password"])
    else:
        return user, ""
    return user, "" if wanted else fresh


def _set(options: dict[str, Any]) -> dict[str, None]:
    """More changes for the entry: that a password was given, never which."""
    return {"password": None} if options["password"] else {}


def _username(options: dict[str, Any]) -> str:
    name = fold(options["username"] or re.sub(r"[^\w.+-]", "", options["email"].partition("@")[0]))
    if find_user(name) is not None or len(name) < 3:
        raise CommandError(f"The username {name} cannot be had, choose another with --username")
    return name
