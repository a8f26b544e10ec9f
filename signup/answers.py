"""The answers to registration, log-in and questions about login tokens."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from accounts.models import ApiKey

# The answers to an API key where a login token is needed.
ONLY_TOKENS_LOG_OUT = "Only a login token can log out, an API key is deleted by its id"
ONLY_TOKENS_CHANGE = "Only a login token can change the password, log in first"
ONLY_TOKENS_LIST = "Only a login token can list and end login tokens, log in first"


class UserSerializer(serializers.Serializer[Any]):
    """Who is logged in, with the balance of their account in credits."""

    id = serializers.UUIDField()
    username = serializers.CharField()
    email = serializers.EmailField()
    credits_balance = serializers.IntegerField()


class SessionSerializer(serializers.Serializer[Any]):
    """The answer to a registration and to a login."""

    token = serializers.CharField()
    user = UserSerializer()


class TokenSerializer(serializers.Serializer[Any]):
    """A login token in the list; the secret itself is not known any more."""

    id = serializers.UUIDField()
    token_preview = serializers.CharField(source="preview")
    created_at = serializers.DateTimeField()
    last_used_at = serializers.DateTimeField(allow_null=True)
    expires_at = serializers.DateTimeField()
    current = serializers.SerializerMethodField(help_text="The one this request was sent with.")

    def get_current(self, token: ApiKey) -> bool:
        """Whether this request was sent with it; the view says so by ``current``."""
        return bool(token.pk == self.context["current"].pk)
