"""``Idempotency-Key``: what "the same request" means (contract, section 7), and its refusals."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from common.errors import ApiError


class IdempotencyKeyReused(ApiError):
    """409: this key belongs to another request."""

    status_code = 409
    default_code = "idempotency_key_reused"
    default_detail = "This Idempotency-Key was already used for a different request"


class IdempotencyInProgress(ApiError):
    """409: the first request with this key is still being worked on."""

    status_code = 409
    default_code = "idempotency_in_progress"
    default_detail = "A request with this Idempotency-Key is in progress, try again shortly"


def fingerprint(path: str, body: dict[str, Any]) -> bytes:
    """What "the same request" means: path and parsed object before defaults.

    A field that is null is as if absent, here as for what the request asks for.
    """
    return _digest(path, {name: value for name, value in body.items() if value is not None})


def is_of(stored: bytes, path: str, body: dict[str, Any]) -> bool:
    """Whether a fingerprint that was ``stored`` with a row is of this request."""
    # until 1.0 the fields that were sent as null were part of it
    return stored in (fingerprint(path, body), _digest(path, body))


def _digest(path: str, body: dict[str, Any]) -> bytes:
    canonical = json.dumps([path, body], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).digest()
