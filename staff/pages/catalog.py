"""The operators' page about the catalog: what is sold, who makes it, and for how much."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone

from generation.models import CatalogModel
from generation.offer import pricing
from generation.provider.standing import standing_of
from staff import catalog
from staff.pages.base import StaffAdmin, display
from staff.pages.catalog_form import CELLS, LIMITS, CatalogForm

TOLD = ("estimated_time", "estimated_time_with_images", "expected_seconds")
SALE = ("enabled", "retires_at", "position")
ABILITIES = (
    ("audio", "negative_prompt"),
    *("resolutions", "durations", "default_duration"),
    tuple(name for name, (key, _) in LIMITS.items() if key == "durations_by_resolution"),
    tuple(name for name, (key, _) in LIMITS.items() if key == "durations_by_images"),
    ("seed_max", "max_images"),
)
CELL_NAMES = tuple(CELLS)
PRICES = tuple(CELL_NAMES[at : at + 2] for at in range(0, len(CELLS), 2))  # a row a resolution
PROVIDER = (
    *("provider_says", ("backend", "location"), ("provider_model", "provider_model_fallback")),
    *("first_poll_seconds", ("submits_per_minute", "max_open_operations")),
)


@admin.register(CatalogModel)
class CatalogModelAdmin(StaffAdmin):
    """A change is in force within a second. A generation keeps the price it was ordered at.

    A model is added by a migration, and never deleted, since generations point to it. It is
    switched off or retires instead.
    """

    form = CatalogForm
    list_display = (
        *("name", "kind", "quality", "price", "enabled", "backend", "provider_model"),
        *("provider_says", "retires_at"),
    )
    list_select_related = ("gate",)
    ordering = ("position", "name")
    readonly_fields = ("name", "kind", "quality", "aliases", "shapes", "provider_says")

    @display(description="Provider")
    def provider_says(self, row: CatalogModel) -> str:
        """What somebody should look at."""
        return "; ".join(standing_of(row, timezone.now()).warnings) or "–"

    @display(description="Abilities")
    def abilities_shown(self, row: CatalogModel) -> str:
        return ", ".join(f"{name}: {value}" for name, value in row.abilities.items()) or "–"

    @display(description="Prices")
    def prices_shown(self, row: CatalogModel) -> str:
        return ", ".join(f"{name}: {value}" for name, value in pricing.prices(row).items()) or "–"

    def save_changes(self, obj: Any, form: Any, change: bool) -> dict[str, Any]:
        """Write the changed columns, and let the model be asked for again."""
        return catalog.save(obj, form.changed_data)

    def get_fieldsets(self, request: HttpRequest, obj: CatalogModel | None = None) -> Any:
        """By the model's kind; without the reason for a person who may not change anything."""
        found: list[Any] = [(None, {"fields": ("name", "kind", "quality", "aliases", "shapes")})]
        video = obj is not None and obj.kind == CatalogModel.Kind.VIDEO
        if not self.has_change_permission(request, obj):
            sold = ("price", "prices_shown", "abilities_shown", *SALE)
            found.append(("Sale", {"fields": sold}))
        elif video:
            eight = "Credits for 8 seconds; shorter and longer ones by the second, rounded up."
            found.append(("Prices", {"fields": PRICES, "description": eight}))
            found.append(("Sale", {"fields": SALE}))
            found.append(("What it can do", {"fields": ABILITIES}))
        else:
            found.append(("Sale", {"fields": ("price", *SALE)}))
        found.append(("What customers are told", {"fields": TOLD}))
        found.append(("The provider", {"fields": PROVIDER}))
        if self.has_change_permission(request, obj):
            found.append(("Why", {"fields": ("reason",)}))
        return found
