"""Which backend is asked: for a new attempt the catalog row's, for all else the one stored.

The backend is never guessed from an operation's name. A backend that this build lacks (a newer
release wrote its name) cannot be asked: its rows wait, and an alert calls an operator.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Generic, cast

from django.conf import settings

from common.telemetry.metrics import Counter
from generation.backends.base import Reader, Unavailable
from generation.backends.capabilities import Capabilities
from generation.models import CatalogModel
from generation.provider.connect import Backend_co, connect
from generation.provider.route import Route
from generation.provider.unreachable import Unreachable

logger = logging.getLogger(__name__)

MISSING = Counter(
    "reelmint_backend_missing", "Times that a row named a backend which this build does not have."
)


class Router(Generic[Backend_co]):
    """Backends by name, made when first needed; they belong to one event loop."""

    def __init__(self, classes: Mapping[str, type[Backend_co]]) -> None:
        self._classes: dict[str, type[Reader]] = dict(classes)
        self._made: dict[tuple[str, str], Reader] = {}

    def has(self, name: str) -> bool:
        """Whether this build has it; one that is missing is counted."""
        if name in self._classes:
            return True
        MISSING.inc()
        logger.error("a row names the backend %s, which this build does not have", name)
        return False

    def capabilities(self, name: str) -> Capabilities:
        return self._classes.get(name, Unreachable).capabilities

    def of(self, name: str, location: str = "") -> Backend_co:
        """The backend of that name. ``location`` counts only for submits; "" = its own one."""
        if not self.has(name):
            return cast("Backend_co", Unreachable(name))
        where = location or self._own_location(name)
        if (name, where) not in self._made:
            self._made[name, where] = connect(self._classes[name], where)
        return cast("Backend_co", self._made[name, where])

    def route(self, model: CatalogModel, provider_model: str) -> Route:
        """The route of a new attempt for that row. Raises Unavailable if its backend is missing."""
        name = model.backend
        if not self.has(name):
            raise Unavailable(f"this build has no backend {name!r}")
        where = model.location or self._own_location(name)
        return Route(
            backend=name,
            project=settings.GOOGLE_CLOUD_PROJECT,
            location=where,
            model=provider_model,
            place_for=self.of(name, where).place_for,
            remembers=self.capabilities(name).remembers,
        )

    async def aclose(self) -> None:
        for backend in self._made.values():
            await backend.aclose()

    def _own_location(self, name: str) -> str:
        return self.capabilities(name).location or settings.GOOGLE_CLOUD_LOCATION
