"""The account and its API keys: section 1 of the contract."""

from __future__ import annotations

from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import keys
from accounts.api import document
from accounts.api.requests import (
    AccountChoiceSerializer,
    AccountSerializer,
    ApiKeySerializer,
    CreatedKeySerializer,
    NewKeySerializer,
)
from accounts.authentication import arrival, login_token
from accounts.models import ApiKey
from common import ids

MAX_LISTED = 100  # at most 20 of them are live, the rest has expired


class AccountView(APIView):
    """The account itself, and what it has chosen."""

    @document.account
    def get(self, request: Request) -> Response:
        """Which account the secret belongs to; support asks for its id."""
        return Response(AccountSerializer(arrival(request).key.account).data)

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
    @document.list_keys
    def get(self, request: Request) -> Response:
        """The account's keys, newest first, with those that have expired."""
        found = arrival(request).key.account.api_keys.keys().filter(revoked_at=None)
        newest = found.order_by("-created_at", "-id")[:MAX_LISTED]
        return Response(ApiKeySerializer(newest, many=True).data)

    @document.create_key
    def post(self, request: Request) -> Response:
        """Make a key. The answer is the only place that ever shows it."""
        asker = arrival(request).key
        account = keys.manager(asker)
        serializer = NewKeySerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        live = ApiKey.objects.live().filter(pk=asker.pk)
        issued = keys.create_key(
            account, asker.created_by, **serializer.validated_data, asked_with=live
        )
        return Response(CreatedKeySerializer(issued).data, status.HTTP_201_CREATED)


class ApiKeyView(APIView):
    """One of the account's API keys."""

    @document.delete_key
    def delete(self, request: Request, key_id: str) -> Response:
        """End the key; it stops working at once, everywhere. A key may always end itself."""
        asker, wanted = arrival(request).key, ids.parse(key_id)
        account = asker.account if asker.pk == wanted else keys.manager(asker)
        keys.revoke_key(account, wanted)
        return Response(status=status.HTTP_204_NO_CONTENT)
