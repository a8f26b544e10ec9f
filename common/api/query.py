"""Query parameters."""

from __future__ import annotations

from rest_framework.request import Request

from common.errors import InvalidRequest


def choice(request: Request, name: str, allowed: tuple[str, ...]) -> str | None:
    """A query parameter's value. Raises InvalidRequest unless it is one of ``allowed``."""
    value = request.query_params.get(name)
    if value is None or value in allowed:
        return value
    message = f"Invalid {name}. Must be one of: {', '.join(allowed)}"
    raise InvalidRequest(message, details={name: message})
