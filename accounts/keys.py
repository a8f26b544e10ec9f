"""Making, finding and ending secrets: API keys and login tokens."""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from rest_framework.exceptions import AuthenticationFailed

from accounts import secrets
from accounts.models import TOKEN_LIFETIME, Account, ApiKey, User
from common.errors import ApiError, InvalidRequest, NotFound
from common.statement import Columns, Statement

Meanwhile = Callable[[], object] | None

MAX_LIVE_KEYS = 20  # an account, contract section 1
MAX_LIVE_TOKENS = 20  # a user

# The columns that every request needs; few requests load the others.
_KEY = Columns(
    ApiKey, "key", without=("digest", "scopes", "spend_limit", "name", "preview", "created_at")
)
_ACCOUNT = Columns(
    Account,
    "account",
    without=(
        *("name", "suspended_reason", "created_at", "prompt_retention_days"),
        "keys_manage_keys",
    ),
)
_USER = Columns(
    User,
    "person",
    without=(
        *("password", "first_name", "last_name", "email", "username"),
        *("date_joined", "last_login", "is_staff", "is_superuser"),
        *("origin", "made_by", "email_verified_at"),
    ),
)
_WIDTHS = len(_KEY), len(_ACCOUNT), len(_USER)


def statement(
    columns: str = "", join: str = "", where: str = "key.digest = %(digest)s::bytea"
) -> Statement:
    """The statement that finds a secret by ``key.digest``, with ``columns`` of a ``join``."""
    return Statement(
        "SELECT {key}, {account}, {user}{columns}"
        " FROM accounts_apikey key JOIN accounts_account account ON account.id = key.account_id"
        " JOIN accounts_user person ON person.id = key.created_by_id {join}"
        " WHERE {where}",
        key=_KEY.sql,
        account=_ACCOUNT.sql,
        user=_USER.sql,
        columns=columns,
        join=join,
        where=where,
    )


FIND = statement()
OF_IDS = statement(where="key.id = ANY(%(ids)s::uuid[])")


class NotByAKey(ApiError):
    """403: this is done with a login token."""

    status_code = 403
    default_code = "permission_denied"
    default_detail = (
        "API keys are made and deleted with a login token, unless the account lets its keys do it"
    )


class TooManyKeys(InvalidRequest):
    """400: the account has all the live keys it may have."""

    default_detail = f"An account has at most {MAX_LIVE_KEYS} live API keys, delete one first"


class MadeAlready(Exception):
    """A key of this id was made before; nothing shows its secret again."""


@dataclass(frozen=True, slots=True)
class Issued:
    """A new row and its secret, which nothing shows a second time."""

    api_key: ApiKey
    secret: str


def create_key(
    account: Account,
    created_by: User,
    name: str,
    expires_at: datetime | None = None,
    *,
    make_room: bool = False,
    asked_with: QuerySet[Any] | None = None,
    key_id: uuid.UUID | None = None,
) -> Issued:
    """Make an API key. Raises TooManyKeys; ``make_room`` ends the oldest one of this name instead.

    Of several calls with one ``key_id`` the first makes it, the others raise MadeAlready.

    The account's lock is held while keys are counted and one is inserted, or calls at once would
    make more than 20. This kind of lock lets others insert rows that point to the account.

    Raises AuthenticationFailed if ``asked_with``, the request's live secret or session, has just
    ended: a takeover of the user ends all of them under the same lock.
    """
    with transaction.atomic():
        Account.objects.select_for_update(no_key=True).get(pk=account.pk)
        if asked_with is not None and not asked_with.exists():
            raise AuthenticationFailed("The credentials are invalid")
        if key_id is not None and ApiKey.objects.filter(pk=key_id).exists():
            raise MadeAlready
        live = account.api_keys.keys().live()
        if live.count() >= MAX_LIVE_KEYS:
            oldest = live.filter(name=name).order_by("created_at").first() if make_room else None
            if oldest is None:
                raise TooManyKeys
            revoke(live.filter(pk=oldest.pk))
        return _issue(
            secrets.KEY_PREFIX,
            ApiKey(
                id=key_id or uuid.uuid4(),
                account=account,
                created_by=created_by,
                name=name,
                expires_at=expires_at,
            ),
        )


def manager(secret: ApiKey) -> Account:
    """The account whose keys ``secret`` may manage. Raises NotByAKey."""
    if secret.kind == ApiKey.Kind.KEY and not secret.account.keys_manage_keys:
        raise NotByAKey
    return secret.account


def tokens_of(user: User) -> QuerySet[ApiKey]:
    """The login tokens by which somebody acts as this user, newest first."""
    live: QuerySet[ApiKey] = ApiKey.objects.filter(created_by=user).tokens().live()
    return live.order_by("-created_at", "-id")


def issue_token(account: Account, user: User) -> Issued:
    """Make a login token; it lives for TOKEN_LIFETIME from its last use, TOKEN_AGE at most.

    Belongs into a transaction that has locked the user's row. If there are more than
    MAX_LIVE_TOKENS, the oldest ends.
    """
    surplus = tokens_of(user)[MAX_LIVE_TOKENS - 1 :]
    revoke(ApiKey.objects.filter(pk__in=surplus.values("pk")))
    return _issue(
        secrets.TOKEN_PREFIX,
        ApiKey(
            account=account,
            created_by=user,
            kind=ApiKey.Kind.TOKEN,
            expires_at=timezone.now() + TOKEN_LIFETIME,
        ),
    )


def find(secret: str, meanwhile: Meanwhile = None) -> ApiKey | None:
    """The live secret of an active user, in one indexed SELECT by its digest.

    ``meanwhile`` is called while the database looks.
    """
    return find_by(FIND, secret, {}, meanwhile)[0]


def find_by(
    find: Statement, secret: str, values: Mapping[str, Any], meanwhile: Meanwhile = None
) -> tuple[ApiKey | None, tuple[Any, ...]]:
    """``find`` by a ``statement()`` with the ``values`` of its join; returns that row, too."""
    row = find.first_one({"digest": secrets.digest(secret), **values}, meanwhile)
    if row is None:
        return None, ()
    account_at, user_at, end = itertools.accumulate(_WIDTHS)
    found = _KEY.read(row[:account_at])
    found.account = _ACCOUNT.read(row[account_at:user_at])
    found.created_by = _USER.read(row[user_at:end])
    return (found if found.is_live and found.created_by.is_active else None), row[end:]


def live(ids: Collection[uuid.UUID]) -> dict[uuid.UUID, ApiKey]:
    """Those of these secrets that have not ended, by id; a suspended account's, too."""
    account_at, user_at, _ = itertools.accumulate(_WIDTHS)
    found = {}
    for row in OF_IDS.all({"ids": list(ids)}):
        key = _KEY.read(row[:account_at])
        key.account = _ACCOUNT.read(row[account_at:user_at])
        if key.is_live and _USER.read(row[user_at:]).is_active:
            found[key.pk] = key
    return found


def revoke_key(account: Account, key_id: uuid.UUID) -> None:
    """End one of the account's API keys. Raises NotFound, even if it has ended already."""
    if not revoke(account.api_keys.keys().filter(pk=key_id)):
        raise NotFound


def revoke_token(user: User, token_id: uuid.UUID) -> None:
    """End one of the user's login tokens. Raises NotFound, even if it has ended already."""
    if not revoke(tokens_of(user).filter(pk=token_id)):
        raise NotFound


def revoke_other_tokens(token: ApiKey) -> int:
    """End all login tokens of the user but this one; return how many they were."""
    return revoke(tokens_of(token.created_by).exclude(pk=token.pk))


def revoke(secrets_to_end: QuerySet[ApiKey]) -> int:
    """End keys and login tokens, from their next request on; return how many had not ended yet."""
    return secrets_to_end.filter(revoked_at=None).update(revoked_at=timezone.now())


def _issue(prefix: str, row: ApiKey) -> Issued:
    secret = secrets.generate(prefix)
    row.digest = secrets.digest(secret)
    row.preview = secrets.preview(secret)
    row.save(force_insert=True)
    return Issued(api_key=row, secret=secret)
