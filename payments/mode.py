"""Whether credits are sold, and for real money."""

from __future__ import annotations

from django.conf import settings


def payments_available() -> bool:
    """Without a key of Stripe's nothing is sold; what was bought stays readable."""
    return bool(settings.STRIPE_SECRET_KEY)


def livemode() -> bool:
    """Whether the key moves real money; rows of the other mode are never touched."""
    return "_live_" in settings.STRIPE_SECRET_KEY[:8]
