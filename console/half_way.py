"""Between a right password and the code: the session knows the person, but nobody is logged in.

A new session begins at the password and another one after the code, so that a planted or a seen
cookie is worth nothing. A changed password or the end of the user ends it.
"""

from __future__ import annotations

import time

from django.http import HttpRequest
from django.utils.crypto import constant_time_compare

from accounts.models import User

KEY = "half_way"
LASTS = 600  # seconds


def begin(request: HttpRequest, user: User, wanted: str, text: str = "") -> None:
    """Begin it after a right password. ``wanted`` is the page after the code, ``text`` its text."""
    session = request.session
    session.flush()
    session[KEY] = {
        "user": str(user.pk),
        "of": user.get_session_auth_hash(),
        "at": int(time.time()),
        "next": wanted,
        "kept": text,
    }


def user_of(request: HttpRequest) -> User | None:
    """The user whose code is awaited; None if no code is awaited any more."""
    said = request.session.get(KEY)
    if said is None or time.time() - said["at"] > LASTS:
        return None
    user = User.objects.filter(pk=said["user"], is_active=True).first()
    if user is None or not constant_time_compare(user.get_session_auth_hash(), said["of"]):
        return None
    return user


def wanted(request: HttpRequest) -> str:
    """The page to show after the code, as it was asked for."""
    return str(request.session.get(KEY, {}).get("next", ""))


def text(request: HttpRequest) -> str:
    """What ``console/kept.py`` keeps for that page."""
    return str(request.session.get(KEY, {}).get("kept", ""))
