"""Reads the environment, typed, and names every bad variable at once.

Nothing is read before it is asked for, and a wrong value never falls back to a default: it is
collected, so that the one message at start lists all of them.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

T = TypeVar("T")
Network = IPv4Network | IPv6Network

TRUE = {"1", "true", "yes", "on"}
FALSE = {"0", "false", "no", "off", ""}
# In each secret that an example of ours ever had, in passwords of its URLs too: everybody knows it.
EXAMPLE = "change-me"
# Google's library looks for it in the process's environment by itself
CREDENTIALS = "GOOGLE_APPLICATION_CREDENTIALS"


class Env:
    """A view on ``values`` (``os.environ`` as a rule) that remembers what it could not read."""

    def __init__(self, values: dict[str, str]) -> None:
        self._values = values
        self.known: set[str] = set()  # every name that was asked for
        self.problems: list[str] = []

    def _read(self, name: str, default: T, convert: Callable[[str], T]) -> T:
        self.known.add(name)
        raw = self._values.get(name)
        if raw is None or raw == "":
            return default
        try:
            return convert(raw)
        except ValueError as error:
            self.problems.append(f"{name}: {error}")
            return default

    def text(self, name: str, default: str = "") -> str:
        """The value as it is; an empty one counts as unset."""
        return self._read(name, default, str)

    def flag(self, name: str, default: bool) -> bool:
        def convert(raw: str) -> bool:
            if raw.lower() in TRUE:
                return True
            if raw.lower() in FALSE:
                return False
            raise ValueError(f"{raw!r} is neither yes nor no")

        return self._read(name, default, convert)

    def integer(self, name: str, default: int, least: int = 0) -> int:
        """A whole number of at least ``least``."""

        def convert(raw: str) -> int:
            value = int(raw)
            if value < least:
                raise ValueError(f"{value} is below {least}")
            return value

        return self._read(name, default, convert)

    def number(self, name: str, default: float, above: float = 0.0) -> float:
        """A number greater than ``above``."""

        def convert(raw: str) -> float:
            value = float(raw)
            if not above < value < float("inf"):
                raise ValueError(f"{raw} is not a number above {above}")
            return value

        return self._read(name, default, convert)

    def words(self, name: str, default: tuple[str, ...] = ()) -> list[str]:
        """A comma-separated list, blanks dropped."""
        return self._read(
            name,
            list(default),
            lambda raw: [word.strip() for word in raw.split(",") if word.strip()],
        )

    def networks(self, name: str, default: tuple[str, ...]) -> list[Network]:
        """A comma-separated list of CIDRs or addresses."""

        def convert(raw: str) -> list[Network]:
            words = [word.strip() for word in raw.split(",") if word.strip()]
            return [ip_network(word) for word in words]

        return self._read(name, convert(",".join(default)), convert)

    def choice(self, name: str, default: str, allowed: tuple[str, ...]) -> str:
        def convert(raw: str) -> str:
            if raw not in allowed:
                raise ValueError(f"{raw!r} is not one of {', '.join(allowed)}")
            return raw

        return self._read(name, default, convert)

    def database(self, name: str, default: str) -> dict[str, Any]:
        """A ``postgresql://`` URL as Django's dictionary; ``?host=/folder`` means a socket."""
        return self._read(name, parse_database_url(default), parse_database_url)

    def refuse_examples(self) -> None:
        """Note every variable that was asked for and still holds a secret of an example."""
        for name in sorted(self.known):
            if EXAMPLE in unquote(self._values.get(name, "")).lower():
                self.problems.append(f"{name}: holds a value of the example, which everybody knows")

    def finish(self) -> None:
        """Raise ImproperlyConfigured with every problem found, if there was one."""
        if self.problems:
            lines = "\n".join(f"  - {problem}" for problem in self.problems)
            raise ImproperlyConfigured(f"The environment does not make sense:\n{lines}")


def parse_database_url(url: str) -> dict[str, Any]:
    """Turn a libpq URL into Django's settings. Raises ValueError for anything not PostgreSQL."""
    parts = urlsplit(url)
    if parts.scheme not in {"postgres", "postgresql"}:
        raise ValueError("only PostgreSQL will do (postgresql://user:password@host/name)")
    query = dict(parse_qsl(parts.query))
    settings: dict[str, Any] = {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": query.pop("dbname", unquote(parts.path.lstrip("/"))),
        "USER": query.pop("user", unquote(parts.username or "")),
        "PASSWORD": query.pop("password", unquote(parts.password or "")),
        "HOST": query.pop("host", unquote(parts.hostname or "")),
        "PORT": query.pop("port", str(parts.port or "")),
        "OPTIONS": query,
    }
    if not settings["NAME"]:
        raise ValueError("the URL names no database")
    return settings


def celery_broker_url(redis_url: str) -> str:
    """Celery's spelling of a redis-py URL: sockets are called redis+socket there."""
    parts = urlsplit(redis_url)
    if parts.scheme != "unix":
        return redis_url
    database = dict(parse_qsl(parts.query)).get("db", "0")
    return f"redis+socket://{parts.path}?virtual_host={database}"


def limits_storage_url(redis_url: str) -> str:
    """The same for the ``limits`` library, which calls a socket redis+unix."""
    return f"redis+{redis_url}" if redis_url.startswith("unix:") else redis_url


def environment(base_dir: Path) -> dict[str, str]:
    """The process's environment, completed from ``var/run.json`` of a stack that is up.

    So a ``manage.py`` command typed in a checkout talks to the stack that runs from it, and to the
    provider with its credentials. A variable that is set always wins; the file is ignored when the
    process that wrote it is gone.
    """
    values = dict(os.environ)
    if values.get("DATABASE_URL"):
        return values
    try:
        run = json.loads((base_dir / "var" / "run.json").read_text())
        os.kill(int(run["pid"]), 0)
    except (OSError, ValueError, KeyError, TypeError):
        return values
    found = {key: str(value) for key, value in run.get("environment", {}).items()}
    found |= {"DATABASE_URL": str(run["database_url"]), "REDIS_URL": str(run["redis_url"])}
    found |= {key: value for key, value in values.items() if value}
    if CREDENTIALS in found:
        os.environ[CREDENTIALS] = found[CREDENTIALS]
    return found
