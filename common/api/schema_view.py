"""``GET /api/schema/``: the OpenAPI document, made once a process and for each change in it.

Making it takes 250 ms the first time and 65 ms each later time. drf-spectacular loads its
extensions in a way that two threads at once break (500). The document is the same for everybody,
so nothing of a request goes into it.
"""

from __future__ import annotations

import copy
import threading
from collections.abc import Hashable
from typing import Any

from django.http import HttpResponse
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularAPIView
from rest_framework.request import Request

_lock = threading.Lock()
_rendered: dict[str, tuple[Hashable, bytes]] = {}
_schema: dict[str, Any] = {}


class SchemaView(SpectacularAPIView):
    """Sends the document as YAML or JSON."""

    def version(self) -> Hashable:
        """What the document depends on besides the code."""
        return None

    def completed(self, schema: dict[str, Any]) -> dict[str, Any]:
        """The document with what depends on ``version``; ``schema`` may be changed."""
        return schema

    @extend_schema(exclude=True)
    def get(self, request: Request, *_: Any, **__: Any) -> HttpResponse:
        """The first request of a version makes it, and others wait meanwhile."""
        renderer: Any = request.accepted_renderer
        version = self.version()
        with _lock:
            known = _rendered.get(renderer.media_type)
            if known is None or known[0] != version:
                if not _schema:
                    _schema.update(SchemaGenerator().get_schema(request=None, public=True))
                schema = self.completed(copy.deepcopy(_schema))
                known = version, renderer.render(schema, renderer_context={})
                _rendered[renderer.media_type] = known
        name = f'inline; filename="Reelmint API.{renderer.format}"'
        media_type = f"{renderer.media_type}; charset=utf-8"
        # what a cache holds has to be asked for again: a version may be new at any moment
        headers = {"Content-Disposition": name, "Cache-Control": "public, no-cache"}
        return HttpResponse(known[1], media_type, headers=headers)
