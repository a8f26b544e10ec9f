"""The bodies of registration, log-in and a new password."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError as DjangoValidationError
from django.core.validators import EmailValidator, RegexValidator
from rest_framework import serializers

from accounts.login import MAX_IDENTITY, find_user, fold
from accounts.models import User
from accounts.passwords import MAX_PASSWORD, canonical
from common.api.fields import StrictCharField
from signup.registration import EMAIL_TAKEN, NAME_TAKEN

MAX_NAME = 150
TAKEN = "unique"


class UsernameField(StrictCharField):
    """3 to 150 letters, digits and ``. _ + -``, counted in the spelling that is stored."""

    shrinks = 4  # a letter and three marks may become one character, as in U+1F82

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("min_length", 3)
        kwargs.setdefault("max_length", MAX_NAME)
        message = "Must contain only letters, digits and . _ + -"
        validators = [RegexValidator(r"\A[\w.+-]+\Z", message)]
        super().__init__(validators=validators, **kwargs)

    def to_internal_value(self, data: Any) -> str:
        """DRF's hook. Folds the name. Its length is checked again: one character may become 18."""
        return fold(super().to_internal_value(data))


class RegistrationSerializer(serializers.Serializer[Any]):
    """The body of ``POST /api/register/``."""

    username = UsernameField()
    email = StrictCharField(
        max_length=MAX_IDENTITY, validators=[EmailValidator("Enter a valid e-mail address")]
    )
    password = StrictCharField(
        max_length=MAX_PASSWORD,
        trim_whitespace=False,
        help_text=(
            f"8 to {MAX_PASSWORD} characters, nothing is trimmed. Spellings that Unicode calls "
            "canonically equivalent (é in one character or in two) are one password."
        ),
    )

    def validate_username(self, value: str) -> str:
        """DRF's hook. Raises ValidationError when somebody has the name, in whatever case."""
        if find_user(value) is not None:
            raise serializers.ValidationError(NAME_TAKEN, code=TAKEN)
        return value

    def validate_email(self, value: str) -> str:
        """DRF's hook. Raises ValidationError when somebody has the e-mail, in whatever case."""
        if find_user(value) is not None:
            raise serializers.ValidationError(EMAIL_TAKEN, code=TAKEN)
        return value

    def validate_password(self, value: str) -> str:
        """DRF's hook. Django's validators compare the password with the other fields, too.

        The other fields were not checked yet, so only texts of a sane length are compared.
        """
        others = {name: self.initial_data.get(name) for name in ("username", "email")}
        known = {
            name: text
            for name, text in others.items()
            if isinstance(text, str) and len(text) <= MAX_IDENTITY
        }
        return _good_password(value, User(**known))


class LoginSerializer(serializers.Serializer[Any]):
    """The body of ``POST /api/login/``; ``username`` may be an e-mail."""

    username = StrictCharField(max_length=MAX_IDENTITY)
    password = StrictCharField(max_length=MAX_PASSWORD, trim_whitespace=False)


class PasswordSerializer(serializers.Serializer[Any]):
    """The body of ``POST /api/password/``; ``context["user"]`` is whose it is."""

    current_password = StrictCharField(max_length=MAX_PASSWORD, trim_whitespace=False)
    new_password = StrictCharField(
        max_length=MAX_PASSWORD, trim_whitespace=False, help_text="As at the registration."
    )

    def validate_new_password(self, value: str) -> str:
        """DRF's hook. Django's validators compare it with the user's names, too."""
        return _good_password(value, self.context["user"])


def _good_password(value: str, user: User) -> str:
    """The spelling to keep. Raises ValidationError for a password that is too easy to guess."""
    kept = canonical(value)
    try:
        validate_password(kept, user)
    except DjangoValidationError as error:
        raise serializers.ValidationError(error.messages[0]) from error
    return kept
