"""The forms of the way in, and of what people change about it."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.login import MAX_IDENTITY
from console.forms.passwords import PasswordField, SetsPassword

MAX_CODE = 40
MAX_NAME = 150
ONE_TIME = {"autocomplete": "one-time-code", "autocapitalize": "none", "spellcheck": "false"}


class CodeForm(forms.Form):
    """Six digits of an app, or a recovery code."""

    code = forms.CharField(
        label=_("Code"), max_length=MAX_CODE, widget=forms.TextInput(attrs=ONE_TIME)
    )


class ConfirmForm(forms.Form):
    """A password, or a code in its place if the person has a second factor."""

    password = PasswordField(_("Password"), required=False)
    code = forms.CharField(
        label=_("Code"),
        max_length=MAX_CODE,
        required=False,
        widget=forms.TextInput(attrs=ONE_TIME),
        help_text=_("Of your app, or a recovery code: instead of the password."),
    )
    next = forms.CharField(required=False, strip=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, with_code: bool, **named: Any) -> None:
        super().__init__(*args, **named)
        if not with_code:
            del self.fields["code"]


class EmailForm(forms.Form):
    """The address that a link for a new password is sent to."""

    email = forms.EmailField(
        label=_("E-mail"),
        max_length=MAX_IDENTITY,
        widget=forms.EmailInput(attrs={"autocomplete": "username", "autofocus": ""}),
    )


class NewEmailForm(forms.Form):
    """The address that a person wants to have."""

    new_email = forms.EmailField(
        label=_("New e-mail"),
        max_length=MAX_IDENTITY,
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
    )


class OwnPasswordForm(SetsPassword):
    """A new password. The old one is asked for, because a session may have been left open."""

    current_password = PasswordField(_("Current password"))
    field_order = ("current_password", "new_password")


class NameForm(forms.Form):
    """What a person is called."""

    name = forms.CharField(
        label=_("Name"),
        required=False,
        max_length=MAX_NAME,
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )

    def clean_name(self) -> str:
        """Django's hook. Takes invisible characters out of the name."""
        return "".join(letter for letter in self.cleaned_data["name"] if letter.isprintable())
