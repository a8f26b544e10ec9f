"""``GET /api/schema/``: the OpenAPI document, made once a process.

Making it takes 250 ms the first time and 65 ms each later time. drf-spectacular loads its
extensions in a way that two threads at once break (500). The document is the same for everybody,
so nothing of a request goes into it.
"""

from __future__ import annotations

import threading
from typing import Any

from django.http import HttpResponse
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularAPIView
from rest_framework.request import Request

_lock = threading.Lock()
_made: dict[str, bytes] = {}


class SchemaView(SpectacularAPIView):
    """Sends the document as YAML or JSON."""

    @extend_schema(exclude=True)
    def get(self, request: Request, *_: Any, **__: Any) -> HttpResponse:
        """The first request of a process makes it, and others wait meanwhile."""
        renderer: Any = request.accepted_renderer
        with _lock:
            if renderer.media_type not in _made:
                schema = SchemaGenerator().get_schema(request=None, public=True)
                _made[renderer.media_type] = renderer.render(schema, renderer_context={})
            document = _made[renderer.media_type]
        name = f'inline; filename="Reelmint API.{renderer.format}"'
        media_type = f"{renderer.media_type}; charset=utf-8"
        return HttpResponse(document, media_type, headers={"Content-Disposition": name})
