"""The forms of webhook endpoints: making one, changing one, a new secret for one."""

from __future__ import annotations

import uuid
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.models import Account, User
from common import webhook_urls
from events.models import EVERY_TYPE, Type, WebhookEndpoint
from webhooks import keys
from webhooks.endpoints import LONGEST_DESCRIPTION, Changes

TYPES = [
    (str(Type.COMPLETED), _("A generation is completed")),
    (str(Type.FAILED), _("A generation has failed")),
    (str(Type.CANCELED), _("A generation is canceled")),
    (EVERY_TYPE, _("Everything, also what comes later")),
]
KEPT = [
    ("0", _("It ends at once")),
    ("1", _("1 hour")),
    (str(keys.KEEP_HOURS), _("1 day")),
    ("72", _("3 days")),
    (str(keys.MOST_HOURS), _("7 days")),
]


def taken(url: str) -> None:
    """A validator: refuses each URL whose text the API refuses."""
    fault = webhook_urls.check(url)
    if fault is not None:
        raise ValidationError(gettext(fault))


class EndpointForm(forms.Form):
    """Where to send, and what."""

    url = forms.CharField(
        label=_("URL"),
        widget=forms.URLInput(
            attrs={
                "placeholder": "https://example.com/webhooks",
                "maxlength": webhook_urls.MAX_LENGTH,  # ``taken`` has a sentence for it
            }
        ),
        validators=[taken],
        help_text=_("https, on port 443 or 8443. It is not asked for anything now."),
    )
    description = forms.CharField(
        label=_("Description"),
        max_length=LONGEST_DESCRIPTION,
        required=False,
        help_text=_("For you."),
    )
    event_types = forms.MultipleChoiceField(
        label=_("Send when"), choices=TYPES, widget=forms.CheckboxSelectMultiple
    )

    @classmethod
    def of(cls, endpoint: WebhookEndpoint) -> EndpointForm:
        """The form, filled in with the endpoint as it is now."""
        now = {
            "url": endpoint.url,
            "description": endpoint.description,
            "event_types": endpoint.event_types,
        }
        return cls(initial=now)

    def wanted(self) -> Changes:
        """The values for the verbs of ``webhooks/endpoints.py``."""
        values: dict[str, Any] = self.cleaned_data
        return {
            "url": values["url"],
            "description": values["description"],
            "event_types": values["event_types"],
        }


class NewEndpoint(EndpointForm):
    """``form`` is the form's own name. A form that is sent twice makes one endpoint."""

    form = forms.Field(widget=forms.HiddenInput(), initial=uuid.uuid4, required=False)

    @classmethod
    def empty(cls) -> NewEndpoint:
        """A form, filled in with what most people want."""
        return cls(initial={"event_types": Type.values})

    def endpoint_id(self, account: Account, user: User) -> uuid.UUID:
        """The id of the endpoint that this form makes; no other user's form makes the same."""
        name = self.cleaned_data["form"] or uuid.uuid4()
        return uuid.uuid5(account.pk, f"webhook/{user.pk}/{name}")


class NewSecret(forms.Form):
    """How long the old secret signs, too. ``force`` ends the one before it at once."""

    keep = forms.TypedChoiceField(
        label=_("The old secret signs, too, for"),
        choices=KEPT,
        coerce=int,
        initial=str(keys.KEEP_HOURS),
    )
    force = forms.BooleanField(label=_("End the older secret now"), required=False)
