"""The forms of joining: an address with a password, and the code that was sent there."""

from __future__ import annotations

from django import forms
from django.contrib.auth.password_validation import validate_password
from django.utils.translation import gettext_lazy as _

from accounts.login import MAX_IDENTITY
from accounts.models import User
from accounts.passwords import MAX_PASSWORD, canonical


class SignUpForm(forms.Form):
    """All that a person has to give to join."""

    email = forms.EmailField(
        label=_("E-mail"),
        max_length=MAX_IDENTITY,
        error_messages={"invalid": _("Enter a valid e-mail address")},
        widget=forms.EmailInput(attrs={"autocomplete": "email", "inputmode": "email"}),
    )
    password = forms.CharField(
        label=_("Password"),
        max_length=MAX_PASSWORD,
        strip=False,
        help_text=_("At least 8 characters, and not one of the common ones."),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password", "minlength": "8"}),
    )

    def clean_password(self) -> str:
        """Django's hook. Compares it with the address, too; returns the spelling that is stored."""
        kept = canonical(self.cleaned_data["password"])
        email = self.cleaned_data.get("email", "")
        validate_password(kept, User(email=email, username=email.partition("@")[0]))
        return kept


class CodeForm(forms.Form):
    """The six digits of the mail, with what is pasted around them."""

    code = forms.CharField(
        label=_("Code"),
        max_length=20,  # six digits, and what is pasted around them
        widget=forms.TextInput(
            attrs={"autocomplete": "one-time-code", "inputmode": "numeric", "autofocus": ""}
        ),
    )
