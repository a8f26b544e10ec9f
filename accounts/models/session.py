"""Where people are logged in to the console."""

from __future__ import annotations

from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import models

from accounts.models.user import User

MAX_BROWSER = 200  # characters of what a browser says of itself


class ConsoleSession(AbstractBaseSession):
    """A browser in which a person is logged in, or is about to be (then without a user).

    ``session_key`` is a digest, see ``accounts/sessions.py``.
    """

    user = models.ForeignKey(
        User, on_delete=models.CASCADE, null=True, related_name="console_sessions"
    )
    begun_at = models.DateTimeField()
    last_used_at = models.DateTimeField(db_comment="as exact as five minutes")
    address = models.CharField(max_length=50, blank=True, db_comment="an IPv6 one by its /64")
    browser = models.CharField(max_length=MAX_BROWSER, blank=True)

    def __str__(self) -> str:
        return f"{self.user} since {self.begun_at:%Y-%m-%d %H:%M}"
