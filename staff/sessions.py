"""Sessions of the operators' pages: the table holds the SHA-256 of what the cookie holds.

Django's own backend stores the cookie's value: a dump of the database would be enough to act as any
operator. A random value needs no password hash, as with API keys.

A session ends SESSION_COOKIE_AGE after its last request, and at the latest ADMIN_SESSION_LIFETIME
after it began.
"""

from __future__ import annotations

import hashlib
import time
from typing import Any

from django.conf import settings
from django.contrib.sessions.backends import db
from django.contrib.sessions.base_session import AbstractBaseSession
from django.contrib.sessions.models import Session
from django.utils import timezone

BEGUN = "begun"  # seconds since 1970
COLUMN_LENGTH = 40  # hexadecimal digits that fit into Session.session_key: 160 bits


def digest(session_key: str) -> str:
    """The session's key in the table."""
    return hashlib.sha256(session_key.encode()).hexdigest()[:COLUMN_LENGTH]


class SessionStore(db.SessionStore):
    """Django's store, with digests in place of keys. WSGI does not use its asynchronous half."""

    def _get_session_from_db(self) -> Session | None:
        key = self.session_key
        rows = Session.objects.filter(expire_date__gt=timezone.now())
        found = rows.filter(session_key=digest(key)).first() if key else None
        if found is None:
            self._session_key = None
        return found

    def exists(self, session_key: str) -> bool:
        """Whether there is a session for this cookie."""
        return super().exists(digest(session_key))

    def begin(self) -> None:
        """Count ADMIN_SESSION_LIFETIME from now, under a new cookie."""
        self[BEGUN] = int(time.time())
        self.cycle_key()

    def save(self, must_create: bool = False) -> None:
        """Write the row. A session that was never begun begins now."""
        self.setdefault(BEGUN, int(time.time()))
        super().save(must_create)

    def get_session_cookie_age(self) -> int:
        """Seconds that the session lives without another request; 0 if its time is over."""
        begun = int(self.get(BEGUN, time.time()))
        left = begun + settings.ADMIN_SESSION_LIFETIME - int(time.time())
        return max(0, min(settings.SESSION_COOKIE_AGE, left))

    def create_model_instance(self, data: Any) -> AbstractBaseSession:
        """The row to be saved."""
        row = super().create_model_instance(data)
        row.session_key = digest(row.session_key)
        return row

    def delete(self, session_key: str | None = None) -> None:
        """End the session of this cookie, or this session."""
        key = self.session_key if session_key is None else session_key
        if key is not None:
            super().delete(digest(key))
