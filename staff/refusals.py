"""The audit log's entry about a refused password, whatever the door.

A guess beyond the limits is not looked at and gets no entry, so that nobody can fill the log. A
name that is nobody's is not kept: it may be a password in the wrong field.
"""

from __future__ import annotations

from typing import Any

from django.db import transaction

from accounts.models import User
from staff import audit


def record_refusal(
    sender: Any, *, action: str, user: User | None, door: str, reason: str, address: str, **_: Any
) -> None:
    """Receiver of the signal ``accounts.login.refused``."""
    with transaction.atomic():
        audit.record_bare(user, action, reason=reason, changes={"address": address, "door": door})
