"""Fields for passwords. The length is checked before anything else happens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib.auth.password_validation import validate_password
from django.core.validators import MaxLengthValidator
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from accounts.passwords import MAX_PASSWORD, canonical

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

TOO_LONG = _("At most %(limit_value)s characters.")


class PasswordField(forms.CharField):
    """A password that is compared with the stored one."""

    def __init__(
        self, label: _StrPromise | str, purpose: str = "current-password", **named: Any
    ) -> None:
        widget = forms.PasswordInput(attrs={"autocomplete": purpose})
        longest = MaxLengthValidator(MAX_PASSWORD, TOO_LONG)
        super().__init__(label=label, strip=False, widget=widget, validators=[longest], **named)


class NewPasswordField(PasswordField):
    """A password that will be stored, and is therefore made canonical."""

    def __init__(self) -> None:
        super().__init__(
            _("New password"),
            "new-password",
            help_text=_("At least 8 characters, not a common one."),
        )

    def to_python(self, value: Any) -> str:
        text = str(super().to_python(value))
        return text if len(text) > MAX_PASSWORD else canonical(text)


class SetsPassword(forms.Form):
    """A form with a new password of ``person``; it is compared with the person's names."""

    new_password = NewPasswordField()

    def __init__(self, *args: Any, person: User, **named: Any) -> None:
        super().__init__(*args, **named)
        self.person = person

    def clean_new_password(self) -> str:
        """Django's hook. Raises ValidationError for a password that is too easy to guess."""
        password: str = self.cleaned_data["new_password"]
        validate_password(password, self.person)
        return password
