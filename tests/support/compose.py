"""What docker-compose.yml, Dockerfile and .env.example say, without an engine."""

from __future__ import annotations

import json
import re
import secrets
import shlex
from typing import Any

import yaml

from dev.embedded.paths import CHECKOUT

VARIABLE = re.compile(r"\$\{([A-Z_]+)(?::[?-]([^}]*))?\}")
ASSIGNMENT = re.compile(r"^(?:# )?([A-Z][A-Z0-9_]+)=(.*)$")


def compose() -> dict[str, Any]:
    """The file with its anchors resolved, its variables as they stand."""
    loaded: dict[str, Any] = yaml.safe_load((CHECKOUT / "docker-compose.yml").read_text())
    return loaded


def dotenv() -> dict[str, str]:
    """.env.example with the lines of "Emulator" added, as its own words tell the reader to do.

    What it leaves empty is made: secrets. A commented line without a value means none.
    """
    values: dict[str, str] = {}
    emulator = False
    for line in (CHECKOUT / ".env.example").read_text().splitlines():
        if line.startswith("# ---"):
            emulator = "Emulator" in line
        found = ASSIGNMENT.match(line)
        if found and (emulator or not line.startswith("#")):
            made = "" if line.startswith("#") else secrets.token_urlsafe(50)
            values[found[1]] = found[2] or made
    return values


def expanded(text: str, values: dict[str, str]) -> str:
    """As Compose puts the variables in. Raises KeyError for one that is missing."""

    def value(match: re.Match[str]) -> str:
        name, default = match.groups()
        return values.get(name, default) if default else values[name]

    return VARIABLE.sub(value, text)


def image_environment() -> dict[str, str]:
    """The ENV of the image's last stage."""
    last = _stages()[-1]
    words = [
        word for line in re.findall(r"^ENV (.*)$", last, re.MULTILINE) for word in line.split()
    ]
    return dict(word.split("=", 1) for word in words if not word.startswith("PATH="))


def image_command() -> list[str]:
    """The CMD of the image."""
    found = re.search(r"^CMD (\[.*\])$", _stages()[-1], re.MULTILINE | re.DOTALL)
    assert found is not None
    return [str(word) for word in json.loads(found[1])]


def collect_static() -> str:
    """The RUN of the image that collects the static files, as a shell reads it."""
    found = re.search(r"^RUN (.*collectstatic.*)$", _stages()[-1], re.MULTILINE)
    assert found is not None
    return found[1]


def service_environment(service: dict[str, Any], values: dict[str, str]) -> dict[str, str]:
    """What a container of the service sees: the image's, then its own.

    A name without a value is passed on from .env; if it has none there, it is taken away, even if
    the image has one.
    """
    own = {
        name: values.get(name) if text is None else expanded(text, values)
        for name, text in service.get("environment", {}).items()
    }
    found = image_environment() | own
    return {name: value for name, value in found.items() if value is not None}


def service_command(service: dict[str, Any]) -> list[str]:
    """Its own, else the image's."""
    return [str(word) for word in service.get("command") or image_command()]


def shell(command: list[str]) -> str:
    """As one types it."""
    return shlex.join(command)


def _stages() -> list[str]:
    text = (CHECKOUT / "Dockerfile").read_text().replace("\\\n", "")
    return re.split(r"^FROM ", text, flags=re.MULTILINE)[1:]
