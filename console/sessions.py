"""Sessions of the console. Their rows also say whose they are, since when and from where."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any, cast

from django.conf import settings
from django.contrib.auth import SESSION_KEY

from accounts.models import ConsoleSession
from accounts.sessions import BEGUN, DigestSessionStore

ADDRESS = "address"
BROWSER = "browser"
USED = "used"  # seconds since 1970
STEP = 300  # seconds; the last use is written no more often


class SessionStore(DigestSessionStore):
    """Ends CONSOLE_SESSION_IDLE after its last use, or CONSOLE_SESSION_LIFETIME after its begin."""

    @classmethod
    def get_model_class(cls) -> type[ConsoleSession]:
        return ConsoleSession

    @classmethod
    def idle(cls) -> int:
        return int(settings.CONSOLE_SESSION_IDLE)

    @classmethod
    def lifetime(cls) -> int:
        return int(settings.CONSOLE_SESSION_LIFETIME)

    def mark_used(self) -> None:
        """Have the last use written, if a person is logged in and the written one is old."""
        if SESSION_KEY in self and int(self.get(USED, 0)) + STEP <= time.time():
            self.modified = True

    def save(self, must_create: bool = False) -> None:
        """Write the row, with this moment as its last use."""
        self[USED] = int(time.time())
        super().save(must_create)

    def create_model_instance(self, data: Any) -> ConsoleSession:
        """The row to be saved."""
        row = cast("ConsoleSession", super().create_model_instance(data))
        row.user_id = data.get(SESSION_KEY)
        row.begun_at = datetime.fromtimestamp(data[BEGUN], UTC)
        row.last_used_at = datetime.fromtimestamp(data[USED], UTC)
        row.address = data.get(ADDRESS, "")
        row.browser = data.get(BROWSER, "")
        return row
