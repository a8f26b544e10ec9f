"""The OpenAPI page's words about accounts and keys."""

from __future__ import annotations

from drf_spectacular.utils import OpenApiParameter, OpenApiResponse

from accounts import examples, serializers
from common.failures import INVALID_CREDENTIALS, SUSPENDED, Failure, bad_field
from common.openapi import operation

ACCOUNT = ["Account"]
KEYS = ["API keys"]

REGISTRATION_CLOSED = Failure(
    403, "registration_closed", "Registration is closed", "The operator has switched it off"
)
NO_ACCOUNT = Failure(
    403, "permission_denied", "This user belongs to no account", "A user of the admin pages alone"
)
NOT_A_TOKEN = Failure(
    403,
    "permission_denied",
    "Only a login token can log out, an API key is deleted by its id",
    "The request was sent with an API key",
)
TOO_MANY_KEYS = Failure(
    400,
    "invalid_request",
    "An account has at most 20 live API keys, delete one first",
    "The account has all the keys it may have",
)
_GONE = OpenApiResponse(description="It stopped working")

register = operation(
    "register",
    summary="Register",
    tags=ACCOUNT,
    request=serializers.RegistrationSerializer,
    responses={201: serializers.SessionSerializer},
    examples=examples.REGISTER,
    fails=[
        bad_field("username", "This username is already taken", fault="taken"),
        bad_field("email", "Enter a valid e-mail address"),
        bad_field("password", "This password is too common"),
        REGISTRATION_CLOSED,
    ],
)
login = operation(
    "login",
    summary="Log in",
    tags=ACCOUNT,
    request=serializers.LoginSerializer,
    responses={200: serializers.SessionSerializer},
    examples=examples.LOGIN,
    fails=[INVALID_CREDENTIALS, SUSPENDED, NO_ACCOUNT],
)
logout = operation(
    "logout",
    summary="Log out",
    tags=ACCOUNT,
    request=None,
    responses={204: _GONE},
    fails=[NOT_A_TOKEN],
)
account = operation(
    "get_account",
    summary="Your account",
    tags=ACCOUNT,
    responses={200: serializers.AccountSerializer},
    examples=examples.ACCOUNT,
)
list_keys = operation(
    "list_api_keys",
    summary="List API keys",
    tags=KEYS,
    responses={200: serializers.ApiKeySerializer(many=True)},
    examples=examples.KEYS,
)
create_key = operation(
    "create_api_key",
    summary="Create an API key",
    tags=KEYS,
    request=serializers.NewKeySerializer,
    responses={201: serializers.CreatedKeySerializer},
    examples=examples.NEW_KEY,
    fails=[
        bad_field("name", "Name is required", "This field is required", "missing"),
        bad_field("expires_at", "Expires at must be in the future", "Must be in the future"),
        TOO_MANY_KEYS,
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
)
