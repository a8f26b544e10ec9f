"""The OpenAPI document, and whether an answer is what it foresees."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from functools import cache
from typing import Any

import httpx
import jsonschema
from drf_spectacular.generators import SchemaGenerator

from config.served_schema import ServedSchemaView


@cache
def document() -> dict[str, Any]:
    schema = SchemaGenerator().get_schema(request=None, public=True)
    plain: dict[str, Any] = json.loads(json.dumps(schema))
    return plain


def operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in document()["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


def resolved(node: dict[str, Any]) -> dict[str, Any]:
    found = node
    while "$ref" in found:
        place = document()
        for part in found["$ref"].removeprefix("#/").split("/"):
            place = place[part]
        found = place
    return found


def served() -> dict[str, Any]:
    """As it is answered: with the values that the catalog allows now."""
    return ServedSchemaView().completed(copy.deepcopy(document()))


def validator(
    schema: dict[str, Any], within: dict[str, Any] | None = None
) -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(
        schema | {"components": (within or document())["components"]},
        format_checker=jsonschema.FormatChecker(),
    )


def keys(component: str) -> set[str]:
    return set(document()["components"]["schemas"][component]["properties"])


def fits(answer: httpx.Response, path: str, status: int) -> Any:
    """Assert that the document foresees this answer, body and headers; return the body."""
    operation = document()["paths"][path][answer.request.method.lower()]
    assert answer.status_code == status, answer.text
    response = resolved(operation["responses"][str(status)])
    for name in response["headers"]:
        if resolved(response["headers"][name]).get("required"):
            assert name in answer.headers
    if "content" not in response:
        assert answer.content == b""
        return None
    media_type = answer.headers["Content-Type"].partition(";")[0]
    schema = response["content"][media_type]["schema"]
    if media_type != "application/json":
        assert schema == {"type": "string", "format": "binary"}
        return answer.content
    validator(schema).validate(answer.json())
    return answer.json()
