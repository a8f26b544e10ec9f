"""The only body the API reads: one JSON object in UTF-8."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Mapping
from typing import IO, Any, NoReturn

from rest_framework.exceptions import UnsupportedMediaType
from rest_framework.parsers import BaseParser
from rest_framework.utils.mediatypes import _MediaType

from common.errors import InvalidRequest

MAX_DEPTH = 32
# of UTF-8, UTF-16 and UTF-32 (RFC 8259, section 8.1, forbids them)
MARKS = (codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, codecs.BOM_UTF32_BE)
# An honest body has some dozens. A MiB full of empty lists keeps Python busy for a second.
MAX_VALUES = 10_000
# The repeats are possessive, and a text may lack its end, so that nothing is read twice. Otherwise
# each quote of an unfinished text would begin another search through all the rest of it.
_TEXT = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"?', re.DOTALL)
UTF_8 = {"utf-8", "utf8"}


class StrictJSONParser(BaseParser):
    """Parses ``application/json``, and says what is wrong with a body that is none."""

    media_type = "application/json"

    def parse(
        self,
        stream: IO[bytes],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """Return the object. Raises InvalidRequest, or UnsupportedMediaType for another charset."""
        sent = _MediaType(media_type or "")
        charset = str(sent.params.get("charset", "utf-8")).lower()
        # DRF's matching lets application/* through
        if (sent.main_type, sent.sub_type) != ("application", "json") or charset not in UTF_8:
            raise UnsupportedMediaType(media_type or "")
        return parse_object(stream.read())


def parse_object(body: bytes) -> dict[str, Any]:
    """Parse one JSON object. Raises InvalidRequest with a sentence that says what is wrong."""
    if body.startswith(MARKS):
        raise InvalidRequest(
            "The body begins with a byte order mark (BOM), send JSON in UTF-8 without one"
        )
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InvalidRequest("The body is not valid UTF-8") from error
    # Commas inside texts do not count, but taking the texts out costs more than most bodies do.
    if text.count(",") >= MAX_VALUES and _TEXT.sub("", text).count(",") >= MAX_VALUES:
        raise InvalidRequest(f"The JSON has more than {MAX_VALUES} values")
    try:
        value = json.loads(text, parse_constant=_refuse_constant)
    except RecursionError as error:
        raise InvalidRequest("The JSON is nested too deeply") from error
    except ValueError as error:  # also integers of thousands of digits
        raise InvalidRequest("The body is not valid JSON") from error
    if not isinstance(value, dict):
        raise InvalidRequest("The body must be a JSON object")
    _check(value)
    return value


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _check(root: dict[str, Any]) -> None:
    """Refuse what PostgreSQL's text cannot hold (NUL, lone surrogates) and absurd nesting."""
    waiting: list[tuple[Any, int]] = [(root, 1)]
    while waiting:
        value, depth = waiting.pop()
        if depth > MAX_DEPTH:
            raise InvalidRequest("The JSON is nested too deeply")
        if isinstance(value, str):
            _check_text(value)
        elif isinstance(value, dict):
            for key, inner in value.items():
                _check_text(key)
                waiting.append((inner, depth + 1))
        elif isinstance(value, list):
            waiting.extend((inner, depth + 1) for inner in value)


def _check_text(text: str) -> None:
    if "\0" in text:
        raise InvalidRequest("The JSON contains a NUL character")
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise InvalidRequest("The JSON contains a lone surrogate") from error
