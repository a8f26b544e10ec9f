"""The OpenAPI document as it is served: with what is on sale today."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

from generation.api.schema import CatalogSchemaView
from payments.api import schema as packs


class ServedSchemaView(CatalogSchemaView):
    """Adds the packs to the models."""

    def version(self) -> Hashable:
        return (super().version(), *packs.names())

    def completed(self, schema: dict[str, Any]) -> dict[str, Any]:
        """The document with lists of values for what is ordered and bought."""
        packs.complete(schema)
        return super().completed(schema)
