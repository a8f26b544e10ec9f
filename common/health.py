"""Whether this process lives; for load balancers and compose. ``/readyz``: generation/health.py."""

from __future__ import annotations

from django.http import HttpRequest, JsonResponse


def livez(request: HttpRequest) -> JsonResponse:
    """200 while the process answers at all."""
    return JsonResponse({"status": "ok"})
