"""Google's access token, always fresh before it is needed.

google-auth refreshes synchronously and may wait for minutes. Here it works in one thread at a time,
ahead of expiry and with a limit, so that neither the event loop nor a paid request waits for it.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import functools
import logging

import google.auth
from google.auth import exceptions
from google.auth.credentials import Credentials, with_scopes_if_required
from google.auth.transport.requests import Request

logger = logging.getLogger(__name__)

SCOPES = ("https://www.googleapis.com/auth/cloud-platform",)
# The metadata server gives the same token again until 5 minutes before its end, and google-auth
# itself calls a token expired 3 min 45 s before it; between the two a new one can be had in time.
AHEAD = dt.timedelta(minutes=5)
PAUSE = 1.0  # seconds between two tries, so that a dead token endpoint is not asked by every poll
# google-auth trusts the shape of what a token endpoint answers.
_FAILED = (exceptions.GoogleAuthError, OSError, ValueError, TypeError, LookupError, AttributeError)


class TokenUnavailable(Exception):
    """There is no valid access token now; nothing was sent to the provider."""


class GoogleToken:
    """The credentials of one backend. ``limit`` is how long a caller waits, in seconds."""

    def __init__(self, credentials: Credentials | None, *, limit: float) -> None:
        self._credentials: Credentials | None = None
        if credentials is not None:
            self._credentials = with_scopes_if_required(credentials, SCOPES)
        self._limit = limit
        self._doubtful = False
        self._refreshing: asyncio.Task[None] | None = None
        self._not_before = 0.0

    async def fresh(self) -> Credentials:
        """Credentials with a valid token. Raises :class:`TokenUnavailable`."""
        current = self._credentials
        if current is not None and current.token and not current.expired:
            if self._doubtful or _ends_soon(current):
                self._start()
            return current
        if (task := self._start()) is None:
            raise TokenUnavailable("the last try to get an access token failed just now")
        try:
            await asyncio.wait_for(asyncio.shield(task), self._limit)
        except TimeoutError:
            raise TokenUnavailable("no access token in time") from None
        if (current := self._credentials) is None or not current.token or current.expired:
            raise TokenUnavailable("no access token")
        return current

    async def headers(self) -> dict[str, str]:
        """The headers that authorise one request. Raises :class:`TokenUnavailable`."""
        credentials = await self.fresh()
        headers = {"Authorization": f"Bearer {credentials.token}"}
        if credentials.quota_project_id:
            headers["x-goog-user-project"] = credentials.quota_project_id
        return headers

    def doubt(self) -> None:
        """Say that the provider refused the token (401): get another one, soon."""
        self._doubtful = True

    async def aclose(self) -> None:
        """Forget a refresh that is still going on; its thread ends by its own time limit."""
        if self._refreshing is not None:
            self._refreshing.cancel()

    def _start(self) -> asyncio.Task[None] | None:
        """The one refresh that is going on, or a new one; None so soon after a failed one."""
        if self._refreshing is None or self._refreshing.done():
            if asyncio.get_running_loop().time() < self._not_before:
                return None
            self._refreshing = asyncio.create_task(self._refresh())
        return self._refreshing

    async def _refresh(self) -> None:
        try:
            await asyncio.to_thread(self._refresh_in_thread)
            self._doubtful = False
        except _FAILED as error:
            # Only the type: the text may quote what the token endpoint answered.
            logger.warning("Google access token not refreshed: %s", type(error).__name__)
            self._not_before = asyncio.get_running_loop().time() + PAUSE

    def _refresh_in_thread(self) -> None:
        if self._credentials is None:
            self._credentials, _ = google.auth.default(scopes=SCOPES)
        request = Request()
        try:
            limited = functools.partial(request, timeout=self._limit)
            self._credentials.refresh(limited)
        finally:
            request.session.close()


def _ends_soon(credentials: Credentials) -> bool:
    if credentials.expiry is None:
        return False
    # google-auth keeps the expiry as a naive time in UTC.
    now = dt.datetime.now(dt.UTC).replace(tzinfo=None)
    return bool(now >= credentials.expiry - AHEAD)
