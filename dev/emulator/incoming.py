"""What every call of Vertex AI begins with: the token, the body, the address of the model."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from aiohttp import web

from dev.emulator.errors import ApiError, invalid

MODELS = (
    "/{version:v1|v1beta1}/projects/{project}/locations/{location}"
    "/publishers/google/models/{model:[^/:]+}"
)

SMALL_BYTES = 100_000  # parsed at once; going through a thread would take longer


def check_token(request: web.Request) -> None:
    """Raises a 401 without a bearer token, or with one that begins with ``expired``."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip() or token.startswith("expired"):
        raise ApiError(
            401,
            "Request had invalid authentication credentials. Expected OAuth 2 access token.",
            {"WWW-Authenticate": 'Bearer realm="https://accounts.google.com/"'},
        )


async def read_json(request: web.Request) -> Any:
    """The body as JSON. Raises a 400 ApiError."""
    raw = await request.read()
    try:
        if len(raw) <= SMALL_BYTES:
            return json.loads(raw)
        return await asyncio.to_thread(json.loads, raw)
    except (ValueError, RecursionError):
        raise invalid("Invalid JSON payload received.") from None


def loose_labels(body: Any) -> dict[str, str]:
    """Labels of a refused body, which may be wrong in other ways."""
    labels = body.get("labels") if isinstance(body, dict) else None
    given = labels if isinstance(labels, dict) else {}
    return {key: word for key, word in given.items() if isinstance(word, str)}
