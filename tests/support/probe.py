"""The service's paths and two views that do nothing, so that a test counts only requests."""

from __future__ import annotations

from django.urls import include, path
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.authentication import SecretThatCreates, arrival


class ProbeView(APIView):
    """Tells who called."""

    def get(self, request: Request) -> Response:
        return Response({"account": str(arrival(request).key.account.pk)})

    def post(self, request: Request) -> Response:
        return Response({"account": str(arrival(request).key.account.pk)}, status=201)


class CreatesView(ProbeView):
    authentication_classes = [SecretThatCreates]


urlpatterns = [
    path("api/probe/", ProbeView.as_view()),
    path("api/probe/creates/", CreatesView.as_view()),
    path("", include("config.urls")),
]
