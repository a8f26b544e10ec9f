"""The OpenAPI page's words about registration and login tokens."""

from __future__ import annotations

from drf_spectacular.utils import OpenApiParameter, OpenApiResponse
from rest_framework.exceptions import PermissionDenied

from common.api.error_examples import INVALID_CREDENTIALS, SUSPENDED, ErrorExample, bad_field
from common.api.openapi import operation
from signup import answers, examples, requests
from signup.registration import NAME_TAKEN, RegistrationClosed

ACCOUNT = ["Account"]

REGISTRATION_CLOSED = ErrorExample.of(RegistrationClosed, "The operator has switched it off")
_BY_A_KEY = "The request was sent with an API key"
NOT_A_TOKEN = ErrorExample.of(PermissionDenied, _BY_A_KEY, answers.ONLY_TOKENS_LOG_OUT)
NOT_THE_PASSWORD = ErrorExample.of(PermissionDenied, _BY_A_KEY, answers.ONLY_TOKENS_CHANGE)
NOT_THE_TOKENS = ErrorExample.of(PermissionDenied, _BY_A_KEY, answers.ONLY_TOKENS_LIST)
_GONE = OpenApiResponse(description="It stopped working")

register = operation(
    "register",
    summary="Register",
    tags=ACCOUNT,
    request=requests.RegistrationSerializer,
    responses={201: answers.SessionSerializer},
    examples=examples.REGISTER,
    fails=[
        bad_field("username", NAME_TAKEN, fault="taken"),
        bad_field("email", "Enter a valid e-mail address"),
        bad_field("password", "This password is too common"),
        REGISTRATION_CLOSED,
    ],
)
login = operation(
    "login",
    summary="Log in",
    tags=ACCOUNT,
    request=requests.LoginSerializer,
    responses={200: answers.SessionSerializer},
    examples=examples.LOGIN,
    fails=[INVALID_CREDENTIALS, SUSPENDED],
)
logout = operation(
    "logout",
    summary="Log out",
    tags=ACCOUNT,
    request=None,
    responses={204: _GONE},
    fails=[NOT_A_TOKEN],
)
change_password = operation(
    "change_password",
    summary="Change the password",
    tags=ACCOUNT,
    request=requests.PasswordSerializer,
    responses={200: answers.SessionSerializer},
    examples=examples.PASSWORD,
    fails=[
        bad_field("new_password", "This password is too common"),
        INVALID_CREDENTIALS,
        NOT_THE_PASSWORD,
    ],
)
list_tokens = operation(
    "list_tokens",
    summary="List login tokens",
    tags=ACCOUNT,
    responses={200: answers.TokenSerializer(many=True)},
    examples=examples.TOKENS,
    fails=[NOT_THE_TOKENS],
)
delete_tokens = operation(
    "delete_other_tokens",
    summary="Log out everywhere else",
    tags=ACCOUNT,
    responses={204: OpenApiResponse(description="All others stopped working")},
    fails=[NOT_THE_TOKENS],
)
delete_token = operation(
    "delete_token",
    summary="End a login token",
    tags=ACCOUNT,
    parameters=[
        OpenApiParameter(
            *("token_id", {"type": "string"}, OpenApiParameter.PATH),
            description="The UUID of the token.",
        )
    ],
    responses={204: _GONE},
    fails=[NOT_THE_TOKENS],
)
