"""Registration, log-in and log-out: section 1 of the contract."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from rest_framework import status
from rest_framework.exceptions import ValidationError
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import keys, login
from accounts.authentication import login_token
from accounts.keys import Issued
from accounts.models import ApiKey
from common.web.client_address import client_address
from credits.models import Wallet
from signup import document, registration
from signup.answers import ONLY_TOKENS_LOG_OUT, SessionSerializer
from signup.requests import (
    TAKEN,
    LoginSerializer,
    RegistrationSerializer,
)


class RegisterView(APIView):
    authentication_classes = []
    permission_classes = [AllowAny]

    @document.register
    def post(self, request: Request) -> Response:
        """Create a user with an account of their own, and log them in."""
        if not settings.REGISTRATION_OPEN:
            raise registration.RegistrationClosed
        serializer = RegistrationSerializer(data=request.data)
        valid = serializer.is_valid()
        # Learning that a name is taken counts as a registration; a typing error does not.
        if valid or _says_taken(serializer.errors):
            registration.count(client_address(request))
        if not valid:
            raise ValidationError(serializer.errors)
        return session(registration.register(**serializer.validated_data), status.HTTP_201_CREATED)


class LoginView(APIView):
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
    @document.logout
    def post(self, request: Request) -> Response:
        """End the login token that this request was sent with; it stops working at once."""
        # A program that calls this by mistake must not lose its API key.
        token = login_token(request, ONLY_TOKENS_LOG_OUT)
        keys.revoke(ApiKey.objects.filter(pk=token.pk))
        return Response(status=status.HTTP_204_NO_CONTENT)


def _says_taken(errors: Any) -> bool:
    return any(detail.code == TAKEN for details in errors.values() for detail in details)


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
