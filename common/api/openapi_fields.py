"""How the OpenAPI document says what our own fields take: null means absent, texts are exact."""

from __future__ import annotations

from typing import Any

from django.core.validators import EmailValidator, RegexValidator
from drf_spectacular.extensions import OpenApiSerializerFieldExtension

from common.fetchable import MAX_URL_LENGTH

# JSON Schema's regular expressions and Python's do not agree on what a blank is.
NOT_BLANK = r"^[^\u0000]*[^\s\u0000\u001c-\u001f\u0085][^\u0000]*$"
NO_NUL = r"^[^\u0000]*$"
RULES = (EmailValidator, RegexValidator)
# It cannot tell whether a host that ends in a number is a public address, or is ours.
WEBHOOK_URL = (
    r"^https://([A-Za-z0-9_-]{1,63}\.)*[A-Za-z][A-Za-z0-9_-]{0,62}"
    r"(:(443|8443))?([/?#][!-~]*)?$"
)


def nullable(schema: dict[str, Any]) -> dict[str, Any]:
    if isinstance(schema.get("type"), str):
        schema = schema | {"type": [schema["type"], "null"]}
    if "enum" in schema:
        schema = schema | {"enum": [*schema["enum"], None]}
    return schema


class TextExtension(OpenApiSerializerFieldExtension):  # its registration hook is not annotated
    """``StrictCharField``: null means absent, NUL is refused, a required text is not blank."""

    target_class = "common.api.fields.StrictCharField"
    match_subclasses = True

    def map_serializer_field(self, auto_schema: Any, direction: str) -> dict[str, Any]:
        field = self.target
        schema: dict[str, Any] = auto_schema._map_serializer_field(
            field, direction, bypass_extensions=True
        )
        if not field.required:
            return schema if field.allow_null else nullable(schema)
        schema.setdefault("minLength", 1)
        # drf-spectacular adds the patterns of validators, but replaces none
        if not any(isinstance(validator, RULES) for validator in field.validators):
            schema["pattern"] = NOT_BLANK if field.trim_whitespace else NO_NUL
        return schema


class WebhookUrlExtension(OpenApiSerializerFieldExtension):  # as above
    """``WebhookUrlField``, as far as a regular expression can tell."""

    target_class = "common.api.fields.WebhookUrlField"
    priority = 1  # before the one of its base class

    def map_serializer_field(self, auto_schema: Any, direction: str) -> dict[str, Any]:
        schema = {"type": "string", "maxLength": MAX_URL_LENGTH, "pattern": WEBHOOK_URL}
        return schema if self.target.required else nullable(schema)


class IntegerExtension(OpenApiSerializerFieldExtension):  # as above
    """``StrictIntegerField``: a fraction of zero makes no difference to JSON Schema either."""

    target_class = "common.api.fields.StrictIntegerField"

    def map_serializer_field(self, auto_schema: Any, direction: str) -> dict[str, Any]:
        schema: dict[str, Any] = auto_schema._map_serializer_field(
            self.target, direction, bypass_extensions=True
        )
        return schema if self.target.required else nullable(schema)


class BooleanExtension(OpenApiSerializerFieldExtension):  # as above
    target_class = "common.api.fields.StrictBooleanField"

    def map_serializer_field(self, auto_schema: Any, direction: str) -> dict[str, Any]:
        required = self.target.required or self.target.allow_null
        return {"type": "boolean"} if required else nullable({"type": "boolean"})


class MomentExtension(OpenApiSerializerFieldExtension):  # as above
    target_class = "common.api.fields.StrictDateTimeField"

    def map_serializer_field(self, auto_schema: Any, direction: str) -> dict[str, Any]:
        schema = {"type": "string", "format": "date-time"}
        return schema if self.target.allow_null else nullable(schema)
