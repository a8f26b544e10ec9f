"""The operators' page about the catalog: what is sold, and for how much."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.conf import settings
from django.contrib import admin
from django.db import transaction
from django.http import HttpRequest

from generation.models import CatalogModel
from generation.offer import catalog
from staff.pages.base import StaffAdmin
from staff.pages.forms import ReasonForm

if TYPE_CHECKING:  # the class takes a parameter in the stubs alone
    ModelForm = forms.ModelForm[CatalogModel]
else:
    ModelForm = forms.ModelForm

MOST_CREDITS = 1_000_000
MOST_SECONDS = 3600


class CatalogForm(ModelForm, ReasonForm):
    """A model's price and the like, and why they change."""

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        self.fields["reason"].help_text = "Why, for the audit log."  # it is about no customer

    def clean_price(self) -> int:
        return self._between("price", 1, MOST_CREDITS, "credits")

    def clean_expected_seconds(self) -> int:
        return self._between("expected_seconds", 1, MOST_SECONDS, "seconds")

    def clean_first_poll_seconds(self) -> int:
        return self._between("first_poll_seconds", 0, MOST_SECONDS, "seconds")

    def clean_provider_model(self) -> str:
        """May be empty only if the settings name one. Raises ValidationError."""
        value: str = self.cleaned_data["provider_model"].strip()
        if not value and self.instance.name not in settings.PROVIDER_MODELS:
            raise forms.ValidationError("The settings name none for this model")
        if any(letter.isspace() or letter == "/" for letter in value):
            raise forms.ValidationError("An id of the provider's has no blanks and no slashes")
        return value

    def clean(self) -> dict[str, Any]:
        """A video needs the estimate for orders with images, too."""
        values = super().clean() or {}
        video = self.instance.kind == CatalogModel.Kind.VIDEO
        if video and not values.get("estimated_time_with_images"):
            self.add_error("estimated_time_with_images", "This field is required for a video")
        return values

    def _between(self, name: str, least: int, most: int, unit: str) -> int:
        value: int = self.cleaned_data[name]
        if not least <= value <= most:
            raise forms.ValidationError(f"Must be {least:,} to {most:,} {unit}")
        return value


@admin.register(CatalogModel)
class CatalogModelAdmin(StaffAdmin):
    """A change is in force within a second. A generation keeps the price it was ordered at.

    A model is added by a migration, since emulator, documentation and tests have to know it. It is
    never deleted, since generations point to it. It is switched off or retires instead.
    """

    form = CatalogForm
    list_display = ("name", "kind", "quality", "price", "enabled", "provider_model", "retires_at")
    ordering = ("position", "name")
    readonly_fields = ("name", "kind", "quality", "aliases", "shapes")
    fieldsets = (
        (None, {"fields": ("name", "kind", "quality", "aliases", "shapes")}),
        ("Sale", {"fields": ("price", "enabled", "retires_at", "position")}),
        (
            "What customers are told",
            {"fields": ("estimated_time", "estimated_time_with_images", "expected_seconds")},
        ),
        (
            "The provider",
            {
                "fields": (
                    *("provider_model", "first_poll_seconds"),
                    *("submits_per_minute", "max_open_operations"),
                )
            },
        ),
        ("Why", {"fields": ("reason",)}),
    )

    def save_model(self, request: HttpRequest, obj: CatalogModel, form: Any, change: bool) -> None:
        """Forget the catalog as this process knew it. Other processes read it within a second."""
        super().save_model(request, obj, form, change)
        transaction.on_commit(catalog.sold.clear)

    def get_fieldsets(self, request: HttpRequest, obj: CatalogModel | None = None) -> Any:
        """Without the reason for a person who may not change anything."""
        found = super().get_fieldsets(request, obj)
        return found if self.has_change_permission(request, obj) else found[:-1]
