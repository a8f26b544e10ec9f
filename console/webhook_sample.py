"""What a receiver gets, as an example on the page of webhooks: code, in no language."""

from __future__ import annotations

from typing import Any

HEADERS = """\
POST /webhooks HTTP/1.1
Content-Type: application/json
webhook-id: evt_0193e0f7c5d87a3e9b1f2c4d5e6f7a8b
webhook-timestamp: 1795932003
webhook-signature: v1,EPnl8nE6soUIX1EP7lX5sK2FmDdJs91Vqxm6X4ewVgY="""

EVENT: dict[str, Any] = {
    "id": "evt_0193e0f7c5d87a3e9b1f2c4d5e6f7a8b",
    "object": "event",
    "type": "generation.completed",
    "timestamp": "2026-11-29T06:00:00Z",
    "created_at": 1795932000,
    "data": {
        "id": "0193e0f7-0000-7000-8000-000000000000",
        "status": "completed",
        "video_url": "https://…",
        "credits_used": 240,
        "error": None,
        "…": "…",
    },
}
