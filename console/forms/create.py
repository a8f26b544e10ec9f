"""The playground's fields, and the body that they make for the API's own validation.

Nothing is judged here. A field offers what may be chosen; ``generation/api/ordering.py`` says what
is valid. The names are the contract's, so that each fault finds its field.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from generation.models import CatalogModel

MODEL, IMAGES = "video_model", "source_image_urls"
# A page shows those of them that the chosen model has, and keeps what was typed into the others.
OPTIONS = (
    *("aspect_ratio", "size", "resolution", "duration", "generate_audio"),
    *("seed", "negative_prompt"),
)
TYPED = ("prompt", *OPTIONS)
WHOLE = re.compile(r"[+-]?\d{1,30}", re.ASCII)
SOUND = {"true": True, "false": False}

# For fields that change no price: only the shown code is replaced, never the field with the focus.
QUIETLY = {
    "hx-target": "#code",
    "hx-swap": "outerHTML",
    "hx-trigger": "input changed delay:600ms",
}

Choices = Sequence[tuple[str, str]]


class CreateForm(forms.Form):
    """``values`` are texts, as typed or as first shown. ``address`` says what they cost."""

    prompt = forms.CharField(
        label=gettext_lazy("Prompt"),
        required=False,
        strip=False,
        # no maxlength: browsers cut off a longer text that is pasted, and say nothing
        widget=forms.Textarea(attrs={"rows": 5, "required": ""}),
    )

    def __init__(
        self, model: CatalogModel, images: Sequence[str], values: Mapping[str, str], address: str
    ) -> None:
        super().__init__(dict(values))
        choices, texts = _choices(model, values, len(images)), _texts(model)
        for name in OPTIONS:
            if name in choices:
                self.fields[name] = _chosen(name, choices[name])
            elif name in texts:
                self.fields[name] = texts[name]
                self.fields[name].widget.attrs |= {"hx-post": address, **QUIETLY}
            elif values.get(name):
                self.fields[name] = forms.CharField(required=False, widget=forms.HiddenInput)
        self.fields["prompt"].widget.attrs |= {"hx-post": address, **QUIETLY}

    def options(self) -> list[forms.BoundField]:
        """The fields of what the model can be asked for besides the prompt."""
        return [each for each in self.visible_fields() if each.name != "prompt"]


def body_of(
    model: CatalogModel, values: Mapping[str, str], images: Sequence[str]
) -> dict[str, Any]:
    """The fields of a create as a program would send them; empty ones are left out."""
    body: dict[str, Any] = {"prompt": _lines(values.get("prompt", "")).strip()}
    if model.kind == CatalogModel.Kind.VIDEO:
        body[MODEL] = model.name
    offered = _choices(model, values, len(images)).keys() | _texts(model).keys()
    for name in OPTIONS:
        text = _lines(values.get(name, "")).strip()
        if text and name in offered:
            body[name] = _value(name, text)
    if images and model.able.max_images:
        body[IMAGES] = list(images)
    return body


def texts_of(parameters: Mapping[str, Any]) -> dict[str, str]:
    """The reverse of ``body_of``: the parameters as they would be typed."""
    shown = {name: value for name in OPTIONS if (value := parameters.get(name)) is not None}
    return {
        name: str(value).lower() if isinstance(value, bool) else str(value)
        for name, value in shown.items()
    }


def _lines(text: str) -> str:
    """Browsers send each end of a line as two characters, which the page counts as one."""
    return text.replace("\r\n", "\n")


def _value(name: str, text: str) -> Any:
    """A number or a switch as such. Any other text stays a text, and the API refuses it."""
    if name in ("duration", "seed") and WHOLE.fullmatch(text):
        return int(text)
    return SOUND.get(text, text) if name == "generate_audio" else text


def _choices(model: CatalogModel, values: Mapping[str, str], images: int) -> dict[str, Choices]:
    if model.kind == CatalogModel.Kind.IMAGE:
        return {"size": [(each, each) for each in model.shapes]}
    able = model.able
    resolution = values.get("resolution") or able.resolutions[0]
    durations = able.durations_with(resolution, images) or able.durations
    found: dict[str, Choices] = {
        "aspect_ratio": [(each, each) for each in model.shapes],
        "resolution": [(each, each) for each in able.resolutions],
        "duration": [(str(each), _seconds(each)) for each in durations],
    }
    if able.audio == "optional":
        found["generate_audio"] = [("true", _("With sound")), ("false", _("Without sound"))]
    return found


def _seconds(count: int) -> str:
    return ngettext("%(n)s second", "%(n)s seconds", count) % {"n": count}


def _chosen(name: str, choices: Choices) -> forms.Field:
    """A choice that Django does not check: the API's rules judge what comes."""
    labels = {
        "aspect_ratio": _("Aspect ratio"),
        "size": _("Size"),
        "resolution": _("Resolution"),
        "duration": _("Duration"),
        "generate_audio": _("Sound"),
    }
    return forms.CharField(
        label=labels[name],
        required=False,
        widget=forms.Select(choices=choices),
    )


def _texts(model: CatalogModel) -> dict[str, forms.Field]:
    found: dict[str, forms.Field] = {}
    if model.kind == CatalogModel.Kind.IMAGE:
        return found
    if (most := model.able.seed_max) is not None:
        found["seed"] = forms.CharField(
            label=_("Seed"),
            required=False,
            help_text=_("A whole number from 0 to %(most)s, or nothing.") % {"most": most},
            widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
        )
    if model.able.negative_prompt:
        found["negative_prompt"] = forms.CharField(
            label=_("Leave out"),
            required=False,
            strip=False,
            help_text=_("What should not be in the video: its negative prompt."),
            widget=forms.Textarea(attrs={"rows": 2}),
        )
    return found
