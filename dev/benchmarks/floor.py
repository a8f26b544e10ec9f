"""An empty view: what gunicorn, Django and DRF cost before anybody wrote a line."""

from __future__ import annotations

from django.urls import path
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView


class EmptyView(APIView):
    def get(self, request: Request) -> Response:
        """The least that a JSON API can answer."""
        return Response({"success": True})


urlpatterns = [path("", EmptyView.as_view())]
