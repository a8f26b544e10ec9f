"""What the operators' site has of this app."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.http import HttpRequest

from generation.generation_admin import GenerationAdmin
from generation.models import CatalogModel
from generation.orphan_admin import OrphanAdmin

if TYPE_CHECKING:  # only the stubs' classes take parameters
    CatalogPages = admin.ModelAdmin[CatalogModel]
else:
    CatalogPages = admin.ModelAdmin

__all__ = ["CatalogModelAdmin", "GenerationAdmin", "OrphanAdmin"]


@admin.register(CatalogModel)
class CatalogModelAdmin(CatalogPages):
    """What is sold, and for how much; a generation keeps the price it was made at."""

    list_display = ["name", "kind", "quality", "price", "enabled", "provider_model", "retires_at"]

    def get_readonly_fields(self, request: HttpRequest, obj: CatalogModel | None = None) -> Any:
        """A new name would make a second model, another kind would not fit its generations."""
        return () if obj is None else ("name", "kind")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never: generations point to it. Switch it off instead."""
        return False
