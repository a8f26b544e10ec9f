"""The form of the way in."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.login import MAX_IDENTITY
from accounts.passwords import MAX_PASSWORD


class LogInForm(forms.Form):
    """A name or an e-mail, and a password."""

    identity = forms.CharField(
        label=_("E-mail or user name"),
        max_length=MAX_IDENTITY,
        widget=forms.TextInput(attrs={"autocomplete": "username", "autofocus": ""}),
    )
    password = forms.CharField(
        label=_("Password"),
        max_length=MAX_PASSWORD,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )
    # these fields accept anything: nobody would see the fault of a hidden field
    next = forms.Field(required=False, widget=forms.HiddenInput)
    kept = forms.Field(required=False, widget=forms.HiddenInput)  # of ``console/kept.py``
