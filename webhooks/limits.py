"""How often an account may let something be sent by hand."""

from __future__ import annotations

import uuid

from common.web import rate_limit

MINUTE = 60  # seconds
TESTS, RETRIES = 10, 60  # a minute, contract section 12


def count_test(account_id: uuid.UUID) -> None:
    """Count a test of an endpoint. Raises RateLimited."""
    _count("webhook-tests", TESTS, account_id)


def count_retry(account_id: uuid.UUID) -> None:
    """Count a delivery that is sent again, or a recovery. Raises RateLimited."""
    _count("webhook-retries", RETRIES, account_id)


def _count(name: str, limit: int, account_id: uuid.UUID) -> None:
    decision = rate_limit.hit(name, limit, MINUTE, str(account_id))
    if not decision.allowed:
        raise rate_limit.too_many(decision)
