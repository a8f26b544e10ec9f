"""What is true of every error, whatever it is about (contract, section 6)."""

from __future__ import annotations

from typing import Any

import httpx

FIELDS = {"success", "error", "code", "request_id"}


def error(answer: httpx.Response, status: int, code: str, *extra: str) -> dict[str, Any]:
    """The body of an error, of which everything that is always so was looked at."""
    assert answer.status_code == status, answer.text
    assert answer.headers["Content-Type"].split(";")[0] == "application/json"
    body: dict[str, Any] = answer.json()
    assert body["success"] is False
    assert body["code"] == code, body
    assert body["request_id"] == answer.headers["X-Request-ID"]
    assert isinstance(body["error"], str)
    assert body["error"]
    assert set(body) - {"details"} - set(extra) == FIELDS
    for field, text in body.get("details", {}).items():
        assert isinstance(text, str)
        assert text, field
        assert not text.endswith(".")
    return body
