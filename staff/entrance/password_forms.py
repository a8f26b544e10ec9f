"""The operators' forms that ask for a password: how long it may be is looked at first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib.auth import forms as auth_forms
from django.core.validators import MaxLengthValidator
from unfold.forms import AdminPasswordChangeForm

from accounts.models import User
from accounts.passwords import MAX_PASSWORD, canonical

TOO_LONG = f"Must be at most {MAX_PASSWORD} characters"

if TYPE_CHECKING:  # unfold has no types
    Form = forms.Form
    AnyonesChange = auth_forms.AdminPasswordChangeForm[User]
else:
    Form, AnyonesChange = object, AdminPasswordChangeForm


class BoundedPasswords(Form):
    """For a form of Django's: bounds its passwords, and judges new ones in the spelling kept."""

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        for name, field in self.fields.items():
            if isinstance(field.widget, forms.PasswordInput):
                new = field.widget.attrs.get("autocomplete") == "new-password"
                self.fields[name] = (NewPasswordField if new else PasswordField)(like=field)


class PasswordField(forms.CharField):
    """What Django's field asks for, and no more than MAX_PASSWORD characters of it."""

    def __init__(self, like: forms.Field) -> None:
        super().__init__(
            label=like.label,
            help_text=like.help_text,
            required=like.required,
            widget=like.widget,
            strip=False,
            validators=[MaxLengthValidator(MAX_PASSWORD, TOO_LONG)],
        )


class NewPasswordField(PasswordField):
    """One that will be kept. An old one is compared as it is typed, see ``accounts.passwords``."""

    def to_python(self, value: Any) -> str:
        text = str(super().to_python(value))
        return text if len(text) > MAX_PASSWORD else canonical(text)


class NewPasswordForm(BoundedPasswords, AnyonesChange):
    """A superuser's form for somebody else's password."""

    def save(self, commit: bool = True) -> User:
        """Django's hook: nothing but the password is written, the rest may have changed."""
        user: User = super().save(commit=False)
        if commit:
            user.save(update_fields=["password"])
        return user
