"""Examples of endpoints, deliveries and what is sent, for the OpenAPI document."""

from __future__ import annotations

from typing import Any

from generation.api import examples
from generation.api.examples import given, taken
from webhooks.forms import PublicDelivery, PublicEndpoint

EVENT_ID = "evt_019ab84de3707c9eb4a3f3f8d6a2c915"
ENDPOINT_ID = "we_019ab84cd1727c35a5d4be6f0f4a7d21"
DELIVERY_ID = "dlv_019ab84de3707a0f93b1c6e2d48b5e77"
TEST_ID = "evt_019ab84f0c5e7b0d8b4e2a9d31c7f604"
SHOWN = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
_URL = "https://hooks.example.com/reelmint"
_MOMENT = "2026-11-22T12:00:00.123456Z"
_ENDED = {"timestamp": "2026-11-22T12:00:55Z", "created_at": 1795348855}

ENDPOINT: PublicEndpoint = {
    "id": ENDPOINT_ID,
    "url": _URL,
    "description": "The shop",
    "event_types": ["generation.completed", "generation.failed", "generation.canceled"],
    "enabled": True,
    "disabled_reason": None,
    "disabled_at": None,
    "secret_hint": SHOWN[-4:],
    "previous_secret_expires_at": None,
    "api_version": "2026-12-01",
    "last_delivery": {"status": "succeeded", "at": "2026-11-22T12:00:55.323456Z"},
    "created_at": _MOMENT,
    "updated_at": _MOMENT,
}
OFF: PublicEndpoint = {
    **ENDPOINT,
    "enabled": False,
    "disabled_reason": "failing",
    "disabled_at": "2026-11-27T12:00:55.323456Z",
    "last_delivery": {"status": "failed", "at": "2026-11-27T12:00:55.323456Z"},
}
NEW: PublicEndpoint = {**ENDPOINT, "last_delivery": None}
DELIVERY: PublicDelivery = {
    "id": DELIVERY_ID,
    "event_id": EVENT_ID,
    "type": "generation.completed",
    "generation_id": examples.ID,
    "url": _URL,
    "status": "succeeded",
    "failed_reason": None,
    "attempts_made": 2,
    "next_attempt_at": None,
    "last_status_code": 200,
    "last_error": None,
    "created_at": "2026-11-22T12:00:55.123456Z",
    "finished_at": "2026-11-22T12:01:00.423456Z",
}
_DUE: PublicDelivery = {
    **DELIVERY,
    "status": "pending",
    "next_attempt_at": "2026-11-22T14:00:00.123456Z",
    "finished_at": None,
}


def event(what: str, data: Any) -> dict[str, Any]:
    """One that tells of an end."""
    return {"id": EVENT_ID, "object": "event", "type": what, **_ENDED, "data": data}


COMPLETED = event("generation.completed", examples.COMPLETED)
FAILED = event("generation.failed", examples.FAILED)
CANCELED = event("generation.canceled", examples.CANCELED)
TEST = {
    "id": TEST_ID,
    "object": "event",
    "type": "webhook_endpoint.test",
    **_ENDED,
    "data": {"webhook_endpoint_id": ENDPOINT_ID, "message": "This is a test"},
}
_ATTEMPTS = [
    {
        "at": "2026-11-22T12:00:55.223456Z",
        "duration_ms": 300,
        "status_code": 503,
        "error": "http_status",
    },
    {"at": "2026-11-22T12:01:00.323456Z", "duration_ms": 100, "status_code": 200, "error": None},
]


def _page(*results: Any) -> dict[str, Any]:
    around = {"success": True, "count": len(results), "count_is_capped": False}
    return around | {"next": None, "previous": None, "results": list(results)}


_OWN = {"success": True}
_ROTATED: PublicEndpoint = {**ENDPOINT, "previous_secret_expires_at": "2026-11-23T12:00:00.123456Z"}
CREATE = [
    taken("All ends", {"url": _URL}),
    taken(
        "Failures alone",
        {"url": _URL, "event_types": ["generation.failed"], "description": "The shop"},
    ),
    given("The endpoint and its secret", _OWN | NEW | {"secret": SHOWN}, 201),
]
LIST = [given("Two endpoints", _page(OFF, ENDPOINT))]
ONE = [given("It is on", _OWN | ENDPOINT), given("It is off", _OWN | OFF)]
CHANGE = [
    taken("Switch it on", {"enabled": True}),
    taken("Another place", {"url": _URL}),
    *ONE,
]
ROTATION = [
    taken("A day with both", {}),
    taken("The old one is known to others", {"keep_old_for_hours": 0, "force": True}),
]
ROTATE = [*ROTATION, given("The new secret", _OWN | _ROTATED | {"secret": SHOWN})]
SENT = [given("Sent", {"success": True, "delivery_id": DELIVERY_ID, "event_id": TEST_ID}, 202)]
RECOVER = [
    taken("Since this morning", {"since": "2026-11-22T06:00:00Z"}),
    taken("Of two hours", {"since": "2026-11-22T06:00:00Z", "until": "2026-11-22T08:00:00Z"}),
    given("All of them", {"success": True, "count": 17, "has_more": False}, 202),
]
DEFAULT = [
    given(
        "The secret",
        {
            "success": True,
            "secret": SHOWN,
            "secret_hint": SHOWN[-4:],
            "previous_secret_expires_at": None,
        },
    )
]
ROTATE_DEFAULT = [*ROTATION, *DEFAULT]
DELIVERIES = [given("A page", _page(DELIVERY))]
DELIVERY_WITH_ATTEMPTS = [
    given(
        "The second attempt succeeded",
        _OWN | DELIVERY | {"attempts": _ATTEMPTS, "payload": COMPLETED},
    )
]
RETRY = [given("It is due", _OWN | _DUE, 202)]
