"""The examples of the OpenAPI page."""

from __future__ import annotations

from drf_spectacular.utils import OpenApiExample

_SESSION = {
    "token": "rmt_3kTqV0cYp1Wb8sXn5LfRj2ZgHd7EmUaKi6Qo9v0001Zx",
    "user": {
        "id": "5f0c2a0e-3a1f-4a7e-8a55-6f1c7f1e2b02",
        "username": "ada",
        "email": "ada@example.com",
        "credits_balance": 0,
    },
}

REGISTER = [
    OpenApiExample(
        "A new customer",
        {"username": "ada", "email": "ada@example.com", "password": "a long sentence of mine"},
        request_only=True,
    ),
    OpenApiExample("Registered", _SESSION, response_only=True, status_codes=["201"]),
]
LOGIN = [
    OpenApiExample(
        "By user name",
        {"username": "ada", "password": "a long sentence of mine"},
        request_only=True,
    ),
    OpenApiExample(
        "By e-mail",
        {"username": "ada@example.com", "password": "a long sentence of mine"},
        request_only=True,
    ),
    OpenApiExample("Logged in", _SESSION, response_only=True, status_codes=["200"]),
]
PASSWORD = [
    OpenApiExample(
        "A new password",
        {"current_password": "a long sentence of mine", "new_password": "another long sentence"},
        request_only=True,
    ),
    OpenApiExample(
        "Logged in anew, everything else logged out",
        _SESSION,
        response_only=True,
        status_codes=["200"],
    ),
]
TOKENS = [
    OpenApiExample(
        "One login token",
        {
            "id": "c2d9b7de-4a4b-4f0f-9a53-1d6a0b7e4d04",
            "token_preview": "rmt_3kTq…01Zx",
            "created_at": "2026-11-22T12:00:00Z",
            "last_used_at": "2026-11-22T12:30:00Z",
            "expires_at": "2026-12-22T12:30:00Z",
            "current": True,
        },
        response_only=True,
        status_codes=["200"],
    )
]
