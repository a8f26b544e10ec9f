"""Serializer fields that take JSON at its word: a number is not a text, null means absent."""

from __future__ import annotations

import re
import unicodedata
from datetime import datetime
from typing import Any, NoReturn

from rest_framework import serializers
from rest_framework.fields import empty

from common import webhook_urls

REQUIRED = "This field is required"

# RFC 3339 section 5.6; the time zone is not optional there, as it is in ISO 8601
RFC_3339 = re.compile(
    r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:[Zz]|[+-]\d\d:\d\d)", re.ASCII
)


# Invisible characters in none of BLANK's categories: joiners, selectors and fillers that Unicode
# lets a program ignore (Default_Ignorable_Code_Point), and the empty Braille pattern.
_UNSEEN = frozenset(
    "\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0"
    + "".join(map(chr, (*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0))))
)
BLANK = frozenset({"Cc", "Cf", "Zl", "Zp", "Zs"})  # control, format and separators


def is_blank(text: str) -> bool:
    """Whether every character of ``text`` is invisible."""
    return all(
        unicodedata.category(letter) in BLANK or letter in _UNSEEN or letter.isspace()
        for letter in text
    )


class NullIsAbsent(serializers.Field[Any, Any, Any, Any]):
    """``null`` means absent: an error for a required field, the default for the others."""

    def validate_empty_values(self, data: Any) -> tuple[bool, Any]:
        """DRF's hook: (whether ``data`` is the answer, data). Raises SkipField when absent."""
        return super().validate_empty_values(empty if data is None else data)


class StrictCharField(NullIsAbsent, serializers.CharField):
    """A text that arrived as a text, its length checked before anything else.

    A required field that is missing, null, empty or blank has one fault, with the code
    ``required``. A text of nothing but control and format characters is blank, too; beside other
    characters they stay.
    """

    shrinks = 1  # so many characters that are sent may become one that is counted

    default_error_messages = {
        "invalid": "Must be a string",
        "required": REQUIRED,
        "blank": "Must not be blank",
        "max_length": "Must be at most {max_length} characters",
        "min_length": "Must be at least {min_length} characters",
    }

    def fail(self, key: str, **kwargs: Any) -> NoReturn:
        """Raise the ValidationError of ``key``."""
        super().fail("required" if key == "blank" and self.required else key, **kwargs)

    def run_validation(self, data: Any = empty) -> Any:
        """DRF's hook. Checks the type first, because DRF looks for blanks in ``str(data)``.

        The trimmed length comes next, because DRF runs all validators on a text of any length.
        """
        if data is not empty and data is not None:
            if not isinstance(data, str):
                self.fail("invalid")
            if self.max_length is not None and len(data) > (most := self.max_length * self.shrinks):
                data = data.strip() if self.trim_whitespace else data
                if len(data) > most:
                    self.fail("max_length", max_length=self.max_length)
            if self.max_length is not None and self.trim_whitespace and is_blank(data):
                data = ""
        return super().run_validation(data)


class StrictBooleanField(NullIsAbsent, serializers.BooleanField):
    """``true`` or ``false``; no number and no word stands for them."""

    default_error_messages = {"invalid": "Must be true or false", "required": REQUIRED}

    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            self.fail("invalid")
        return data


class StrictIntegerField(NullIsAbsent, serializers.IntegerField):
    """A whole number; ``8.0`` is one, as in JSON Schema, a text and a boolean are none."""

    default_error_messages = {"invalid": "Must be an integer", "required": REQUIRED}

    def to_internal_value(self, data: Any) -> int:
        whole = isinstance(data, int) or (isinstance(data, float) and data.is_integer())
        if isinstance(data, bool) or not whole:
            self.fail("invalid")
        return int(data)


class StrictDateTimeField(NullIsAbsent, serializers.DateTimeField):
    """A moment as RFC 3339 writes it, always with its offset from UTC."""

    default_error_messages = {
        "invalid": "Must be a time as in RFC 3339, such as 2030-01-31T12:00:00Z",
        "required": REQUIRED,
        "overflow": "Must be a time in the years 1 to 9999",
    }

    def to_internal_value(self, value: Any) -> datetime:
        """DRF's hook: the moment in UTC."""
        if not isinstance(value, str) or not RFC_3339.fullmatch(value):
            self.fail("invalid")
        # "t" and "z" are good RFC 3339, but not to Python 3.11's parser
        return super().to_internal_value(value.upper())


class WebhookUrlField(StrictCharField):
    """Where events are sent, letter by letter as it was given; only its text is looked at."""

    def __init__(self, **options: Any) -> None:
        super().__init__(trim_whitespace=False, **options)

    def to_internal_value(self, data: Any) -> str:
        """DRF's hook. Raises ValidationError in the words of ``webhook_urls.check``."""
        url: str = super().to_internal_value(data)
        if (fault := webhook_urls.check(url)) is not None:
            raise serializers.ValidationError(fault)
        return url
