"""Events, and the endpoints that hear of them."""

from __future__ import annotations

import json
import secrets
import time
from typing import Any

from dev.stripe.wire.store import Obj, new_id

API_VERSION = "2026-10-28.endive"


def make_event(kind: str, obj: Obj, previous: Obj | None, request: Obj) -> Obj:
    """``obj`` is copied as it is now; ``previous`` holds what changed fields were before."""
    data: Obj = {"object": json.loads(json.dumps(obj))}
    if previous is not None:
        data["previous_attributes"] = previous
    return {
        "id": new_id("evt"),
        "object": "event",
        "api_version": API_VERSION,
        "created": int(time.time()),
        "data": data,
        "livemode": False,
        "pending_webhooks": 0,
        "request": request,
        "type": kind,
    }


def make_endpoint(url: str, enabled_events: list[str], secret: str = "", **more: Any) -> Obj:
    """``secret`` is kept with it; only the answer to its creation shows it."""
    return {
        "id": new_id("we"),
        "object": "webhook_endpoint",
        "api_version": None,
        "application": None,
        "created": int(time.time()),
        "description": None,
        "enabled_events": enabled_events,
        "livemode": False,
        "metadata": {},
        "secret": secret or f"whsec_{secrets.token_hex(16)}",
        "status": "enabled",
        "url": url,
        **more,
    }
