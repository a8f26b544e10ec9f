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
from payments.models import BillingProfile, Payment, Reversal

HELP = (
    "E-mail, user name, key preview (or its beginning), account, generation or payment id; of"
    " Stripe's cs_…, pi_…, ch_…, re_…, du_…, cus_…"
)
MOST = 50  # accounts of one search
KEY = re.compile(r"(rm[kt]_\w{0,4})(?:(?:…|\.{3})(\w{0,4}))?")
# Each of Stripe's ids that we keep says by its beginning what it is of.
STRIPE = re.compile(r"(cs|pi|ch|py|re|pyr|du|dp|cus)_\w{1,96}", re.ASCII)


def account_ids(term: str) -> list[uuid.UUID]:
    """The accounts that ``term`` names; may be empty."""
    term = term.strip()
    try:
        return _by_id(ids.parse(term))
    except NotFound:
        pass
    at_stripe = _by_stripe(term) if STRIPE.fullmatch(term) else []
    if at_stripe:  # else somebody may be called re_max
        return at_stripe
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


def payment_ids(term: str) -> list[uuid.UUID]:
    """The payments that their own id or one of Stripe's names; may be empty."""
    try:
        named = Payment.objects.filter(pk=ids.parse(term))
    except NotFound:
        kind = STRIPE.fullmatch(term)
        if kind is None or kind[1] == "cus":
            return []
        if kind[1] in ("re", "pyr", "du", "dp"):
            taken = Reversal.objects.filter(provider_id=term)
            return list(taken.values_list("payment_id", flat=True))
        column = {"cs": "session_id", "pi": "intent_id"}.get(kind[1], "charge_id")
        named = Payment.objects.filter(**{column: term})
    return list(named.values_list("pk", flat=True))


def _by_stripe(term: str) -> list[uuid.UUID]:
    """The account of one of Stripe's objects."""
    if term.startswith("cus_"):
        profiles = BillingProfile.objects.filter(customer_id=term)
        return list(profiles.values_list("account_id", flat=True))
    paid = Payment.objects.filter(pk__in=payment_ids(term))
    return list(paid.values_list("account_id", flat=True))


def _by_preview(found: QuerySet[ApiKey], term: str) -> QuerySet[ApiKey] | None:
    key = KEY.fullmatch(term)
    if key is None:
        return None
    if key[2]:
        return found.filter(preview=f"{key[1]}…{key[2]}")
    return found.filter(preview__startswith=key[1])


def _by_id(found: uuid.UUID) -> list[uuid.UUID]:
    """The account with this id, or that of the generation or payment with it."""
    generation = Generation.objects.filter(pk=found).values_list("account_id", flat=True)
    payment = Payment.objects.filter(pk=found).values_list("account_id", flat=True)
    accounts = Account.objects.filter(pk=found).values_list("pk", flat=True)
    return [*accounts, *generation, *payment]
