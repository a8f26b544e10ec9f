"""The operators' password forms. The length is checked before anything else is done with it."""

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
    """Mixin for a form of Django's: bounds passwords, and checks new ones as they will be kept."""

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        for name, field in self.fields.items():
            if isinstance(field.widget, forms.PasswordInput):
                new = field.widget.attrs.get("autocomplete") == "new-password"
                self.fields[name] = (NewPasswordField if new else PasswordField)(like=field)


class PasswordField(forms.CharField):
    """Django's field, with at most MAX_PASSWORD characters."""

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
    """A password that will be kept, and is therefore made canonical (``accounts.passwords``)."""

    def to_python(self, value: Any) -> str:
        text = str(super().to_python(value))
        return text if len(text) > MAX_PASSWORD else canonical(text)


class NewPasswordForm(BoundedPasswords, AnyonesChange):
    """A superuser's form for somebody else's password."""

    def save(self, commit: bool = True) -> User:
        """Django's hook. Only the password is written: the rest may have changed meanwhile."""
        user: User = super().save(commit=False)
        if commit:
            user.save(update_fields=["password"])
        return user
