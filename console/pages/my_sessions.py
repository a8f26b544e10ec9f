"""Where a person is logged in, and how to end that."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts import sessions
from accounts.models import ConsoleSession
from console import access, browsers, entrance
from console.access import ConsoleRequest

MOST = 100  # shown; the last used come first


@dataclass(frozen=True, slots=True)
class Shown:
    """A line of the list."""

    row: ConsoleSession
    browser: str
    is_here: bool


@access.signed_in("GET")
def show(request: ConsoleRequest) -> HttpResponse:
    here = sessions.digest(request.session.session_key or "")
    found = [
        Shown(row, browsers.named(row.browser), row.session_key == here)
        for row in sessions.of(request.user)[:MOST]
    ]
    return render(request, "console/me_sessions.html", {"sessions": found})


@access.signed_in("POST")
def end(request: ConsoleRequest, session: str) -> HttpResponse:
    """End a session. Somebody else's, an unknown and an ended one all get a 404."""
    found = sessions.of(request.user).filter(session_key=session)
    if session == sessions.digest(request.session.session_key or ""):
        entrance.leave(request)
        return access.redirect(request, reverse("console:log-in"))
    if not found.delete()[0]:
        raise Http404
    messages.success(request, _("That browser is logged out."))
    return access.redirect(request, reverse("console:me-sessions"))
