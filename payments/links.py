"""Which addresses a customer's browser is sent to: pages of Stripe's, or of what stands in for it.

All of them came from Stripe itself. This looks at them once more, since our own page forwards.
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

    Without a real key the emulator says by itself where its pages are, maybe behind another name.
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
