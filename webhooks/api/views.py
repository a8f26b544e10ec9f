"""The log of an account's events: section 11 of the contract."""

from __future__ import annotations

import uuid
from urllib.parse import urlencode

from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.authentication import arrival
from accounts.models import Account
from common import ids
from common.api.base_url import base_url
from common.api.pagination import DEFAULT_LIMIT, MAX_LIMIT
from common.api.query import choice, number
from events.models import Event, Type
from events.retention import kept_since
from generation.api import lookup
from webhooks import log, payload
from webhooks.api import document
from webhooks.api.errors import EventsExpired, NoSuchEvent
from webhooks.payload import PublicEvent

LATEST = "latest"
ASK_AGAIN = "5"  # seconds


class EventsView(APIView):
    @document.events
    def get(self, request: Request) -> Response:
        """Oldest first; whoever goes on from `cursor` misses none and sees none twice."""
        account = arrival(request).key.account
        limit = number(request, "limit", DEFAULT_LIMIT, 1, MAX_LIMIT)
        what = choice(request, "type", tuple(Type.values))
        said = request.query_params.get("after")
        if said == LATEST:
            newest = log.newest(account.pk)
            return _answer([], None if newest is None else payload.shown_id(newest), None)
        page = log.behind(account.pk, _place(said), limit, what)
        if page is None:
            raise NoSuchEvent
        results = _told(request, account, page.events)
        cursor = results[-1]["id"] if results else said
        following = _link(request, cursor, limit, what) if page.has_more else None
        return _answer(results, cursor, following)


def _place(said: str | None) -> uuid.UUID | None:
    """The event's id. Raises NoSuchEvent, or EventsExpired if it is older than all that is kept."""
    if said is None:
        return None
    after = payload.parse_id(said)
    if after is None:
        raise NoSuchEvent
    made, since = ids.made_at(after), kept_since(timezone.now())
    if since is not None and made is not None and made < since:
        raise EventsExpired
    return after


def _told(request: Request, account: Account, events: list[Event]) -> list[PublicEvent]:
    """The events with their generations as they are now, read by one statement."""
    named = [event.generation_id for event in events if event.generation_id is not None]
    generations = {each.pk: each for each in lookup.of_ids(named)} if named else {}
    base, told = base_url(request), []
    for event in events:
        if event.generation_id is not None:
            generation = generations[event.generation_id]
            generation.account = account  # says how long outputs are kept
            told.append(payload.to_dict(event, generation, generation.now, base))
    return told


def _answer(results: list[PublicEvent], cursor: str | None, following: str | None) -> Response:
    """Without a next page, ``Retry-After`` says when to look for one."""
    body = {
        "success": True,
        "results": results,
        "cursor": cursor,
        "has_more": following is not None,
        "next": following,
    }
    return Response(body, headers={} if following else {"Retry-After": ASK_AGAIN})


def _link(request: Request, cursor: str | None, limit: int, what: str | None) -> str:
    asked = {"after": cursor, "limit": limit} | ({} if what is None else {"type": what})
    return f"{base_url(request)}{request.path}?{urlencode(asked)}"
