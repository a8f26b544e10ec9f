"""Which client a request without credentials is counted for."""

from __future__ import annotations

import ipaddress

from django.conf import settings
from django.http import HttpRequest

# A provider hands out at least a /64 to every customer (RFC 6177), who may use any address of it.
IPV6_PREFIX = 64
# Many get a /56 or a /48 (the same RFC), and have 256 or 65,536 of the networks above then.
WIDER_PREFIXES = (56, 48)

# Whoever sets one of these stands between us and the client.
TRACES = ("HTTP_X_FORWARDED_FOR", "HTTP_FORWARDED", "HTTP_X_REAL_IP", "HTTP_VIA")

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def client_address(request: HttpRequest) -> str:
    """The client's IPv4 address or IPv6 /64 network; ``unknown`` behind a nameless socket.

    Of ``X-Forwarded-For`` only the entry that our own outermost proxy wrote is believed: the
    ``NUM_PROXIES``-th from the right. Everything left of it is the client's own invention.
    """
    address = _address(request)
    if address is None:
        return "unknown"
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    return str(ipaddress.ip_network((int(address), IPV6_PREFIX), strict=False))


def networks(address: str) -> list[str]:
    """What may be one customer's: a ``client_address``, and for IPv6 the wider networks around."""
    if "/" not in address:
        return [address]
    narrow = ipaddress.IPv6Network(address)
    return [address, *(str(narrow.supernet(new_prefix=prefix)) for prefix in WIDER_PREFIXES)]


def direct_address(request: HttpRequest) -> Address | None:
    """The client's exact address, for trusting it; None where it cannot be known for sure.

    A request that came through a proxy which is not one of ``NUM_PROXIES`` has that proxy's
    address, perhaps an internal one, and its client may be anybody.
    """
    hops = len(_forwarded(request))
    proxies: int = settings.NUM_PROXIES
    if any(request.META.get(name) for name in TRACES) and not 1 <= proxies <= hops:
        return None
    return _address(request)


def _forwarded(request: HttpRequest) -> list[str]:
    """What our own proxies wrote; what a client put before it may be long, and is not looked at."""
    header: str = request.META.get("HTTP_X_FORWARDED_FOR", "")
    proxies: int = settings.NUM_PROXIES
    return header.rsplit(",", proxies)[-proxies:] if header and proxies else []


def _address(request: HttpRequest) -> Address | None:
    text: str = request.META.get("REMOTE_ADDR", "")
    proxies: int = settings.NUM_PROXIES
    forwarded = _forwarded(request)
    if proxies and len(forwarded) >= proxies:
        text = forwarded[-proxies]
    text = text.strip()
    if text.count(":") == 1:  # some proxies append the port
        text = text.partition(":")[0]
    elif text.startswith("["):
        text = text[1:].partition("]")[0]
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address
