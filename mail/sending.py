"""Handing one mail over: blocking, in a thread, without the database.

The result is always an outcome: the mail is taken, refused for good, or not taken this time.
"""

from __future__ import annotations

import contextlib
import smtplib
from dataclasses import dataclass
from email.utils import parseaddr
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.mail import EmailMultiAlternatives, get_connection
from django.core.validators import validate_email
from django.utils.encoding import punycode

from common.surviving import surviving
from common.telemetry.redaction import cut_text
from mail.models import Mail
from mail.server import Server

LONGEST = 300  # characters of what a server said
BUSY = (408, 425, 429)  # answers of a provider's API after which it is asked again
SHORTEST = 4  # characters of what is taken out of it; less is in any text


@dataclass(frozen=True, slots=True)
class Taken:
    """The server took it, and delivers it."""


@dataclass(frozen=True, slots=True)
class Refused:
    """Refused for good. ``is_address``: because of the recipient's address, and not of us."""

    detail: str
    is_address: bool = False


@dataclass(frozen=True, slots=True)
class NotTaken:
    """Not taken this time. Nobody knows whether it went out all the same."""

    detail: str


Outcome = Taken | Refused | NotTaken


def message_of(mail: Mail) -> EmailMultiAlternatives:
    """The message to send. Its ``Message-ID`` is the row's, at each try the same.

    Raises ValueError for a text that is no address, or two of them.
    """
    try:
        validate_email(mail.to)
    except ValidationError:
        raise ValueError("it is no address") from None
    if not mail.to.isprintable():
        raise ValueError("it has control characters")
    domain = punycode(parseaddr(settings.MAIL_FROM)[1].rpartition("@")[2])
    headers = {"Message-ID": f"<{mail.pk}@{domain}>", "Auto-Submitted": "auto-generated"}
    found = EmailMultiAlternatives(
        mail.subject, mail.text, settings.MAIL_FROM, [mail.to], headers=headers
    )
    found.attach_alternative(mail.html, "text/html")
    return found


class Courier:
    """Takes one mail to the server. ``cut`` may be called by another thread, to end it."""

    def __init__(self, mail: Mail, server: Server, patience: float) -> None:
        """``patience`` is how many seconds each answer of the server may take."""
        self._mail, self._server, self._patience = mail, server, patience
        self._connection: Any = None
        self._is_cut = False

    def run(self) -> Outcome:
        """Connect, hand over, leave. No server and no mail can make it raise anything."""
        try:
            message = message_of(self._mail)
            message.message()  # raises for headers that cannot be written, before a server is asked
        except ValueError as error:
            return Refused(self._without_secrets(f"nobody can be written to: {error}"), True)
        outcome: Outcome = Taken()

        def failed(error: Exception) -> None:
            nonlocal outcome
            outcome = self._meaning(error)

        with surviving(failed):  # a provider's library may raise anything
            self._hand_over(message)
        return outcome

    def cut(self) -> None:
        """Let ``run`` end soon; a provider's API has time-outs of its own."""
        self._is_cut = True
        if hasattr(self._connection, "cut"):
            self._connection.cut()

    def _hand_over(self, message: EmailMultiAlternatives) -> None:
        server = self._server
        self._connection = get_connection(
            server.backend, fail_silently=False, timeout=self._patience, **server.options
        )
        try:
            self._connection.open()
            if self._is_cut:  # else it might go out now, and again at the next try
                raise TimeoutError("the server took too long")
            self._connection.send_messages([message])
        finally:
            with contextlib.suppress(Exception):  # what is taken is taken, however we part
                self._connection.close()

    def _meaning(self, error: Exception) -> Refused | NotTaken:
        detail = self._without_secrets(_sentence(error))
        if isinstance(error, smtplib.SMTPRecipientsRefused):
            code, _ = next(iter(error.recipients.values()))
            return Refused(detail, is_address=True) if _is_final(code) else NotTaken(detail)
        if isinstance(error, smtplib.SMTPResponseException):
            # smtplib answers in a server's stead, by text, where that one talks nonsense
            said = isinstance(error.smtp_error, bytes)
            return Refused(detail) if said and _is_final(error.smtp_code) else NotTaken(detail)
        if type(error).__name__ in ("AnymailRecipientsRefused", "AnymailInvalidAddress"):
            return Refused(detail, is_address=True)
        status = getattr(error, "status_code", None)  # of a provider's answer
        if isinstance(status, int) and 400 <= status < 500 and status not in BUSY:
            return Refused(detail)
        return NotTaken(detail)

    def _without_secrets(self, text: str) -> str:
        """The text without our credentials and the mail's words: servers quote what they refuse."""
        secrets = [str(self._server.options[name]) for name in self._server.secret]
        secrets += (word for word in self._mail.text.split() if any(map(str.isdigit, word)))
        secrets += (word for word in self._mail.text.split() if "/" in word)
        for secret in sorted(set(secrets), key=len, reverse=True):
            if len(secret) >= SHORTEST:
                text = text.replace(secret, "…")
        return cut_text(text)[:LONGEST]


def _is_final(code: int) -> bool:
    return 500 <= code < 600


def _sentence(error: Exception) -> str:
    """What a server said, or the error's own first line; without what no table can hold."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        found = _said(*next(iter(error.recipients.values())))
    elif isinstance(error, smtplib.SMTPResponseException):
        found = _said(error.smtp_code, error.smtp_error)
    else:
        found = f"{type(error).__name__}: {error}".partition("\n")[0]
    return "".join(each if each.isprintable() else " " for each in found)


def _said(code: int, text: bytes | str) -> str:
    return f"{code} {text if isinstance(text, str) else text.decode(errors='replace')}"
