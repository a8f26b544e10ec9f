"""The OpenAPI page's words about accounts and keys."""

from __future__ import annotations

from drf_spectacular.utils import OpenApiParameter, OpenApiResponse
from rest_framework.exceptions import PermissionDenied

from accounts.api import examples, requests
from accounts.keys import NotByAKey, TooManyKeys
from common.api.error_examples import ErrorExample, bad_field
from common.api.openapi import operation

ACCOUNT = ["Account"]
KEYS = ["API keys"]

_BY_A_KEY = "The request was sent with an API key"
NOT_THE_ACCOUNT = ErrorExample.of(
    PermissionDenied, _BY_A_KEY, "Only a login token can change the account"
)
NOT_BY_A_KEY = ErrorExample.of(
    NotByAKey, "The request was sent with an API key, and keys_manage_keys is off"
)
TOO_MANY_KEYS = ErrorExample.of(TooManyKeys, "The account has all the keys it may have")
_GONE = OpenApiResponse(description="It stopped working")

account = operation(
    "get_account",
    summary="Your account",
    tags=ACCOUNT,
    responses={200: requests.AccountSerializer},
    examples=examples.ACCOUNT,
)
change_account = operation(
    "change_account",
    summary="Change your account",
    tags=ACCOUNT,
    request=requests.AccountChoiceSerializer,
    responses={200: requests.AccountSerializer},
    examples=[*examples.ACCOUNT_CHOICE, *examples.ACCOUNT],
    fails=[
        bad_field(
            "keys_manage_keys", "Keys manage keys must be true or false", "Must be true or false"
        ),
        NOT_THE_ACCOUNT,
    ],
)
list_keys = operation(
    "list_api_keys",
    summary="List API keys",
    tags=KEYS,
    responses={200: requests.ApiKeySerializer(many=True)},
    examples=examples.KEYS,
)
create_key = operation(
    "create_api_key",
    summary="Create an API key",
    tags=KEYS,
    request=requests.NewKeySerializer,
    responses={201: requests.CreatedKeySerializer},
    examples=examples.NEW_KEY,
    fails=[
        bad_field("name", "Name is required", "This field is required", "missing"),
        bad_field("expires_at", "Expires at must be in the future", "Must be in the future"),
        TOO_MANY_KEYS,
        NOT_BY_A_KEY,
    ],
)
delete_key = operation(
    "delete_api_key",
    summary="Delete an API key",
    tags=KEYS,
    parameters=[
        OpenApiParameter(
            "key_id", {"type": "string"}, OpenApiParameter.PATH, description="The UUID of the key."
        )
    ],
    responses={204: _GONE},
    fails=[NOT_BY_A_KEY],
)
