"""What a call takes: a table of names, each with the reader of its value.

A reader is a function, a table (an object with fields), or a list with one reader (a list of
such). A name that is in no table is refused, as Stripe refuses it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from dev.stripe.wire.errors import StripeError, missing, unknown_parameter

Table = Mapping[str, Any]
TEXT_MAX = 5_000
METADATA_KEYS_MAX = 50
METADATA_KEY_MAX = 40
METADATA_VALUE_MAX = 500


@dataclass(frozen=True, slots=True)
class Needed:
    """A parameter that Stripe refuses to do without."""

    reader: Any


@dataclass(frozen=True, slots=True)
class Choice:
    """One word out of a list."""

    allowed: tuple[str, ...]

    def __call__(self, value: Any, where: str) -> str:
        if value not in self.allowed:
            listed = ", ".join(self.allowed)
            message = f"Invalid {where}: must be one of {listed}"
            raise StripeError(message, param=where)
        return str(value)


@dataclass(frozen=True, slots=True)
class OrEmpty:
    """An empty text takes the value away; else the reader decides."""

    reader: Any

    def __call__(self, value: Any, where: str) -> Any:
        return None if value == "" else read_one(self.reader, value, where)


def choice(*allowed: str) -> Choice:
    return Choice(allowed)


def text(value: Any, where: str) -> str:
    """A text that is not empty: an empty one would unset the field."""
    if not isinstance(value, str):
        raise StripeError(f"Invalid string: {where}", param=where)
    if not value:
        raise StripeError(
            f"You passed an empty string for '{where}'. We assume empty values are an attempt to "
            f"unset a field; however '{where}' cannot be unset.",
            code="parameter_invalid_empty",
            param=where,
        )
    if len(value) > TEXT_MAX:
        message = f"Invalid string: {where} must be at most {TEXT_MAX} characters"
        raise StripeError(message, param=where)
    return value


@dataclass(frozen=True, slots=True)
class Text:
    """A text up to a length of its own."""

    longest: int

    def __call__(self, value: Any, where: str) -> str:
        found = text(value, where)
        if len(found) > self.longest:
            message = f"Invalid string: {where} must be at most {self.longest} characters"
            raise StripeError(message, param=where)
        return found


def whole(value: Any, where: str) -> int:
    """A whole number, which may be negative."""
    if not isinstance(value, str) or not re.fullmatch(r"-?\d{1,18}", value):
        message = f"Invalid integer: {value}"
        raise StripeError(message, code="parameter_invalid_integer", param=where)
    return int(value)


def number(value: Any, where: str) -> float:
    """A decimal number, such as a percentage."""
    if not isinstance(value, str) or not re.fullmatch(r"-?\d{1,18}(\.\d{1,12})?", value):
        raise StripeError(f"Invalid decimal: {value}", param=where)
    return float(value)


def boolean(value: Any, where: str) -> bool:
    if value not in ("true", "false"):
        raise StripeError(f"Invalid boolean: {value}", param=where)
    return bool(value == "true")


def url(value: Any, where: str) -> str:
    found = text(value, where)
    if not re.fullmatch(r"https?://[^/\s]+\S*", found):
        raise StripeError("Not a valid URL", code="url_invalid", param=where)
    return found


def currency(value: Any, where: str) -> str:
    found = text(value, where).lower()
    if not re.fullmatch(r"[a-z]{3}", found):
        raise StripeError(f"Invalid currency: {value}.", param=where)
    return found


def metadata(value: Any, where: str) -> dict[str, str]:
    """Stripe's limits: 50 keys of 40 characters, values of 500. An empty value deletes its key."""
    if value == "":
        return {}
    if not isinstance(value, dict) or not all(isinstance(each, str) for each in value.values()):
        raise StripeError("Invalid object", param=where)
    if len(value) > METADATA_KEYS_MAX:
        raise StripeError("Metadata can hold at most 50 keys.", param=where)
    for key, word in value.items():
        if len(key) > METADATA_KEY_MAX or len(word) > METADATA_VALUE_MAX:
            message = "Metadata keys can have up to 40 characters, values up to 500."
            raise StripeError(message, param=f"{where}[{key}]")
    return dict(value)


def merged(old: dict[str, str], new: dict[str, str] | None) -> dict[str, str]:
    """Metadata after a call: an empty value deletes its key, an empty text all of them."""
    if new is None:
        return old
    if not new:
        return {}
    return {key: value for key, value in (old | new).items() if value}


def email(value: Any, where: str) -> str:
    found = Text(512)(value, where)
    if not re.fullmatch(r"[^@\s]+@[^@\s]+", found):
        raise StripeError(f"Invalid email address: {found}", code="email_invalid", param=where)
    return found


def moments(value: Any, where: str) -> dict[str, int]:
    """``created=1`` or ``created[gte]=1``: a moment, or bounds of a time."""
    if isinstance(value, str):
        moment = whole(value, where)
        return {"gte": moment, "lte": moment}
    bounds = {"gt": whole, "gte": whole, "lt": whole, "lte": whole}
    return read(bounds, value, where)


def read(table: Table, given: Any, where: str = "") -> dict[str, Any]:
    """The values of ``given`` as ``table`` reads them. Raises a 400 StripeError."""
    if not isinstance(given, dict):
        raise StripeError(f"Invalid object: {where}", param=where)
    found: dict[str, Any] = {}
    for name, value in given.items():
        place = f"{where}[{name}]" if where else name
        if name not in table:
            raise unknown_parameter(place)
        found[name] = read_one(table[name], value, place)
    for name, reader in table.items():
        if isinstance(reader, Needed) and name not in found:
            raise missing(f"{where}[{name}]" if where else name)
    return found


def read_one(reader: Any, value: Any, where: str) -> Any:
    """One value as its reader wants it."""
    if isinstance(reader, Needed):
        return read_one(reader.reader, value, where)
    if isinstance(reader, Mapping):
        return read(reader, value, where)
    if isinstance(reader, list):
        return _read_list(reader[0], value, where)
    called: Callable[[Any, str], Any] = reader
    return called(value, where)


def _read_list(reader: Any, value: Any, where: str) -> list[Any]:
    if not isinstance(value, dict) or not all(key.isdigit() for key in value):
        raise StripeError("Invalid array", param=where)
    ordered = sorted(value.items(), key=lambda each: int(each[0]))
    return [read_one(reader, each, f"{where}[{index}]") for index, each in ordered]


# What every call may add, and every list.
EXPAND: Table = {"expand": [text]}
PAGE: Table = {**EXPAND, "limit": whole, "starting_after": text, "ending_before": text}
