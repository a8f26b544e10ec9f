"""Between a right password and the code: a session that knows who is coming, and nobody is in it.

It is another session than before the password and than after the code, so that a cookie that
somebody planted, or saw, is worth nothing. A changed password or the end of the user ends it.
"""

from __future__ import annotations

import time

from django.http import HttpRequest
from django.utils.crypto import constant_time_compare

from accounts.models import User

KEY = "half_way"
LASTS = 600  # seconds


def begin(request: HttpRequest, user: User, wanted: str, text: str = "") -> None:
    """The password was right. ``wanted`` is the page to show after the code, ``text`` is for it."""
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
    """The user whose code is awaited; None when nobody's is any more."""
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
