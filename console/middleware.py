"""Session, user and messages of the console's pages; requests of the API have none of them.

The console has a cookie of its own. The operators' one is strict and sent to /admin/ alone. This
one is lax: people who come back from the payment page, or from a link in a mail, are still in.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import cast

from django.conf import settings
from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.messages.middleware import MessageMiddleware
from django.contrib.sessions.backends.base import UpdateError
from django.contrib.sessions.middleware import SessionMiddleware
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils.http import http_date

from common.api.shape import is_database_away
from common.web.pages import is_for_customers, only_where
from console.sessions import SessionStore

COOKIE = "reelmint_console"


class _Sessions(SessionMiddleware):
    """Django's middleware with our cookie: Django reads its name from the operators' settings."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        super().__init__(get_response)
        self.SessionStore = SessionStore

    def process_request(self, request: HttpRequest) -> None:
        """Django's hook. The session is read when something in it is asked for."""
        request.session = self.SessionStore(request.COOKIES.get(COOKIE))

    def process_exception(self, request: HttpRequest, error: Exception) -> None:
        """Django's hook. While the database is away, the session must not be read once more.

        It would be read for messages and for its last use, outside of the view: an error there is
        no "back in a moment" any more. The cookie stays.
        """
        if is_database_away(error) and isinstance(getattr(request, "session", None), SessionStore):
            request.session = SessionStore()

    def process_response(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        """Django's hook. Writes what changed and sets the cookie, or deletes it after a log-out.

        If the session is gone the cookie stays: another tab may have got the next one meanwhile, by
        a confirmation or a new password, and this answer comes after that.
        """
        session = cast("SessionStore", request.session)
        if session.accessed:
            session.mark_used()
        if not session.modified:
            return response
        if session.is_empty():
            if COOKIE in request.COOKIES:
                response.delete_cookie(COOKIE, path="/", samesite="Lax")
            return response
        if response.status_code >= 500:
            return response
        try:
            session.save()
        except UpdateError:  # it was ended meanwhile, in another tab or browser
            return response
        age = session.get_session_cookie_age()
        response.set_cookie(
            COOKIE,
            session.session_key or "",
            max_age=age,
            expires=http_date(time.time() + age),
            path="/",
            secure=settings.SESSION_COOKIE_SECURE,
            httponly=True,
            samesite="Lax",
        )
        return response


ConsoleSessionMiddleware = only_where(is_for_customers, _Sessions)
ConsoleAuthenticationMiddleware = only_where(is_for_customers, AuthenticationMiddleware)
ConsoleMessageMiddleware = only_where(is_for_customers, MessageMiddleware)
