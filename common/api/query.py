"""Query parameters."""

from __future__ import annotations

from django.http import HttpRequest
from rest_framework.request import Request

from common.errors import InvalidRequest


def choice(request: Request, name: str, allowed: tuple[str, ...]) -> str | None:
    """A query parameter's value. Raises InvalidRequest unless it is one of ``allowed``."""
    value = request.query_params.get(name)
    if value is None or value in allowed:
        return value
    message = f"Invalid {name}. Must be one of: {', '.join(allowed)}"
    raise InvalidRequest(message, details={name: message})


def number(request: HttpRequest, name: str, default: int, least: int, most: int) -> int:
    """A query parameter's whole number. Raises InvalidRequest unless it is one in these bounds."""
    text = request.GET.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and len(text) < 10 and least <= int(text) <= most):
        message = f"Must be a whole number from {least} to {most}"
        raise InvalidRequest(f"{name.capitalize()} m{message[1:]}", details={name: message})
    return int(text)
