"""Notes in the audit log which guesses at a password were refused, whatever the door.

What was not even looked at is not noted, so that nobody fills the log. A name that is nobody's is
not kept: it may be a password in the wrong field.
"""

from __future__ import annotations

from typing import Any

from django.db import transaction

from accounts.models import User
from staff import audit


def note(
    sender: Any, *, action: str, user: User | None, door: str, reason: str, address: str, **_: Any
) -> None:
    """Receiver of the signal ``accounts.login.refused``."""
    with transaction.atomic():
        audit.note(user, action, reason=reason, changes={"address": address, "door": door})
