"""The callers: people (User), tenants (Account), Membership, and secrets (ApiKey)."""

from __future__ import annotations

from accounts.models.account import MAX_RETENTION_DAYS, Account, Membership
from accounts.models.key import LAST_USED_STEP, TOKEN_AGE, TOKEN_LIFETIME, ApiKey, ApiKeyQuerySet
from accounts.models.session import MAX_BROWSER, ConsoleSession
from accounts.models.user import User

__all__ = [
    "LAST_USED_STEP",
    "MAX_BROWSER",
    "MAX_RETENTION_DAYS",
    "TOKEN_AGE",
    "TOKEN_LIFETIME",
    "Account",
    "ApiKey",
    "ApiKeyQuerySet",
    "ConsoleSession",
    "Membership",
    "User",
]
