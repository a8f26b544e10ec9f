"""Whether credits are sold, and for real money."""

from __future__ import annotations

from django.conf import settings


def payments_available() -> bool:
    """Whether there is a key of Stripe's. Without one nothing is sold; payments stay readable."""
    return bool(settings.STRIPE_SECRET_KEY)


def livemode() -> bool:
    """Whether the key moves real money. Rows of the other mode are never touched."""
    return "_live_" in settings.STRIPE_SECRET_KEY[:8]
