"""docs/webhooks.md as customers read it: the page says more than a document of paths can."""

from __future__ import annotations

from pathlib import Path

from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.views import APIView

from common.api.negotiation import AnyAccept

GUIDE = Path(__file__).resolve().parent.parent / "docs" / "webhooks.md"


@extend_schema(exclude=True)
class WebhooksGuideView(APIView):
    authentication_classes = []
    permission_classes = [AllowAny]
    content_negotiation_class = AnyAccept
    text = GUIDE.read_text()  # a process without it does not start

    def get(self, request: Request) -> HttpResponse:
        return HttpResponse(self.text, content_type="text/plain; charset=utf-8")
