"""The OpenAPI document with the values that the catalog's rows allow today.

A document that is written without a database has plain texts and numbers in their places.
"""

from __future__ import annotations

import json
from collections.abc import Hashable, Iterable
from typing import Any

from common.api.openapi_fields import nullable
from common.api.schema_view import SchemaView
from generation.models import CatalogModel
from generation.offer import catalog

REQUESTS = ("VideoRequest", "ImageRequest", "QuoteRequest")


class CatalogSchemaView(SchemaView):
    def version(self) -> Hashable:
        rows = [[row.name, row.kind, row.shapes, row.abilities] for row in catalog.on_sale()]
        return json.dumps(rows)

    def completed(self, schema: dict[str, Any]) -> dict[str, Any]:
        """The document with lists of values for what a create and a quote take."""
        allowed = _allowed(catalog.on_sale())
        for name in REQUESTS:
            properties = schema["components"]["schemas"][name]["properties"]
            for field in properties.keys() & allowed:
                properties[field] |= nullable(allowed[field])
        return schema


def _allowed(models: list[CatalogModel]) -> dict[str, dict[str, Any]]:
    """The values of each field that any model takes."""
    videos = [model for model in models if model.kind == CatalogModel.Kind.VIDEO]
    images = [model for model in models if model.kind == CatalogModel.Kind.IMAGE]
    able = [model.able for model in videos]
    seeds = [each.seed_max for each in able if each.seed_max is not None]
    return {
        "type": _one_of(CatalogModel.Kind.values),
        "video_model": _one_of(model.name for model in videos),
        "aspect_ratio": _one_of(shape for model in videos for shape in model.shapes),
        "size": _one_of(shape for model in images for shape in model.shapes),
        "duration": _one_of((each for row in able for each in row.durations), "integer"),
        "resolution": _one_of(each for row in able for each in row.resolutions),
        "seed": {"type": "integer", "minimum": 0, "maximum": max(seeds, default=0)},
    }


def _one_of(values: Iterable[Any], kind: str = "string") -> dict[str, Any]:
    """A list of values, each once, in the catalog's order."""
    return {"type": kind, "enum": list(dict.fromkeys(values))}
