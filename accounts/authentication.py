"""Who calls: one secret, in any of the spellings of the contract's section 1."""

from __future__ import annotations

import re
from typing import Any

from django.conf import settings
from django.utils import timezone
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import NotAuthenticated
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from accounts import rate_limit, secrets
from accounts.client_address import client_address
from accounts.models import ApiKey, User
from accounts.throttling import WINDOW, too_many
from common.errors import ApiError

SCHEMES = {"bearer", "token", "api-key"}
BLANKS = re.compile(r"[ \t]+")
CHALLENGE = "Bearer"
FAILURES = "failed-secrets"


class InvalidCredentials(ApiError):
    """401: malformed, unknown, expired and revoked are all alike to the client."""

    status_code = 401
    default_code = "invalid_credentials"
    default_detail = "The credentials are invalid"

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message, headers={"WWW-Authenticate": CHALLENGE})


class AccountSuspended(ApiError):
    """403: the secret is good, its account may not use the service."""

    status_code = 403
    default_code = "account_suspended"
    default_detail = "This account is suspended"


class SecretAuthentication(BaseAuthentication):
    """``request.user`` is who made the secret, ``request.auth`` the ApiKey, with its account."""

    def authenticate(self, request: Request) -> tuple[User, ApiKey] | None:
        """None without credentials. Raises InvalidCredentials, AccountSuspended, RateLimited."""
        authorization = request.headers.get("Authorization")
        header_key = request.headers.get("X-API-Key")
        if authorization is None and header_key is None:
            return None
        who = client_address(request)
        limit = settings.RATE_LIMIT_AUTH_FAILURES
        stand = rate_limit.peek(FAILURES, limit, WINDOW, who)
        if not stand.allowed:
            raise too_many(stand)
        secret = read_secret(authorization, header_key)
        api_key = find(secret) if secret is not None else None
        if api_key is None:
            # Of a burst that passed the look above, no more than the limit get this answer.
            decision = rate_limit.hit(FAILURES, limit, WINDOW, who)
            raise InvalidCredentials if decision.allowed else too_many(decision)
        if api_key.account.suspended_at is not None:
            raise AccountSuspended
        api_key.note_use(timezone.now())
        return api_key.created_by, api_key

    def authenticate_header(self, request: Request) -> str:
        """What a 401 without credentials asks for."""
        return CHALLENGE


class HasAccount(BasePermission):
    """Somebody with an account: the default of every endpoint that is not public."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        """Raises NotAuthenticated (401), never answers 403."""
        if not isinstance(request.auth, ApiKey):
            message = "Authentication is required, send the header Authorization: Bearer <key>"
            raise NotAuthenticated(message)
        return True


def read_secret(authorization: str | None, header_key: str | None) -> str | None:
    """The one well-formed secret that the two headers carry, else None; asks no database."""
    if authorization is None:
        secret = (header_key or "").strip(" \t")
    else:
        words = BLANKS.split(authorization.strip(" \t"))
        if len(words) == 2 and words[0].lower() in SCHEMES:
            words = words[1:]
        if len(words) != 1:
            return None
        secret = words[0]
        # An X-API-Key without a value contradicts nothing.
        if header_key and header_key.strip(" \t") not in {"", secret}:
            return None
    return secret if secrets.is_well_formed(secret) else None


def find(secret: str) -> ApiKey | None:
    """The live key of an active user, in one indexed SELECT by the secret's digest."""
    found = (
        ApiKey.objects.select_related("account", "created_by")
        .filter(digest=secrets.digest(secret))
        .first()
    )
    if found is None or not found.is_live or not found.created_by.is_active:
        return None
    return found


class SecretScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # drf-spectacular's hook is not annotated
    """How the OpenAPI document describes the two headers; either one is enough."""

    target_class = SecretAuthentication
    name = ["Bearer", "ApiKey"]

    def get_security_requirement(self, auto_schema: Any) -> list[dict[str, list[Any]]]:
        """Alternatives, Bearer first."""
        return [{name: []} for name in self.name]

    def get_security_definition(self, auto_schema: Any) -> list[dict[str, str]]:
        """One definition for each of ``name``."""
        bearer = "An API key or a login token. `Token` and `Api-Key` work in place of `Bearer`."
        return [
            {"type": "http", "scheme": "bearer", "description": bearer},
            {"type": "apiKey", "in": "header", "name": "X-API-Key"},
        ]
