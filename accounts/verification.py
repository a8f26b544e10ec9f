"""Whether somebody of an account can be reached by an e-mail address that was proven."""

from __future__ import annotations

import uuid

from accounts.models import Membership


def has_verified_owner(account_id: uuid.UUID) -> bool:
    """Whether an owner who may still log in has a verified e-mail address."""
    owners = Membership.objects.filter(account_id=account_id, role=Membership.Role.OWNER)
    return owners.filter(user__is_active=True, user__email_verified_at__isnull=False).exists()
