"""The search for accounts: exact matches, each by an index."""

from __future__ import annotations

import re
import uuid

from django.db.models import QuerySet

from accounts.login import find_user
from accounts.models import Account, ApiKey, Membership
from common import ids
from common.errors import NotFound
from generation.models import Generation

HELP = "E-mail, user name, key preview (or its beginning), generation id or account id"
MOST = 50  # accounts of one search
KEY = re.compile(r"(rm[kt]_\w{0,4})(?:(?:…|\.{3})(\w{0,4}))?")


def account_ids(term: str) -> list[uuid.UUID]:
    """The accounts that ``term`` names; may be empty."""
    term = term.strip()
    try:
        return _by_id(ids.parse(term))
    except NotFound:
        pass
    named = _by_preview(ApiKey.objects.all(), term)
    if named is not None:
        return list(named.order_by().values_list("account_id", flat=True).distinct()[:MOST])
    user = find_user(term)
    if user is None:
        return []
    mine = Membership.objects.filter(user=user).values_list("account_id", flat=True)
    return list(mine[:MOST])


def keys(found: QuerySet[ApiKey], term: str) -> QuerySet[ApiKey]:
    """The key that a preview names, or all keys of the accounts that ``term`` names."""
    named = _by_preview(found, term.strip())
    return found.filter(account_id__in=account_ids(term)) if named is None else named


def _by_preview(found: QuerySet[ApiKey], term: str) -> QuerySet[ApiKey] | None:
    key = KEY.fullmatch(term)
    if key is None:
        return None
    if key[2]:
        return found.filter(preview=f"{key[1]}…{key[2]}")
    return found.filter(preview__startswith=key[1])


def _by_id(found: uuid.UUID) -> list[uuid.UUID]:
    """The account with this id, or the account of the generation with it."""
    generation = Generation.objects.filter(pk=found).values_list("account_id", flat=True)
    return [*Account.objects.filter(pk=found).values_list("pk", flat=True), *generation]
