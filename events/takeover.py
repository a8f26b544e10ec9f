"""Ends a user's webhooks when the user is taken over: events would go on to a stranger's URL."""

from __future__ import annotations

from django.db.models.functions import Coalesce, Now

from accounts.models import Membership, User
from events.models import DefaultSecret, WebhookEndpoint


def end_all_of(user: User) -> int:
    """Delete the endpoints that ``user`` made and the secrets that ``user`` could read.

    Returns how many. The default secret is made anew when it is next needed. A pending delivery
    fails when a worker sees that its endpoint is deleted. Belongs into the takeover's transaction.
    """
    accounts = Membership.objects.filter(user=user).values("account")
    DefaultSecret.objects.filter(account__in=accounts).delete()
    theirs = WebhookEndpoint.objects.filter(
        account__in=accounts, created_by=user, deleted_at__isnull=True
    )
    return theirs.update(
        secret="",
        secret_hint="",
        previous_secret=None,
        previous_secret_expires_at=None,
        enabled=False,
        disabled_at=Coalesce("disabled_at", Now()),
        deleted_at=Now(),
        updated_at=Now(),
    )
