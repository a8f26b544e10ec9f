"""Registration, login, logout, the account and its API keys: section 1 of the contract."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from rest_framework import status
from rest_framework.exceptions import PermissionDenied, ValidationError
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import keys, login, registration
from accounts.api import document
from accounts.api.requests import (
    TAKEN,
    AccountChoiceSerializer,
    AccountSerializer,
    ApiKeySerializer,
    CreatedKeySerializer,
    LoginSerializer,
    NewKeySerializer,
    RegistrationSerializer,
    SessionSerializer,
)
from accounts.authentication import caller
from accounts.keys import Issued
from accounts.models import ApiKey
from common import ids
from common.web import rate_limit
from common.web.client_address import client_address
from credits.models import Wallet

HOUR = 3600  # seconds
MAX_LISTED = 100  # at most 20 of them are live, the rest has expired


class RegisterView(APIView):
    """Makes a customer."""

    authentication_classes = []
    permission_classes = [AllowAny]

    @document.register
    def post(self, request: Request) -> Response:
        """Create a user with an account of their own, and log them in."""
        if not settings.REGISTRATION_OPEN:
            raise registration.RegistrationClosed
        serializer = RegistrationSerializer(data=request.data)
        valid = serializer.is_valid()
        # Learning that a name is taken counts like a registration, a slip of the pen does not.
        if valid or _says_taken(serializer.errors):
            limit = settings.RATE_LIMIT_REGISTRATIONS
            decision = rate_limit.hit("registrations", limit, HOUR, client_address(request))
            if not decision.allowed:
                raise rate_limit.too_many(decision)
        if not valid:
            raise ValidationError(serializer.errors)
        return session(registration.register(**serializer.validated_data), status.HTTP_201_CREATED)


class LoginView(APIView):
    """Gives a login token."""

    authentication_classes = []
    permission_classes = [AllowAny]

    @document.login
    def post(self, request: Request) -> Response:
        """Exchange a user name or an e-mail and a password for a token (30 days from last use)."""
        serializer = LoginSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        values = serializer.validated_data
        issued = login.log_in(values["username"], values["password"], client_address(request))
        return session(issued, status.HTTP_200_OK)


class LogoutView(APIView):
    """Ends a login token."""

    @document.logout
    def post(self, request: Request) -> Response:
        """End the login token that this request was sent with; it stops working at once."""
        # A program that calls this by mistake must not lose the key it runs on.
        sentence = "Only a login token can log out, an API key is deleted by its id"
        token = login_token(request, sentence)
        keys.revoke(ApiKey.objects.filter(pk=token.pk))
        return Response(status=status.HTTP_204_NO_CONTENT)


class AccountView(APIView):
    """The account itself, and what it has chosen."""

    @document.account
    def get(self, request: Request) -> Response:
        """Which account the secret belongs to; support asks for its id."""
        return Response(AccountSerializer(caller(request).account).data)

    @document.change_account
    def patch(self, request: Request) -> Response:
        """Choose whether the account's keys may make and delete keys."""
        account = login_token(request, "Only a login token can change the account").account
        serializer = AccountChoiceSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        for name, value in serializer.validated_data.items():
            setattr(account, name, value)
        account.save(update_fields=list(serializer.validated_data))
        return Response(AccountSerializer(account).data)


class ApiKeysView(APIView):
    """The account's API keys."""

    @document.list_keys
    def get(self, request: Request) -> Response:
        """The account's keys, newest first, with those that have expired."""
        found = caller(request).account.api_keys.keys().filter(revoked_at=None)
        newest = found.order_by("-created_at", "-id")[:MAX_LISTED]
        return Response(ApiKeySerializer(newest, many=True).data)

    @document.create_key
    def post(self, request: Request) -> Response:
        """Make a key. The answer is the only place that ever shows it."""
        asker = caller(request)
        account = keys.manager(asker)
        serializer = NewKeySerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        issued = keys.create_key(
            account, asker.created_by, **serializer.validated_data, asked_with=asker
        )
        return Response(CreatedKeySerializer(issued).data, status.HTTP_201_CREATED)


class ApiKeyView(APIView):
    """One of the account's API keys."""

    @document.delete_key
    def delete(self, request: Request, key_id: str) -> Response:
        """End the key; it stops working at once, everywhere. A key may always end itself."""
        asker, wanted = caller(request), ids.parse(key_id)
        account = asker.account if asker.pk == wanted else keys.manager(asker)
        keys.revoke_key(account, wanted)
        return Response(status=status.HTTP_204_NO_CONTENT)


def _says_taken(errors: Any) -> bool:
    return any(detail.code == TAKEN for details in errors.values() for detail in details)


def login_token(request: Request, sentence: str) -> ApiKey:
    """The login token that the request was sent with. Raises PermissionDenied for a key."""
    token = caller(request)
    if token.kind != ApiKey.Kind.TOKEN:
        raise PermissionDenied(sentence)
    return token


def session(issued: Issued, code: int) -> Response:
    """A fresh token, shown once, and whose it is."""
    user = issued.api_key.created_by
    balance = Wallet.objects.get(account_id=issued.api_key.account_id).balance
    shown = {
        "id": user.pk,
        "username": user.username,
        "email": user.email,
        "credits_balance": balance,
    }
    body = SessionSerializer({"token": issued.secret, "user": shown}).data
    return Response(body, code)
