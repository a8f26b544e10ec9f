"""Sessions of the operators' pages, which live for a shorter time than customers' (decision 24)."""

from __future__ import annotations

from django.conf import settings

from accounts.sessions import DigestSessionStore


class SessionStore(DigestSessionStore):
    """Ends SESSION_COOKIE_AGE after its last request, ADMIN_SESSION_LIFETIME after its begin."""

    @classmethod
    def idle(cls) -> int:
        return int(settings.SESSION_COOKIE_AGE)

    @classmethod
    def lifetime(cls) -> int:
        return int(settings.ADMIN_SESSION_LIFETIME)
