"""Who may read metrics: whoever has the token, and who comes from an internal address."""

from __future__ import annotations

import hmac
from ipaddress import IPv4Address, IPv6Address

from django.conf import settings

Address = IPv4Address | IPv6Address


def may_read(authorization: str, address: Address | None) -> bool:
    """``authorization`` is the header's value; ``address`` is None when it is not known for sure.

    METRICS_TOKEN (as ``Bearer <token>``) or an address of METRICS_NETWORKS opens.
    """
    scheme, _, given = authorization.partition(" ")
    token: str = settings.METRICS_TOKEN
    if token and scheme.lower() == "bearer":
        return hmac.compare_digest(given.strip().encode(), token.encode())
    return address is not None and any(
        address.version == network.version and address in network
        for network in settings.METRICS_NETWORKS
    )
