"""What a video model can do, and what each of it costs, as fields."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanWidget,
)

from generation.backends.capabilities import CAPABILITIES
from generation.models import CatalogModel
from generation.offer import pricing

MOST_CREDITS = 1_000_000
# What any backend can do
SECONDS = sorted({each for backend in CAPABILITIES.values() for each in backend.durations})
RESOLUTIONS = ("720p", "1080p", "4k")
IMAGES = ("1", "2", "3")
# The fields that are cells of the table of prices
CELLS = {
    f"price_{resolution}_{sound}": (resolution, sound)
    for resolution in RESOLUTIONS
    for sound in (pricing.AUDIO, pricing.SILENT)
}
# The fields that say where fewer lengths are possible, and the key of theirs in the abilities
LIMITS = {f"durations_at_{each}": ("durations_by_resolution", each) for each in RESOLUTIONS}
LIMITS |= {f"durations_with_{each}": ("durations_by_images", each) for each in IMAGES}


class SecondsField(forms.CharField):
    """``4, 6, 8``; blank = no limit."""

    def __init__(self, **named: Any) -> None:
        super().__init__(required=False, widget=UnfoldAdminTextInputWidget(), **named)

    def prepare_value(self, value: Any) -> Any:
        return ", ".join(map(str, value)) if isinstance(value, list) else value

    def has_changed(self, initial: Any, data: Any) -> bool:
        return super().has_changed(self.prepare_value(initial), self.prepare_value(data))

    def clean(self, value: Any) -> Any:
        """The numbers, sorted, each once. Raises ValidationError."""
        parts = [each.strip() for each in str(self.prepare_value(value) or "").split(",")]
        if parts == [""]:
            return []
        if not all(each.isdecimal() and int(each) in SECONDS for each in parts):
            most = f"{SECONDS[0]} to {SECONDS[-1]}"
            raise ValidationError(f"Must be numbers from {most} with commas, such as 4, 6, 8")
        return sorted({int(each) for each in parts})


def _cell(resolution: str, sound: str) -> forms.IntegerField:
    return forms.IntegerField(
        required=False,
        min_value=1,
        max_value=MOST_CREDITS,
        label=f"{resolution}, {'with sound' if sound == pricing.AUDIO else 'silent'}",
        widget=UnfoldAdminIntegerFieldWidget(),
    )


def _ticks(choices: list[tuple[Any, str]], coerce: Any, **named: Any) -> forms.Field:
    return forms.TypedMultipleChoiceField(
        choices=choices,
        coerce=coerce,
        widget=UnfoldAdminCheckboxSelectMultipleWidget(),
        **named,
    )


class AbilitiesForm(forms.Form):
    """All lengths in seconds, all prices in credits for 8 seconds."""

    durations = _ticks(
        [(each, f"{each} s") for each in SECONDS], int, label="Lengths", help_text="On sale."
    )
    default_duration = forms.IntegerField(
        label="Default length", widget=UnfoldAdminIntegerFieldWidget()
    )
    durations_at_720p = SecondsField(label="Lengths at 720p", help_text="Blank = all of them.")
    durations_at_1080p = SecondsField(label="Lengths at 1080p")
    durations_at_4k = SecondsField(label="Lengths at 4k")
    durations_with_1 = SecondsField(label="Lengths with 1 source image")
    durations_with_2 = SecondsField(label="Lengths with 2 source images")
    durations_with_3 = SecondsField(label="Lengths with 3 source images")
    resolutions = _ticks(
        [(each, each) for each in RESOLUTIONS], str, help_text="The first one is the default."
    )
    audio = forms.ChoiceField(
        label="Sound",
        choices=[(each, each) for each in ("optional", "always", "never")],
        widget=UnfoldAdminSelectWidget(),
    )
    seed_max = forms.IntegerField(
        label="Largest seed",
        required=False,
        min_value=0,
        widget=UnfoldAdminIntegerFieldWidget(),
        help_text="Empty: it takes none.",
    )
    negative_prompt = forms.BooleanField(
        label="Takes a negative prompt", required=False, widget=UnfoldBooleanWidget()
    )
    max_images = forms.IntegerField(
        label="Source images, at most",
        min_value=0,
        max_value=len(IMAGES),
        widget=UnfoldAdminIntegerFieldWidget(),
    )
    price_720p_audio = _cell("720p", pricing.AUDIO)
    price_720p_silent = _cell("720p", pricing.SILENT)
    price_1080p_audio = _cell("1080p", pricing.AUDIO)
    price_1080p_silent = _cell("1080p", pricing.SILENT)
    price_4k_audio = _cell("4k", pricing.AUDIO)
    price_4k_silent = _cell("4k", pricing.SILENT)

    def cells_of(self, row: CatalogModel) -> dict[str, Any]:
        """The fields' values as the row has them; what is not on sale may have a price, too."""
        able, prices = row.able, pricing.cells(row)
        values: dict[str, Any] = {
            "durations": list(able.durations),
            "default_duration": able.default_duration,
            "resolutions": list(able.resolutions),
            "audio": able.audio,
            "seed_max": able.seed_max,
            "negative_prompt": able.negative_prompt,
            "max_images": able.max_images,
        }
        for name, (key, each) in LIMITS.items():
            values[name] = (row.abilities.get(key) or {}).get(each, [])
        for name, cell in CELLS.items():
            values[name] = prices.get(cell)
        return values

    def abilities(self, values: dict[str, Any]) -> dict[str, Any]:
        """The column of the fields' values."""
        found: dict[str, Any] = {
            "durations": sorted(values["durations"]),
            "default_duration": values["default_duration"],
            "durations_by_resolution": {},
            "durations_by_images": {},
            "resolutions": [each for each in RESOLUTIONS if each in values["resolutions"]],
            "audio": values["audio"],
            "seed_max": values["seed_max"],
            "negative_prompt": values["negative_prompt"],
            "max_images": values["max_images"],
        }
        for name, (key, each) in LIMITS.items():
            if values[name]:
                found[key][each] = values[name]
        return found
