"""The server that mails are handed to, from EMAIL_URL, which is read once at the start."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

SMTP = "mail.smtp.SmtpBackend"
ANYMAIL = "anymail.backends.{name}.EmailBackend"
PORTS = {"smtp": 587, "smtps": 465}
# Nothing travels between machines there, and such a server seldom has a certificate.
THIS_MACHINE = {"localhost", "127.0.0.1", "::1"}
FORM = (
    "write smtp://user:password@host:587 (STARTTLS), smtps://user:password@host:465, or "
    "anymail://provider?setting=value, with %40 for @ and %2F for / in a password"
)


@dataclass(frozen=True, slots=True)
class Server:
    """A mail server, or a provider's HTTP API. Its ``repr`` tells no secret."""

    backend: str  # the dotted path of Django's class
    place: str  # where, for a person to read
    options: dict[str, Any] = field(repr=False)  # what the class is made with
    secret: tuple[str, ...] = ()  # which of them nobody may read


def parse(url: str) -> Server:
    """Read the URL. Raises ValueError, which never quotes it: a password may be anywhere in it."""
    if any(character.isspace() or not character.isprintable() for character in url):
        raise ValueError(f"holds a blank or a control character; {FORM}")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise ValueError(f"is no URL; {FORM}") from None
    if not host or parts.fragment or parts.path not in {"", "/"}:
        raise ValueError(f"is no address of a mail server; {FORM}")
    if parts.scheme == "anymail":
        return _anymail(parts, host)
    if parts.scheme not in PORTS:
        raise ValueError(f"is of no kind that we know; {FORM}")
    return _smtp(parts, host, PORTS[parts.scheme] if port is None else port)


def _smtp(parts: SplitResult, host: str, port: int) -> Server:
    if not port:
        raise ValueError("names the port 0")
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    if not all(each.isascii() and each.isprintable() for each in (user, password)):
        raise ValueError("has a user or a password beyond ASCII, which no mail server takes")
    if bool(user) != bool(password):
        raise ValueError("needs user and password, or neither")
    wishes = dict(parse_qsl(parts.query, keep_blank_values=True))
    starttls = wishes.pop("starttls", "no" if host in THIS_MACHINE else "yes")
    if wishes or starttls not in {"yes", "no"} or (parts.scheme == "smtps" and parts.query):
        raise ValueError("knows one word after ?, and only with smtp://: starttls=yes or no")
    if parts.scheme == "smtp" and starttls == "no" and password and host not in THIS_MACHINE:
        raise ValueError("would send the password in the open; leave starttls=no out")
    options: dict[str, Any] = {
        "host": host,
        "port": port,
        "username": user,
        "password": password,
        "use_tls": parts.scheme == "smtp" and starttls == "yes",
        "use_ssl": parts.scheme == "smtps",
    }
    return Server(SMTP, f"{parts.scheme}://{host}:{port}", options, ("password",))


def _anymail(parts: SplitResult, name: str) -> Server:
    """A provider's backend; its settings stand behind the question mark, in lower case."""
    if not name.isidentifier() or parts.netloc != name:
        raise ValueError(f"names no provider of django-anymail's; {FORM}")
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    if not all(key.isidentifier() and value for key, value in options.items()):
        raise ValueError(f"has a setting without a name or a value; {FORM}")
    return Server(ANYMAIL.format(name=name), f"anymail://{name}", options, tuple(options))
