"""Which client a request without credentials is counted for."""

from __future__ import annotations

import ipaddress

from django.conf import settings
from django.http import HttpRequest

# A provider hands out at least a /64 to every customer (RFC 6177), who may use any address of it.
IPV6_PREFIX = 64


def client_address(request: HttpRequest) -> str:
    """The client's IPv4 address or IPv6 /64 network; ``unknown`` behind a nameless socket.

    Of ``X-Forwarded-For`` only the entry that our own outermost proxy wrote is believed: the
    ``NUM_PROXIES``-th from the right. Everything left of it is the client's own invention.
    """
    address: str = request.META.get("REMOTE_ADDR", "")
    proxies: int = settings.NUM_PROXIES
    forwarded = request.META.get("HTTP_X_FORWARDED_FOR", "")
    if proxies and forwarded and forwarded.count(",") + 1 >= proxies:
        address = forwarded.split(",")[-proxies]
    return _group(address.strip())


def _group(text: str) -> str:
    if text.count(":") == 1:  # some proxies append the port
        text = text.partition(":")[0]
    elif text.startswith("["):
        text = text[1:].partition("]")[0]
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return "unknown"
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(ipaddress.ip_network((int(address), IPV6_PREFIX), strict=False))
