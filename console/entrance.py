"""The session of a log-in, its end, and whether the person proved lately who they are."""

from __future__ import annotations

import time
from typing import cast

from django.contrib import auth
from django.http import HttpRequest

from accounts.models import MAX_BROWSER, User
from common.web.client_address import client_address
from console.sessions import ADDRESS, BROWSER, SessionStore

CONFIRMED = "confirmed"  # seconds since 1970
LATELY = 900  # seconds: log-in or password, before what is sensitive


def enter(request: HttpRequest, user: User) -> None:
    """Log ``user`` in: a new session under a new cookie, and a new CSRF token."""
    session = _session(request)
    session.flush()  # nothing stays of the person who used this browser before
    session[ADDRESS] = client_address(request)
    session[BROWSER] = _browser(request)
    auth.login(request, user, backend="django.contrib.auth.backends.ModelBackend")
    confirm_now(request)


def leave(request: HttpRequest) -> None:
    auth.logout(request)


def confirm_now(request: HttpRequest) -> None:
    """Keep that the person proved just now who they are, by a password or a code."""
    request.session[CONFIRMED] = int(time.time())


def has_confirmed_lately(request: HttpRequest) -> bool:
    """Whether the last such proof is at most a quarter of an hour old."""
    return bool(time.time() - int(request.session.get(CONFIRMED, 0)) < LATELY)


def _session(request: HttpRequest) -> SessionStore:
    return cast("SessionStore", request.session)


def _browser(request: HttpRequest) -> str:
    said = request.headers.get("User-Agent", "")
    return "".join(letter for letter in said if letter.isprintable())[:MAX_BROWSER]
