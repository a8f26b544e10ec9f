"""The kinds of mails, and how long a mail of each is of use."""

from __future__ import annotations

from datetime import timedelta

from django.db import models
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class Kind(models.TextChoices):
    """Each has ``templates/mail/<kind>.text`` and ``.html``; beside it stand their variables."""

    VERIFY = "verify", "Code"  # code
    RESET = "reset", "Link for a new password"  # link
    PASSWORD_CHANGED = "password_changed", "Password changed"  # keys_stay, or nothing
    EMAIL_CONFIRM = "email_confirm", "Link for a new address"  # link
    EMAIL_CHANGED = "email_changed", "Address changed"  # new_email
    SECOND_FACTOR_CHANGED = "second_factor_changed", "Second factor changed"  # change


# They stay in the table when the text is gone: no secret in them.
SUBJECTS: dict[Kind, str | Promise] = {
    Kind.VERIFY: _("Your Reelmint code"),
    Kind.RESET: _("Set a new Reelmint password"),
    Kind.PASSWORD_CHANGED: _("Your Reelmint password was changed"),
    Kind.EMAIL_CONFIRM: _("Confirm your new e-mail address for Reelmint"),
    Kind.EMAIL_CHANGED: _("The e-mail address of your Reelmint account was changed"),
    Kind.SECOND_FACTOR_CHANGED: _("The second factor of your Reelmint account was changed"),
}

# As long as the code or link in it works. A notice that comes a day late still warns.
LIVES: dict[Kind, timedelta] = {
    Kind.VERIFY: timedelta(minutes=15),
    Kind.RESET: timedelta(hours=1),
    Kind.PASSWORD_CHANGED: timedelta(days=1),
    Kind.EMAIL_CONFIRM: timedelta(hours=1),
    Kind.EMAIL_CHANGED: timedelta(days=1),
    Kind.SECOND_FACTOR_CHANGED: timedelta(days=1),
}
