"""Stripe's own library, set up as the settings say. Nothing else talks to Stripe."""

from __future__ import annotations

from functools import cache

from django.conf import settings
from stripe import HTTPXClient, StripeClient

PATIENCE = 8.0  # seconds that one call may take


def transport(seconds: float = PATIENCE) -> HTTPXClient:
    """Connections to Stripe that one event loop or any thread may use."""
    return HTTPXClient(timeout=seconds, allow_sync_methods=True)


def connect(http: HTTPXClient) -> StripeClient:
    """A client that repeats no call by itself.

    A web request has no time for it. All other calls are repeated because their row is due again.
    """
    key, base_url = settings.STRIPE_SECRET_KEY, settings.STRIPE_BASE_URL
    if base_url:
        return StripeClient(
            key, base_addresses={"api": base_url}, max_network_retries=0, http_client=http
        )
    return StripeClient(key, max_network_retries=0, http_client=http)


@cache
def shared_transport(seconds: float) -> HTTPXClient:
    """The connections of this process's threads; made at the first use, so after the fork."""
    return transport(seconds)


def shared(seconds: float = PATIENCE) -> StripeClient:
    """A client for the threads of this process."""
    return connect(shared_transport(seconds))
