"""Who may read metrics: a client with the token, or one at an internal address."""

from __future__ import annotations

import hmac
from ipaddress import IPv4Address, IPv6Address

from django.conf import settings

Address = IPv4Address | IPv6Address


def may_read(authorization: str, address: Address | None) -> bool:
    """Whether METRICS_TOKEN (as ``Bearer <token>``) or an address of METRICS_NETWORKS is given.

    ``authorization`` is the header's value; ``address`` is None if it is not known for sure.
    """
    scheme, _, given = authorization.partition(" ")
    token: str = settings.METRICS_TOKEN
    if token and scheme.lower() == "bearer":
        return hmac.compare_digest(given.strip().encode(), token.encode())
    return address is not None and any(
        address.version == network.version and address in network
        for network in settings.METRICS_NETWORKS
    )
