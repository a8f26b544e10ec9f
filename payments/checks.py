"""Django's system check of what selling needs; config/payments.py refuses contradictions."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register

from common.checks import START
from payments.mode import payments_available


def check_return_address(**_: Any) -> list[CheckMessage]:
    """Stripe leads customers back to an address that a worker takes from the setting."""
    if not payments_available() or settings.PUBLIC_BASE_URL:
        return []
    return [
        Error(
            "PUBLIC_BASE_URL is not set: customers have nowhere to return to from Stripe's page.",
            hint="Set it to the address customers use, or unset STRIPE_SECRET_KEY.",
            id="reelmint.E032",
        )
    ]


def register_all() -> None:
    """Register it for ``--deploy`` alone: ``migrate`` needs no address."""
    register(check_return_address, Tags.security, START, deploy=True)
