"""Stripe's own library, set up as the settings say. Nothing else talks to Stripe."""

from __future__ import annotations

from functools import cache

from django.conf import settings
from stripe import HTTPXClient, StripeClient

PATIENCE = 8.0  # seconds that one call may take


def transport(seconds: float = PATIENCE) -> HTTPXClient:
    """Connections to Stripe, for one event loop and for any thread."""
    return HTTPXClient(timeout=seconds, allow_sync_methods=True)


def connect(http: HTTPXClient) -> StripeClient:
    """A client that repeats nothing by itself.

    A web request has no time for it, and a row that is due is the repetition of everything else.
    """
    key, base_url = settings.STRIPE_SECRET_KEY, settings.STRIPE_BASE_URL
    if base_url:
        return StripeClient(
            key, base_addresses={"api": base_url}, max_network_retries=0, http_client=http
        )
    return StripeClient(key, max_network_retries=0, http_client=http)


@cache
def shared_transport(seconds: float) -> HTTPXClient:
    """This process's, for its threads; made at the first use and therefore after the fork."""
    return transport(seconds)


def shared(seconds: float = PATIENCE) -> StripeClient:
    """A client for the threads of this process."""
    return connect(shared_transport(seconds))
