"""The forms of the way in: name and password, then a code."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from django import forms
from django.contrib.admin.forms import AdminAuthenticationForm
from django.contrib.auth.forms import PasswordChangeForm
from django.core.exceptions import ValidationError
from django.core.validators import MaxLengthValidator
from django.db import transaction
from unfold.forms import AdminOwnPasswordChangeForm, AuthenticationForm
from unfold.widgets import BASE_INPUT_CLASSES

from accounts import login
from accounts.login import MAX_IDENTITY
from accounts.models import User
from common.errors import InvalidCredentials, RateLimited
from common.web.client_address import client_address
from staff import audit
from staff.entrance.password_forms import BoundedPasswords

INPUT = {"class": " ".join(BASE_INPUT_CLASSES), "autocomplete": "one-time-code", "autofocus": ""}
MAX_CODE = 40
DOOR = login.Door("operators", lambda user: user.is_staff, "not one of the staff")
TOO_LONG = f"Must be at most {MAX_IDENTITY} characters"

if TYPE_CHECKING:  # unfold has no types
    NameAndPassword = AdminAuthenticationForm
    OwnChange = PasswordChangeForm
else:
    NameAndPassword, OwnChange = AuthenticationForm, AdminOwnPasswordChangeForm


class LogInForm(BoundedPasswords, NameAndPassword):
    """A name or an e-mail, and a password. Limits and audit entries are the API log-in's."""

    wait = 0  # seconds until another try makes sense

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        name = cast("forms.CharField", self.fields["username"])
        # Django's form sets the limit after the field was made, so no validator knows it
        name.max_length = MAX_IDENTITY
        name.validators.append(MaxLengthValidator(MAX_IDENTITY, TOO_LONG))
        name.widget.attrs["maxlength"] = MAX_IDENTITY

    def clean(self) -> dict[str, Any]:
        """Django's hook. Raises the same ValidationError whatever is wrong."""
        name = self.cleaned_data.get("username")
        password = self.cleaned_data.get("password")
        if not name or not password or self.request is None:
            return self.cleaned_data
        try:
            self.user_cache = login.check(DOOR, name, password, client_address(self.request))
        except RateLimited as error:
            self.wait = int(error.headers["Retry-After"])
            raise ValidationError(str(error.detail), code="rate_limited") from error
        except InvalidCredentials as error:
            raise self.get_invalid_login_error() from error
        return self.cleaned_data


class CodeForm(forms.Form):
    """Six digits of an app, or a recovery code."""

    code = forms.CharField(
        label="Code", max_length=MAX_CODE, strip=True, widget=forms.TextInput(attrs=INPUT)
    )


class OwnPasswordForm(BoundedPasswords, OwnChange):
    """A new password of one's own. The old one is asked: a session left open must not be enough."""

    wait = 0  # seconds until another try makes sense

    def __init__(self, *args: Any, address: str, **named: Any) -> None:
        super().__init__(*args, **named)
        self.address = address

    def clean_old_password(self) -> str:
        old: str = self.cleaned_data["old_password"]
        try:
            login.check_again(DOOR.name, self.user, old, self.address)
        except RateLimited as error:
            self.wait = int(error.headers["Retry-After"])
            raise ValidationError(str(error.detail), code="rate_limited") from error
        except InvalidCredentials as error:
            wrong = self.error_messages["password_incorrect"]
            raise ValidationError(wrong, code="password_incorrect") from error
        return old

    def save(self, commit: bool = True) -> User:
        """Django's hook. The change and its audit entry are one transaction.

        Raises InvalidCredentials if the password was changed meanwhile or the user deactivated.
        """
        before = self.user.password
        user: User = super().save(commit=False)
        with transaction.atomic():
            login.hold(user, before)
            user.save(update_fields=["password"])
            audit.record(user, "change_own_password", user)
        return user
