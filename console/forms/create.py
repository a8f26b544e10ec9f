"""The playground's fields, and what they ask the API's own validation for.

Nothing is judged here: a field says what may be chosen, ``generation/api/ordering.py`` what is
valid. The names are the contract's, so that its faults find their fields.
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
# of which a page shows what the chosen model has; what is typed into the others is kept
OPTIONS = (
    *("aspect_ratio", "size", "resolution", "duration", "generate_audio"),
    *("seed", "negative_prompt"),
)
TYPED = ("prompt", *OPTIONS)
WHOLE = re.compile(r"[+-]?\d{1,30}", re.ASCII)
SOUND = {"true": True, "false": False}

# what changes no price: the code that is shown follows, and nothing that has the focus is replaced
QUIETLY = {
    "hx-target": "#code",
    "hx-swap": "outerHTML",
    "hx-trigger": "input changed delay:600ms",
}

Choices = Sequence[tuple[str, str]]


class CreateForm(forms.Form):
    """``values`` are texts, as typed or as shown first; ``address`` answers what they cost."""

    prompt = forms.CharField(
        label=gettext_lazy("Prompt"),
        required=False,
        strip=False,
        # no maxlength: a browser would cut off what is pasted, without a word
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
        """What the model can be asked for besides the prompt."""
        return [each for each in self.visible_fields() if each.name != "prompt"]


def body_of(
    model: CatalogModel, values: Mapping[str, str], images: Sequence[str]
) -> dict[str, Any]:
    """The fields of a create, as a program would send them; what is left empty is absent."""
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
    """The other way round: what is asked for, as it would be typed."""
    shown = {name: value for name in OPTIONS if (value := parameters.get(name)) is not None}
    return {
        name: str(value).lower() if isinstance(value, bool) else str(value)
        for name, value in shown.items()
    }


def _lines(text: str) -> str:
    """Browsers send each end of a line as two characters, which the page counts as one."""
    return text.replace("\r\n", "\n")


def _value(name: str, text: str) -> Any:
    """A number or a switch as such; what is none stays a text, and the API says so."""
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
    """A choice without a check of Django's: whatever comes is judged by the API's rules."""
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
