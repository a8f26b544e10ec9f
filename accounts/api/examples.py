"""The examples of the OpenAPI page."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiExample

_KEY: dict[str, Any] = {
    "id": "0b9f4a54-7c55-4b43-9d4c-0a6f6a1d1c01",
    "name": "My web shop",
    "key_preview": "rmk_3kTq…9aZx",
    "created_at": "2026-11-22T12:00:00Z",
    "expires_at": None,
}

ACCOUNT_CHOICE = [
    OpenApiExample("Keys manage keys", {"keys_manage_keys": True}, request_only=True),
]
ACCOUNT = [
    OpenApiExample(
        "An account",
        {
            "id": "7a1d0c52-91f4-4c1e-b0a5-2f0f5d1e3c03",
            "name": "ada",
            "created_at": "2026-11-22T12:00:00Z",
            "keys_manage_keys": False,
        },
        response_only=True,
        status_codes=["200"],
    )
]
NEW_KEY = [
    OpenApiExample("A key for good", {"name": "My web shop"}, request_only=True),
    OpenApiExample(
        "A key that expires",
        {"name": "Trial", "expires_at": "2030-01-31T12:00:00Z"},
        request_only=True,
    ),
    OpenApiExample(
        "The key, shown once",
        {**_KEY, "key": "rmk_3kTqV0cYp1Wb8sXn5LfRj2ZgHd7EmUaKi6Qo9v0009aZx"},
        response_only=True,
        status_codes=["201"],
    ),
]
KEYS = [
    OpenApiExample(
        "One key",
        {**_KEY, "last_used_at": "2026-11-22T12:30:00Z"},
        response_only=True,
        status_codes=["200"],
    )
]
