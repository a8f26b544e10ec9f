"""The settings of mails: where they are handed over, and who they are from."""

from __future__ import annotations

from email.utils import parseaddr

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from config.env import Env
from mail.server import Server, parse

NOBODY = "Reelmint <no-reply@localhost>"  # reads well in the mailbox, and is sent to no server


def mail_server(env: Env) -> Server | None:
    """None = no mail leaves; without a server MAIL_FROM is of no use."""
    url = env.text("EMAIL_URL")
    if not url:
        return None
    try:
        server = parse(url)
    except ValueError as error:
        env.problems.append(f"EMAIL_URL: {error}")
        return None
    if not env.text("MAIL_FROM"):
        env.problems.append("MAIL_FROM: must be set with EMAIL_URL, to an address of yours")
    return server


def mail_from(env: Env) -> str:
    """Whom mails are from: an address, or a name with an address in angle brackets."""
    given = env.text("MAIL_FROM", NOBODY)
    try:
        if not given.isprintable():
            raise ValidationError("control characters")
        validate_email(parseaddr(given)[1])
    except ValidationError:
        env.problems.append("MAIL_FROM: is no address, such as Reelmint <no-reply@example.com>")
    return given
