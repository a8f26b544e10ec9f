"""The steps from a new account to a program that uses it: which are done, and what is next."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.models import Account, ApiKey, User
from generation.models import CatalogModel, Generation
from generation.models.states import State


@dataclass(frozen=True, slots=True)
class Step:
    """One step. ``address`` is the page for it."""

    title: str
    address: str
    is_done: bool


def of(account: Account, user: User) -> list[Step]:
    """All steps; none if all are done."""
    made, key, called = _done(account)
    mine = [account.pk]
    steps = [
        Step(_("Verify your e-mail address"), reverse("console:verify"), _is_verified(user)),
        Step(_("Make a video"), reverse("console:create", args=mine), made),
        Step(_("Make an API key"), reverse("console:keys", args=mine), key),
        Step(_("Call the API with it"), reverse("console:keys", args=mine), called),
    ]
    return [] if all(step.is_done for step in steps) else steps


def _is_verified(user: User) -> bool:
    return user.email_verified_at is not None


def _done(account: Account) -> tuple[bool, bool, bool]:
    """Whether there is a video, a key (even a deleted one), and a call with one.

    Each asks for the first row in an index's order, so that index is used even if there is none.
    With EXISTS the planner may read the whole table, in the hope of an early hit.
    """
    videos = Generation.objects.filter(
        account=account,
        state=State.COMPLETED,
        kind=CatalogModel.Kind.VIDEO,
        finished_at__isnull=False,
    ).order_by("-created_at", "-id")
    keys = ApiKey.objects.filter(account=account, kind=ApiKey.Kind.KEY).order_by("created_at")
    called = _has_any(keys.filter(last_used_at__isnull=False))
    return _has_any(videos), called or _has_any(keys), called


def _has_any(rows: QuerySet[Any]) -> bool:
    return bool(rows.values_list("pk", flat=True)[:1])
