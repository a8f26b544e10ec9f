"""The caller: all that is needed to order something, or to find what was ordered."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from accounts.models import ApiKey


@dataclass(frozen=True, slots=True)
class Caller:
    """``account_id`` pays, ``user_id`` acts, ``key_id`` is the API key or login token of the
    request.

    Members on the console have no key, and operators have none. Operators only order again
    (``Order.retry_of``).
    """

    account_id: uuid.UUID
    user_id: uuid.UUID
    key_id: uuid.UUID | None = None

    @classmethod
    def with_key(cls, key: ApiKey) -> Caller:
        """The key's account and the user who made the key."""
        return cls(account_id=key.account_id, user_id=key.created_by_id, key_id=key.pk)

    @classmethod
    def by_member(cls, account_id: uuid.UUID, user_id: uuid.UUID) -> Caller:
        """A person on the console, whose membership in the account was checked."""
        return cls(account_id=account_id, user_id=user_id)
