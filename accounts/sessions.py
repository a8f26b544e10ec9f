"""Sessions of people in browsers: the tables hold the SHA-256 of what the cookies hold.

Django's own backend stores the cookie's value, so that a dump of the database would let its reader
act as anybody. The value is random, so it needs no password hash; nor do API keys.
"""

from __future__ import annotations

import hashlib
import time
from typing import Any

from django.contrib.sessions.backends import db
from django.contrib.sessions.base_session import AbstractBaseSession
from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from accounts.models import ConsoleSession, User

BEGUN = "begun"  # seconds since 1970
TOGETHER = 1000  # a pass
COLUMN_LENGTH = 40  # hexadecimal digits that fit into Django's column session_key: 160 bits


def digest(session_key: str) -> str:
    """The session's key in the table."""
    return hashlib.sha256(session_key.encode()).hexdigest()[:COLUMN_LENGTH]


def of(user: User) -> QuerySet[ConsoleSession]:
    """The person's sessions of the console, the last used first."""
    found = ConsoleSession.objects.filter(user=user, expire_date__gt=timezone.now())
    return found.order_by("-last_used_at", "session_key")


def end_all(user: User, but: str | None = None) -> int:
    """End the person's console sessions but the one of the cookie ``but``; return how many.

    Their rows are deleted. A browser notices that at its next request.
    """
    theirs = ConsoleSession.objects.filter(user=user)
    if but is not None:
        theirs = theirs.exclude(session_key=digest(but))
    return theirs.delete()[0]


def delete_ended() -> int:
    """Delete a batch of sessions whose time is over, of customers and operators; return how many.

    Nothing else deletes them: a request with such a cookie finds no session, and leaves the row.
    """
    deleted = 0
    for model in (ConsoleSession, Session):
        ended = model.objects.filter(expire_date__lt=timezone.now()).order_by("expire_date")
        with transaction.atomic():
            batch = list(ended.select_for_update(skip_locked=True).values_list("pk")[:TOGETHER])
            deleted += model.objects.filter(pk__in=[key for (key,) in batch]).delete()[0]
    return deleted


class DigestSessionStore(db.SessionStore):
    """Django's store, with digests in place of keys. WSGI does not use its asynchronous half.

    A session ends ``idle()`` seconds after its last use, and at the latest ``lifetime()`` seconds
    after it began.
    """

    @classmethod
    def idle(cls) -> int:
        raise NotImplementedError

    @classmethod
    def lifetime(cls) -> int:
        raise NotImplementedError

    def _get_session_from_db(self) -> Any:
        key = self.session_key
        rows = self.get_model_class().objects.filter(expire_date__gt=timezone.now())
        found = rows.filter(session_key=digest(key)).first() if key else None
        if found is None:
            self._session_key = None
        return found

    def exists(self, session_key: str) -> bool:
        """Whether there is a session for this cookie."""
        return super().exists(digest(session_key))

    def begin(self) -> None:
        """Count ``lifetime()`` from now, under a new cookie."""
        self[BEGUN] = int(time.time())
        self.cycle_key()

    def save(self, must_create: bool = False) -> None:
        """Write the row. A session that was never begun begins now."""
        self.setdefault(BEGUN, int(time.time()))
        super().save(must_create)

    def get_session_cookie_age(self) -> int:
        """Seconds that the session lives without another request; 0 if its time is over."""
        begun = int(self.get(BEGUN, time.time()))
        left = begun + self.lifetime() - int(time.time())
        return max(0, min(self.idle(), left))

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
