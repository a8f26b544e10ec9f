"""The form that makes an API key."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import Account, ApiKey, User
from common.api.fields import is_blank

LIFETIMES = [
    ("", _("Never")),
    ("7", _("In 7 days")),
    ("30", _("In 30 days")),
    ("90", _("In 90 days")),
    ("365", _("In a year")),
]


def seen(text: str) -> None:
    """A validator: a name needs a visible character, as in the API."""
    if is_blank(text):
        raise ValidationError(_("This field is required."), code="required")


class NewKey(forms.Form):
    """``form`` is the form's own name. A form that is sent twice makes one key."""

    name = forms.CharField(
        label=_("Name"),
        max_length=ApiKey._meta.get_field("name").max_length,
        validators=[seen],
        help_text=_("For you, so that you know later what uses it."),
    )
    expires = forms.ChoiceField(label=_("Ends"), choices=LIFETIMES, required=False)
    form = forms.Field(widget=forms.HiddenInput(), initial=uuid.uuid4, required=False)

    def key_id(self, account: Account, user: User) -> uuid.UUID:
        """The id of the key that this form makes; no other user's form makes the same."""
        name = self.cleaned_data["form"] or uuid.uuid4()
        return uuid.uuid5(account.pk, f"{user.pk}/{name}")

    def expires_at(self) -> datetime | None:
        days = self.cleaned_data["expires"]
        return timezone.now() + timedelta(days=int(days)) if days else None
