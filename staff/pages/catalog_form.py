"""A model of the catalog as fields, for the operators' page and for ``manage.py catalog``."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from unfold.widgets import UnfoldAdminSelectWidget

from generation.backends.capabilities import CAPABILITIES
from generation.models import CatalogModel
from generation.models.abilities import Abilities
from generation.offer import pricing
from generation.offer.fit import misfits
from staff.pages.abilities_form import CELLS, LIMITS, AbilitiesForm
from staff.pages.forms import ReasonForm

if TYPE_CHECKING:  # the class takes a parameter in the stubs alone
    ModelForm = forms.ModelForm[CatalogModel]
else:
    ModelForm = forms.ModelForm

MOST_CREDITS = 1_000_000
MOST_SECONDS = 3600
MOST_SUBMITS = 10_000  # a minute, of one model
OWN = frozenset(AbilitiesForm.base_fields)  # which are no columns
JSON_COLUMNS = ("price", "prices", "abilities")  # which they are kept in
SETTINGS_ARE_OF = "vertex"  # whose ids PROVIDER_MODELS has


class CatalogForm(ModelForm, AbilitiesForm, ReasonForm):
    """What is sold, who makes it, for how much, and why that changes.

    A video's prices are cells; the one of its first resolution with its default sound is the
    column ``price``. An image has that alone.
    """

    backend = forms.ChoiceField(
        choices=[(name, name) for name in CAPABILITIES], widget=UnfoldAdminSelectWidget()
    )

    class Meta:
        model = CatalogModel
        fields = (
            *("price", "enabled", "backend", "location"),
            *("provider_model", "provider_model_fallback", "submits_per_minute"),
        )

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        self.fields["reason"].help_text = "Why, for the audit log."  # it is about no customer
        self._before = {name: deepcopy(getattr(self.instance, name)) for name in JSON_COLUMNS}
        self._is_video = self.instance.kind == CatalogModel.Kind.VIDEO
        for name in ["price"] if self._is_video else OWN:
            self.fields.pop(name, None)
        if self._is_video:
            self.initial = {**self.initial, **self.cells_of(self.instance)}

    @property
    def changed_data(self) -> list[str]:
        """The columns that change; Django's form would name fields."""
        others = [
            name for name in super().changed_data if name not in (*OWN, *JSON_COLUMNS, "reason")
        ]
        now = {name: getattr(self.instance, name) for name in JSON_COLUMNS}
        return others + [name for name in JSON_COLUMNS if now[name] != self._before[name]]

    def clean_price(self) -> int:
        return self._between("price", 1, MOST_CREDITS, "credits")

    def clean_expected_seconds(self) -> int:
        return self._between("expected_seconds", 1, MOST_SECONDS, "seconds")

    def clean_first_poll_seconds(self) -> int:
        return self._between("first_poll_seconds", 0, MOST_SECONDS, "seconds")

    def clean_submits_per_minute(self) -> int:
        return self._between("submits_per_minute", 1, MOST_SUBMITS, "a minute")

    def clean_provider_model(self) -> str:
        return _checked_id(self.cleaned_data["provider_model"])

    def clean_provider_model_fallback(self) -> str:
        return _checked_id(self.cleaned_data["provider_model_fallback"])

    def clean_location(self) -> str:
        """Raises ValidationError for what cannot be a part of an address."""
        value: str = self.cleaned_data["location"].strip()
        if value and not value.replace("-", "").isalnum():
            raise ValidationError("A location is like us-central1")
        return value.lower()

    def clean(self) -> dict[str, Any]:
        """Whether the backend can do it all, and each combination on sale has its price."""
        values = super().clean() or {}
        told = "estimated_time_with_images"
        if self._is_video and told in self.fields and not values.get(told):
            self.add_error(told, "This field is required for a video")
        row = self.instance
        for name in ("backend", "location"):
            setattr(row, name, values.get(name, getattr(row, name)))
        self._judge_ids(values)
        able = Abilities()
        if self._is_video and not OWN & set(self.errors):
            row.abilities = row.abilities | self.abilities(values)
            row.__dict__.pop("able", None)  # as it was read
            able = row.able
            self._price(values, able)
        if not self.errors:
            for name, sentence in misfits(row, able).items():
                self.add_error(name, sentence)
        if not self.errors:
            self._ask_the_database()
        return values

    def _price(self, values: dict[str, Any], able: Abilities) -> None:
        """Put the cells into the columns: no number stands twice."""
        row = self.instance
        sold = [(each, sound) for each in able.resolutions for sound in pricing.sounds(row)]
        given = {cell: values[name] for name, cell in CELLS.items() if values.get(name)}
        for name, cell in CELLS.items():
            if cell in sold and cell not in given:
                self.add_error(name, "This is sold, so it needs a price")
        pricing.fill(row, given)

    def _judge_ids(self, values: dict[str, Any]) -> None:
        """Another id than that of the settings is needed where they name none."""
        first = values.get("provider_model", self.instance.provider_model)
        backend = values.get("backend", self.instance.backend)
        if "provider_model" in self.errors:
            return
        if not first and self.instance.name not in settings.PROVIDER_MODELS:
            self.add_error("provider_model", "The settings name none for this model")
        elif not first and backend != SETTINGS_ARE_OF:
            self.add_error("provider_model", f"The settings name ids of {SETTINGS_ARE_OF} alone")
        first = first or settings.PROVIDER_MODELS.get(self.instance.name, "")
        if first and values.get("provider_model_fallback") == first:
            self.add_error("provider_model_fallback", "This is the id that is asked for first")

    def _ask_the_database(self) -> None:
        for rule in CatalogModel._meta.constraints:
            if rule.name == "catalog_row_is_whole":
                try:
                    rule.validate(CatalogModel, self.instance)
                except ValidationError as error:
                    self.add_error(None, error)

    def _between(self, name: str, least: int, most: int, unit: str) -> int:
        value: int = self.cleaned_data[name]
        if not least <= value <= most:
            raise ValidationError(f"Must be {least:,} to {most:,} {unit}")
        return value


def _checked_id(value: str) -> str:
    """Raises ValidationError for what cannot be a part of an address."""
    value = value.strip()
    if any(letter.isspace() or letter == "/" for letter in value):
        raise ValidationError("An id of the provider's has no blanks and no slashes")
    return value


__all__ = ["CELLS", "LIMITS", "CatalogForm"]
