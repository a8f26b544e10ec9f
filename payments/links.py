"""The addresses that a customer's browser may be sent to: Stripe's pages, or the emulator's.

All of them came from Stripe itself. They are checked once more, because our own page forwards.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from django.conf import settings
from django.utils import timezone

from payments.models import Payment
from payments.models.states import State

DOMAIN = "stripe.com"
LONGEST = 4_000  # characters; Stripe's links have about 400, and a proxy limits a header


def to_pay(payment: Payment) -> str:
    """Where the payment can be paid now; empty when it cannot."""
    if payment.state != State.OPEN or payment.expires_at <= timezone.now():
        return ""
    return payment.url if is_stripes(payment.url) else ""


def is_stripes(url: str) -> bool:
    """Whether a browser may be sent there.

    The emulator itself says where its pages are; they may have another host name than its API.
    """
    if len(url) > LONGEST or not url.isascii() or not url.isprintable() or " " in url:
        return False
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:  # brackets or a port that are none
        return False
    if parts.username is not None or "\\" in url or not host:
        return False
    if settings.STRIPE_BASE_URL:
        return parts.scheme in ("http", "https")
    return parts.scheme == "https" and (host == DOMAIN or host.endswith(f".{DOMAIN}"))
