"""``manage.py create_staff EMAIL --role operator``: a log-in for the operators' pages, as JSON."""

from __future__ import annotations

import json
import re
import secrets
from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.core.validators import validate_email
from django.db import transaction

from accounts.login import find_user, fold
from accounts.models import User
from accounts.passwords import canonical
from staff import audit, roles

PASSWORD_BYTES = 15  # 20 characters


class Command(BaseCommand):
    """For a known e-mail it sets the role (and the password, if asked for) and nothing else."""

    help = "Let somebody use the operators' pages; prints the log-in as JSON, the password once."

    def add_arguments(self, parser: CommandParser) -> None:
        """Django's hook."""
        parser.add_argument("email")
        parser.add_argument("--role", choices=roles.NAMES, required=True)
        parser.add_argument("--username", help="default: the e-mail's part before the @")
        parser.add_argument("--password", help="default: a random one for a new user")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print ``user, username, email, role`` and a password that was made up."""
        try:
            validate_email(options["email"])
            with transaction.atomic():
                user, password = self._find_or_create(options)
                before = roles.role_of(user)
                roles.assign(user, options["role"])
                changes = {"role": [before, options["role"]], "by": "manage.py create_staff"}
                audit.note(
                    None,
                    "assign_role",
                    target_type="accounts.user",
                    target_id=str(user.pk),
                    changes=changes,
                )
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        except ValueError as error:  # a name or a password that is too long
            raise CommandError(str(error)) from error
        shown = {"user": str(user.pk), "username": user.username, "email": user.email}
        shown["role"] = options["role"]
        if password:
            shown["password"] = password
        self.stdout.write(json.dumps(shown))

    def _find_or_create(self, options: dict[str, Any]) -> tuple[User, str]:
        """The user, saved, and the password if it was made up here."""
        user = find_user(options["email"])
        made_up = ""
        if user is None:
            user = User(username=_username(options), email=options["email"])
            made_up = "" if options["password"] else secrets.token_urlsafe(PASSWORD_BYTES)
        password = canonical(options["password"] or made_up)
        if password:
            validate_password(password, user)
            user.set_password(password)
        user.save()
        return user, made_up


def _username(options: dict[str, Any]) -> str:
    name = fold(options["username"] or re.sub(r"[^\w.+-]", "", options["email"].partition("@")[0]))
    if find_user(name) is not None or len(name) < 3:
        raise CommandError(f"The username {name} cannot be had, choose another with --username")
    return name
