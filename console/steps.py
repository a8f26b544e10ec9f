"""The way from a new account to a program that uses it: what is done, and what comes next."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Exists, OuterRef
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
    """All of them, by one statement; none once all are done."""
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
    """Each is found by an index, however much the account has; a deleted key was one, too."""
    videos = Generation.objects.filter(
        account=OuterRef("pk"),
        state=State.COMPLETED,
        kind=CatalogModel.Kind.VIDEO,
        finished_at__isnull=False,
    )
    keys = ApiKey.objects.filter(account=OuterRef("pk"), kind=ApiKey.Kind.KEY)
    called = keys.filter(last_used_at__isnull=False)
    mine = Account.objects.filter(pk=account.pk)
    found = mine.values_list(Exists(videos), Exists(keys), Exists(called)).get()
    return bool(found[0]), bool(found[1]), bool(found[2])
