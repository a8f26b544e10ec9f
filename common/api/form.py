"""The form of an answer, described once: a TypedDict whose keys say what they hold (decision 72).

``title: Annotated[str | None, "Null at first."]`` is a text with its help; the words below say
what a type does not. Answers stay dictionaries, and mypy holds them to their form.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from types import NoneType, UnionType
from typing import (
    Annotated,
    Any,
    Literal,
    Union,
    get_args,
    get_origin,
    get_type_hints,
    is_typeddict,
)

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers


@extend_schema_field({"type": "boolean", "const": True})
class TrueField(serializers.BooleanField):
    """``success`` of an answer that is not an error."""


@dataclass(frozen=True, slots=True)
class OneOf:
    """A text that is one of these."""

    values: Sequence[str]


@dataclass(frozen=True, slots=True)
class Bounds:
    """A number between two others, which it may equal."""

    least: int
    most: int | None = None


@dataclass(frozen=True, slots=True)
class Spelled:
    """A text of a known format, as the field of DRF's that has it."""

    field: type[serializers.Field[Any, Any, Any, Any]]


Uuid = Annotated[str, Spelled(serializers.UUIDField)]
Moment = Annotated[str, Spelled(serializers.DateTimeField)]
Link = Annotated[str, Spelled(serializers.URLField)]
Credits = Annotated[int, Bounds(0)]

_FIELDS: dict[Any, type[serializers.Field[Any, Any, Any, Any]]] = {
    Literal[True]: TrueField,
    bool: serializers.BooleanField,
    int: serializers.IntegerField,
    float: serializers.FloatField,
    str: serializers.CharField,
}


@functools.cache
def serializer_of(form: type, name: str) -> type[serializers.Serializer[Any]]:
    """The class that drf-spectacular makes the component ``name`` of; it serializes nothing.

    Of one form and name there is one class: two would be two components.
    """
    hints = get_type_hints(form, include_extras=True)
    fields = {key: _field(hint) for key, hint in hints.items()}
    bases = (serializers.Serializer,)
    return type(f"{name}Serializer", bases, {"__doc__": form.__doc__} | fields)


def _field(hint: Any) -> serializers.Field[Any, Any, Any, Any]:
    of, nullable, said = _parts(hint)
    made: Any = _FIELDS.get(of)
    options: dict[str, Any] = {"allow_null": True} if nullable else {}
    for word in said:
        match word:
            case str():
                options["help_text"] = word
            case OneOf(values):
                made, options["choices"] = serializers.ChoiceField, values
            case Bounds(least, most):
                options |= {"min_value": least, "max_value": most}
            case Spelled(by):
                made = by
    if is_typeddict(of):
        made = serializer_of(of, of.__name__)
    field: serializers.Field[Any, Any, Any, Any] = made(**options)
    return field


def _parts(hint: Any) -> tuple[Any, bool, list[Any]]:
    """A type without its wrappers, whether it may be null, and what is said of it."""
    if get_origin(hint) is Annotated:
        inner, *said = get_args(hint)
        of, nullable, before = _parts(inner)
        return of, nullable, [*before, *said]
    if get_origin(hint) in (Union, UnionType):
        (inner,) = (each for each in get_args(hint) if each is not NoneType)
        of, _, said = _parts(inner)
        return of, True, said
    return hint, False, []
