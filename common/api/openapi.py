"""The parts of the OpenAPI document that every endpoint has: errors, headers, exact fields.

Endpoints say what is theirs with :func:`operation`. All that follows from the contract's sections
1 and 6 is added here, so that no endpoint can forget it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from http import HTTPStatus
from typing import Any

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers

from common.api import error_examples
from common.api.error_examples import ErrorExample
from common.api.form import TrueField
from common.api.negotiation import AnyAccept
from common.api.pagination import DEFAULT_LIMIT, MAX_LIMIT, MAX_OFFSET

Decorator = Callable[[Any], Any]

ERRORS, IDS, ALONE = "x-error-examples", "x-operation-ids", "x-own-errors-alone"

LIMIT = OpenApiParameter(
    "limit",
    {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT},
    description="How many results a page has.",
)
OFFSET = OpenApiParameter(
    "offset",
    {"type": "integer", "minimum": 0, "maximum": MAX_OFFSET, "default": 0},
    description="How many of the newest results to skip. To go further, follow `next`.",
)
PAGE = OpenApiParameter(
    "page",
    {"type": "integer", "minimum": 1, "maximum": MAX_OFFSET + 1, "default": 1},
    description="Another way to say `offset`, which wins over it: `(page - 1) * limit`.",
)

HEADERS: dict[str, Any] = {
    "X-Request-ID": {
        "description": "The id of this request: yours, if you sent a sane one, else a new one.",
        "required": True,
        "schema": {"type": "string"},
        "example": "0f8fad5bd9cb469fa16570867728950e",
    },
    "RateLimit-Policy": {
        "description": "The window that this request counted in: `q` requests in `w` seconds.",
        "schema": {"type": "string"},
        "example": '"creates";q=60;w=60',
    },
    "RateLimit": {
        "description": "What is left of it: `r` requests; the next one is free in `t` seconds.",
        "schema": {"type": "string"},
        "example": '"creates";r=59;t=1',
    },
    "Retry-After": {
        "description": "When to try again, in seconds.",
        "schema": {"type": "integer", "minimum": 1},
        "example": 2,
    },
    "WWW-Authenticate": {
        "description": "The scheme to authenticate with.",
        "schema": {"type": "string"},
        "example": "Bearer",
    },
}
ALWAYS = ("X-Request-ID", "RateLimit-Policy", "RateLimit")


class PageSerializer(serializers.Serializer[Any]):
    """What is around the results of a list."""

    success = TrueField()
    count = serializers.IntegerField(min_value=0, help_text="Exact up to 10,000.")
    count_is_capped = serializers.BooleanField(help_text="Whether there are more than `count`.")
    next = serializers.URLField(
        allow_null=True, help_text="The next older page: a link with a cursor, to be used as it is."
    )
    previous = serializers.URLField(allow_null=True, help_text="The next newer page.")


def operation(
    operation_id: str,
    *,
    fails: Iterable[ErrorExample] = (),
    also: Mapping[str, str] | None = None,
    alone: Iterable[int] = (),
    **described: Any,
) -> Decorator:
    """``extend_schema`` plus the errors of this endpoint alone.

    ``also`` gives the operation ids of further paths that lead to the same method. Of the statuses
    ``alone`` it has the errors of ``fails`` and none of those that others have.
    """
    extensions = {ERRORS: list(fails), IDS: dict(also or {}), ALONE: list(alone)}
    return extend_schema(operation_id=operation_id, extensions=extensions, **described)


def header(name: str, text: str, statuses: Sequence[int], schema: dict[str, Any]) -> Any:
    """A response header of some statuses of one endpoint."""
    return OpenApiParameter(
        name,
        schema,
        OpenApiParameter.HEADER,
        description=text,
        response=[str(status) for status in statuses],
    )


def idempotency_key(text: str) -> OpenApiParameter:
    """The request header; ``text`` says what a key is for."""
    return OpenApiParameter(
        "Idempotency-Key",
        # a blank at an end would not survive HTTP
        {"type": "string", "pattern": "^[!-~]([ -~]{0,253}[!-~])?$"},
        OpenApiParameter.HEADER,
        description=f"1 to 255 printable characters of your choice, {text}",
    )


REPLAYED = header(
    "Idempotent-Replayed",
    "`true` when this is the answer of an earlier request with the same key.",
    [201],
    {"type": "string", "const": "true"},
)


class ContractSchema(AutoSchema):
    """Adds what every endpoint of the contract has."""

    def get_operation(
        self, path: str, path_regex: str, path_prefix: str, method: str, registry: Any
    ) -> dict[str, Any] | None:
        """drf-spectacular's hook: one operation as JSON."""
        found = super().get_operation(path, path_regex, path_prefix, method, registry)
        if found is None:
            return None
        document: dict[str, Any] = found
        own: list[ErrorExample] = document.pop(ERRORS, [])
        document["operationId"] = document.pop(IDS, {}).get(path, document["operationId"])
        body = document.get("requestBody")
        if body and "application/json" not in body["content"]:  # there a serializer decides
            body["required"] = True
        responses = document["responses"]
        for response in responses.values():
            response["headers"] = _references(ALWAYS) | response.get("headers", {})
        alone: list[int] = document.pop(ALONE, [])
        responses |= _answers(own, [each for each in self._general(document) if each not in alone])
        document["responses"] = dict(sorted(responses.items()))
        return document

    def _general(self, document: dict[str, Any]) -> list[int]:
        """The statuses that follow from what kind of request it is."""
        found = [429, 500, 503]
        places = {parameter["in"] for parameter in document.get("parameters", [])}
        if "requestBody" in document:
            found += [400, 415]
        elif "query" in places:
            found.append(400)
        if self.method == "POST":
            found += [408, 413]
        if {} not in document.get("security", []):
            found += [401, 403]
        if "path" in places:
            found.append(404)
        if not issubclass(self.view.content_negotiation_class, AnyAccept):
            found.append(406)
        return found


def add_shared_parts(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """drf-spectacular's hook for the finished document: what the operations refer to."""
    components = result["components"]
    components["schemas"]["Error"] = error_examples.SCHEMA
    components["headers"] = HEADERS
    components["responses"] = {
        _name(status): _answer(status, found) for status, found in error_examples.GENERAL.items()
    }
    return result


def _answers(own: Iterable[ErrorExample], general: Iterable[int]) -> dict[str, Any]:
    """The error answers by status: a reference, unless the endpoint has examples of its own."""
    answers = {
        str(status): {"$ref": f"#/components/responses/{_name(status)}"} for status in general
    }
    for status in {each.status for each in own}:
        shared = error_examples.GENERAL[status] if str(status) in answers else []
        mine = [each for each in own if each.status == status]
        answers[str(status)] = _answer(status, [*mine, *shared])
    return answers


def _answer(status: int, found: Sequence[ErrorExample]) -> dict[str, Any]:
    names = {"X-Request-ID": None} | dict.fromkeys(name for f in found for name in f.headers)
    if status in error_examples.AFTER_THROTTLING:
        names |= dict.fromkeys(ALWAYS)
    return {
        "description": HTTPStatus(status).phrase,
        "headers": _references(names),
        "content": {
            "application/json": {
                "schema": {"$ref": "#/components/schemas/Error"},
                "examples": {f.name: {"summary": f.summary, "value": f.body} for f in found},
            }
        },
    }


def _references(names: Iterable[str]) -> dict[str, Any]:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def _name(status: int) -> str:
    return HTTPStatus(status).phrase.title().replace(" ", "")
