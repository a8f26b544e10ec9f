"""A generation's stream from the web, which holds none: it ends at once (contract, section 14)."""

from __future__ import annotations

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.authentication import arrival
from common.api.base_url import base_url
from common.api.negotiation import AnyAccept
from common.errors import NotFound
from generation.api import lookup
from generation.models import Generation
from webhooks.api import stream_document
from webhooks.waiter import frames


class StreamView(APIView):
    authentication_classes = [lookup.SecretWithGeneration]
    content_negotiation_class = AnyAccept

    @stream_document.stream
    def get(self, request: Request, generation_id: str) -> HttpResponseBase:
        """The frame that is due, and the end after an end; the client comes back for more."""
        generation: Generation | None = arrival(request).found
        if generation is None:
            raise NotFound
        generation.account = arrival(request).key.account  # says how long outputs are kept
        had = frames.seen(request)
        content = frames.finished(generation, generation.now, base_url(request), had)
        if content is None:
            return Response(status=204, headers={"Cache-Control": "no-store"})
        return HttpResponse(content, headers=frames.HEADERS)
