"""Stripe's own library, set up as the settings say. Nothing else talks to Stripe."""

from __future__ import annotations

from functools import cache

from django.conf import settings
from stripe import HTTPXClient, StripeClient

PATIENCE = 8.0  # seconds that one call may take


def connect(seconds: float = PATIENCE) -> StripeClient:
    """A client for one event loop, or for threads.

    It repeats nothing by itself: a web request has no time for it, and a row that is due is the
    repetition of everything else.
    """
    return _connect(settings.STRIPE_SECRET_KEY, settings.STRIPE_BASE_URL, seconds)


def shared(seconds: float = PATIENCE) -> StripeClient:
    """This process's, for its threads; made at the first use and therefore after the fork."""
    return _shared(settings.STRIPE_SECRET_KEY, settings.STRIPE_BASE_URL, seconds)


def _connect(key: str, base_url: str, seconds: float) -> StripeClient:
    http = HTTPXClient(timeout=seconds, allow_sync_methods=True)
    if base_url:
        return StripeClient(
            key, base_addresses={"api": base_url}, max_network_retries=0, http_client=http
        )
    return StripeClient(key, max_network_retries=0, http_client=http)


_shared = cache(_connect)
