"""The way from a new account to a program that uses it: what is done, and what comes next."""

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
    """``address`` is where it is done."""

    title: str
    address: str
    is_done: bool


def of(account: Account, user: User) -> list[Step]:
    """All of them; none once all are done."""
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
    """A video, a key (also one that was deleted), and a call with one: each found by an index.

    EXISTS lets the planner hope for an early hit in the whole table. Whoever asks for the first row
    in an index's order gets it by that index, and the answer that there is none, too.
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
