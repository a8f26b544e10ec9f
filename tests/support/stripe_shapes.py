"""Holds what looks like an answer of Stripe's to the classes of Stripe's own SDK.

Their annotations say each field, its type, its literals, and that it may be missing (``Optional``).
"""

from __future__ import annotations

import ast
import importlib
import inspect
import json
import sys
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from functools import cache
from pathlib import Path
from typing import Any, ClassVar, ForwardRef, Literal, Union, get_args, get_origin

import stripe
from stripe import ListObject, StripeObject
from stripe._object_classes import get_object_class
from stripe._stripe_object import UntypedStripeObject


def differences(body: Any, where: str = "") -> Iterator[str]:
    """What the SDK's class of an object would not expect, a line each."""
    if not isinstance(body, dict) or not isinstance(body.get("object"), str):
        yield f"{where or 'the answer'}: no object of Stripe's"
        return
    kind = body["object"]
    if kind == "list":
        yield from _list(body, None, "", where or "list")
        return
    found = get_object_class("V1", kind)
    if found is StripeObject:
        yield f"{where}: no such kind of object: {kind}"
    elif body.get("deleted"):
        yield from _unless(set(body) == {"id", "object", "deleted"}, f"{kind}: more than deleted")
    else:
        yield from _object(body, found, where or kind)
    if kind == "event" and isinstance(body.get("data"), dict):
        yield from differences(body["data"].get("object"), f"event {body['type']}: data.object")


def _unless(fine: bool, line: str) -> Iterator[str]:
    if not fine:
        yield line


def _object(body: dict[str, Any], kind: type, where: str) -> Iterator[str]:
    expected = _fields(kind)
    for name in body.keys() - expected.keys():
        yield f"{where}.{name}: invented"
    for name, (annotation, module) in expected.items():
        optional = type(None) in get_args(annotation)
        if name not in body:
            yield from _unless(optional, f"{where}.{name}: missing")
        elif body[name] is None:
            yield from _unless(optional, f"{where}.{name}: null")
        else:
            yield from _value(body[name], annotation, module, f"{where}.{name}")


def _value(value: Any, annotation: Any, module: str, where: str) -> Iterator[str]:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if isinstance(annotation, ForwardRef):
        yield from _named(value, _resolve(annotation.__forward_arg__, module), where)
    elif origin is Union:
        yield from _one_of(value, arguments, module, where)
    elif origin is Literal:
        yield from _unless(value in arguments, f"{where}: {value!r} is none of {arguments}")
    elif origin is list:
        if not isinstance(value, list):
            yield f"{where}: {type(value).__name__} instead of a list"
            return
        for index, each in enumerate(value):
            yield from _value(each, arguments[0], module, f"{where}[{index}]")
    elif origin is ListObject:
        yield from _list(value, arguments[0], module, where)
    elif origin is UntypedStripeObject:
        yield from _unless(isinstance(value, dict), f"{where}: no table of names and values")
        for name, each in value.items() if isinstance(value, dict) else ():
            yield from _value(each, arguments[0], module, f"{where}.{name}")
    elif annotation is not Any:
        yield from _named(value, annotation, where)


def _one_of(value: Any, arguments: tuple[Any, ...], module: str, where: str) -> Iterator[str]:
    """Enumerations are open in the SDK (a literal or any text): the text is left out here."""
    choices = [each for each in arguments if each is not type(None)]
    if any(get_origin(each) is Literal for each in choices):
        choices.remove(str)
    found = [list(_value(value, each, module, where)) for each in choices]
    if all(found):
        # What it is at all says more than that it is something else.
        other = f"{where}: {type(value).__name__} instead of "
        yield from min(found, key=lambda each: (each[0].startswith(other), len(each)))


def _named(value: Any, kind: Any, where: str) -> Iterator[str]:
    if kind is Decimal:
        try:
            fine = isinstance(value, str) and Decimal(value).is_finite()
        except InvalidOperation:
            fine = False
        yield from _unless(fine, f"{where}: {value!r} is no decimal in a text")
    elif inspect.isclass(kind) and issubclass(kind, StripeObject):
        name = getattr(kind, "OBJECT_NAME", None)
        if not isinstance(value, dict) or (name and value.get("object") != name):
            yield f"{where}: {type(value).__name__} instead of {kind.__qualname__}"
        else:
            yield from _object(value, kind, where)
    else:
        wanted = (int, float) if kind is float else kind
        fine = isinstance(value, wanted) and (kind is bool or not isinstance(value, bool))
        yield from _unless(fine, f"{where}: {type(value).__name__} instead of {kind.__name__}")


def _list(value: Any, inner: Any, module: str, where: str) -> Iterator[str]:
    if not isinstance(value, dict) or not {"object", "data", "has_more", "url"} <= set(value):
        yield f"{where}: no list of Stripe's"
        return
    for index, each in enumerate(value["data"]):
        place = f"{where}[{index}]"
        if inner is None:
            yield from differences(each, place)
        else:
            yield from _value(each, inner, module, place)


@cache
def _fields(kind: type) -> dict[str, tuple[Any, str]]:
    """Name -> annotation and the module that it stands in."""
    found = {}
    for each in reversed(kind.__mro__):
        if each.__module__.startswith("stripe") and each is not StripeObject:
            for name, annotation in vars(each).get("__annotations__", {}).items():
                if get_origin(annotation) is not ClassVar and not name.startswith("_"):
                    found[name] = (annotation, each.__module__)
    return found


@cache
def _resolve(name: str, module: str) -> Any:
    """A class that the module imports for type checkers alone, perhaps by another name."""
    for node in ast.walk(ast.parse(inspect.getsource(sys.modules[module]))):
        if isinstance(node, ast.ImportFrom):
            for each in node.names:
                if (each.asname or each.name) == name:
                    return getattr(importlib.import_module(node.module or ""), each.name)
    return getattr(stripe, name)


def of_record(record: Path) -> tuple[Counter[str], list[str]]:
    """Kinds of all objects of an emulator's record, and the differences that they have."""
    kinds: Counter[str] = Counter()
    found: dict[str, None] = {}
    for line in record.read_text().splitlines():
        kept = json.loads(line)
        kinds.update(_kinds(kept["body"]))
        for each in differences(kept["body"]):
            found[f"{kept['name']}: {each}"] = None
    return kinds, list(found)


def _kinds(body: Any) -> Iterator[str]:
    if isinstance(body, dict):
        if isinstance(body.get("object"), str):
            yield body["object"]
        for each in body.values():
            yield from _kinds(each)
    elif isinstance(body, list):
        for each in body:
            yield from _kinds(each)
