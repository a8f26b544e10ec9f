"""The filters of a gallery. They stand in the address, so they may hold anything."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.models import Account, ApiKey
from generation.models import CatalogModel
from generation.models.states import PUBLIC_STATUSES, states_of

ALL = ("", _("All"))
KINDS = {"video": _("Videos"), "image": _("Images")}
STATUSES = {
    "processing": _("Processing"),
    "completed": _("Completed"),
    "failed": _("Failed"),
    "canceled": _("Canceled"),
}
WITHOUT_KEY = "none"
MOST_KEYS = 100  # of which 20 are live


class GalleryFilters(forms.Form):
    """It can be shown, valid or not. A value that is no choice fits no generation."""

    kind = forms.ChoiceField(label=_("Kind"), required=False)
    status = forms.ChoiceField(label=_("Status"), required=False)
    model = forms.ChoiceField(label=_("Model"), required=False)
    key = forms.ChoiceField(label=_("API key"), required=False)

    @classmethod
    def of(cls, account: Account, sent: Any) -> GalleryFilters:
        """The filters, with the choices of this account."""
        form = cls(sent)
        keys = account.api_keys.keys().order_by("-created_at", "-id")
        choices = {
            "kind": KINDS.items(),
            "status": [(status, STATUSES[status]) for status in PUBLIC_STATUSES],
            "model": [(name, name) for name in CatalogModel.objects.values_list("pk", flat=True)],
            "key": [
                (WITHOUT_KEY, _("Without a key")),
                *((str(key.pk), _shown(key)) for key in keys[:MOST_KEYS]),
            ],
        }
        for name, values in choices.items():
            field: Any = form.fields[name]
            field.choices = [ALL, *values]
        return form

    @property
    def is_used(self) -> bool:
        """Whether any filter has a value, be it a choice or not."""
        return any(self.data.get(name) for name in self.fields)

    def condition(self) -> dict[str, Any] | None:
        """Lookups for ``gallery_list``; empty without a filter, None when nothing can fit."""
        if not self.is_valid():
            return None
        chosen = self.cleaned_data
        found: dict[str, Any] = {name: chosen[name] for name in ("kind", "model") if chosen[name]}
        if chosen["status"]:
            found["state__in"] = states_of(chosen["status"])
        if chosen["key"] == WITHOUT_KEY:
            found["made_with__isnull"] = True
        elif chosen["key"]:
            found["made_with"] = chosen["key"]
        return found


def _shown(key: ApiKey) -> str:
    """The label of a key. Two keys may have the same name."""
    name = key.name or gettext("Without a name")
    return f"{name} ({key.preview})"
