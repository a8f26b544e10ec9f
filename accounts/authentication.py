"""Finds the caller by one secret, in any of the spellings of the contract's section 1."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Any, ClassVar

from django.conf import settings
from django.utils import timezone
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import PermissionDenied
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from accounts import keys, secrets
from accounts.arrival import CREATES, READS, SECONDS, UPLOADS, Arrival, Memory, SentSecret
from accounts.models import ApiKey, User
from common.errors import InvalidCredentials, NotAuthenticated
from common.web import rate_limit
from common.web.client_address import client_address

if TYPE_CHECKING:  # rest_framework.views imports this module
    from rest_framework.views import APIView

SCHEMES = {"bearer", "token", "api-key"}
BLANKS = re.compile(r"[ \t]+")
CHALLENGE = "Bearer"
FAILURES = "failed-secrets"


class SecretAuthentication(BaseAuthentication):
    """``request.user`` is the user who made the secret, ``request.auth`` the Arrival."""

    # For so many seconds a process does not ask again how many failures an address has, if they
    # were fewer than half of the limit. That lets no guess through: each failure is counted before
    # its answer, and ends the calm.
    CALM: ClassVar[float] = 1.0
    _calm_until: ClassVar[Memory[str, float]] = Memory()

    posts: ClassVar[str] = READS  # the window that POST requests count in; all else is a read

    def look_up(self, secret: SentSecret) -> tuple[ApiKey | None, Any]:
        """Find a secret's key, and what else the view wants from the same statement.

        A subclass may find more for the views that name it.
        """
        return keys.find(secret.text, secret.count), None

    def authenticate(self, request: Request) -> tuple[User, Arrival] | None:
        """None without credentials. Raises InvalidCredentials, AccountSuspended, RateLimited."""
        authorization = request.headers.get("Authorization")
        header_key = request.headers.get("X-API-Key")
        if authorization is None and header_key is None:
            return None
        who = client_address(request)
        limit = settings.RATE_LIMIT_AUTH_FAILURES
        self._refuse_guessing(who, limit)
        secret = read_secret(authorization, header_key)
        window = self.posts if request.method == "POST" else READS
        arrival = secret and Arrival.of(SentSecret(secret, request, window), self.look_up)
        if not arrival:
            self._calm_until.drop(who)
            # A burst may have passed the look above. No more of it than the limit get this answer.
            decision = rate_limit.hit(FAILURES, limit, SECONDS, who)
            raise InvalidCredentials if decision.allowed else rate_limit.too_many(decision)
        arrival.key.mark_used(timezone.now())
        return arrival.key.created_by, arrival

    def authenticate_header(self, request: Request) -> str:
        """What a 401 without credentials asks for."""
        return CHALLENGE

    def _refuse_guessing(self, who: str, limit: int) -> None:
        """Raises RateLimited for an address with as many failures as it may have."""
        now = time.monotonic()
        if self._calm_until.get(who, now) > now:
            return
        stand = rate_limit.peek(FAILURES, limit, SECONDS, who)
        if not stand.allowed:
            raise rate_limit.too_many(stand)
        if stand.remaining > limit // 2:
            self._calm_until.put(who, now + self.CALM)

    @classmethod
    def clear(cls) -> None:
        """Ask about every address again; tests begin so."""
        cls._calm_until.clear()


class SecretThatCreates(SecretAuthentication):
    """For views whose POST makes or buys something."""

    posts = CREATES


class SecretThatUploads(SecretAuthentication):
    """For the view whose POST is a file."""

    posts = UPLOADS


class HasAccount(BasePermission):
    """Somebody with an account: the default of every endpoint that is not public."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        """Raises NotAuthenticated (401), never answers 403."""
        arrival(request)
        return True


def arrival(request: Request) -> Arrival:
    """The request's Arrival. Raises NotAuthenticated without one."""
    if not isinstance(request.auth, Arrival):
        raise NotAuthenticated
    return request.auth


def read_secret(authorization: str | None, header_key: str | None) -> str | None:
    """The one well-formed secret that the two headers carry, else None; asks no database."""
    key = (header_key or "").strip(" \t")
    if authorization is None or (key and not _has_secret(authorization)):
        secret = key
    else:
        words = BLANKS.split(authorization.strip(" \t"))
        if len(words) == 2 and words[0].lower() in SCHEMES:
            words = words[1:]
        if len(words) != 1:
            return None
        secret = words[0]
        # an empty X-API-Key contradicts nothing
        if key not in {"", secret}:
            return None
    return secret if secrets.is_well_formed(secret) else None


def _has_secret(authorization: str) -> bool:
    """Whether it is meant to carry a secret of ours. An empty or a Basic one is not."""
    words = BLANKS.split(authorization.strip(" \t"))
    return (len(words) > 1 and words[0].lower() in SCHEMES) or any(
        prefix in authorization for prefix in (secrets.KEY_PREFIX, secrets.TOKEN_PREFIX)
    )


class SecretScheme(OpenApiAuthenticationExtension):  # drf-spectacular's hook is not annotated
    """How the OpenAPI document describes the two headers; either one is enough."""

    target_class = SecretAuthentication
    match_subclasses = True
    name = ["Bearer", "ApiKey"]

    def get_security_requirement(self, auto_schema: Any) -> list[dict[str, list[Any]]]:
        return [{name: []} for name in self.name]

    def get_security_definition(self, auto_schema: Any) -> list[dict[str, str]]:
        """One definition for each of ``name``."""
        bearer = "An API key or a login token. `Token` and `Api-Key` work in place of `Bearer`."
        return [
            {"type": "http", "scheme": "bearer", "description": bearer},
            {
                "type": "apiKey",
                "in": "header",
                "name": "X-API-Key",
                "description": (
                    "An API key or a login token, too. An `Authorization` beside it that is empty "
                    "or of another scheme (such as `Basic`) is not looked at."
                ),
            },
        ]


# For the operations of a view with a subclass. drf-spectacular would take it for a second scheme of
# the same name.
AS_EVERYWHERE: list[dict[str, list[Any]]] = [{name: []} for name in SecretScheme.name]


def login_token(request: Request, sentence: str) -> ApiKey:
    """The login token that the request was sent with. Raises PermissionDenied for a key."""
    token = arrival(request).key
    if token.kind != ApiKey.Kind.TOKEN:
        raise PermissionDenied(sentence)
    return token
