"""Which addresses belong to the public internet, and may therefore be asked for a customer."""

from __future__ import annotations

import ipaddress
import socket

# The IANA special-purpose registry (RFC 6890 and later), multicast (RFC 5771), the deprecated 6to4
# relays (RFC 7526), and one address that is public on paper: Azure's platform service.
_DENIED_V4 = tuple(
    ipaddress.IPv4Network(network)
    for network in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.31.196.0/24",
        "192.52.193.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "192.175.48.0/24",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/3",
        "168.63.129.16/32",
    )
)
# RFC 4291, section 2.4: all global unicast that was ever handed out lies in 2000::/3. That leaves
# out ::/96, mapped addresses, NAT64, ULA, link-local, site-local and multicast without naming them.
_GLOBAL_UNICAST_V6 = ipaddress.IPv6Network("2000::/3")
_DENIED_V6 = tuple(
    ipaddress.IPv6Network(network)
    for network in (
        "2001::/23",  # IETF protocol assignments: Teredo, ORCHID, benchmarking
        "2001:db8::/32",
        "2002::/16",  # 6to4 carries an IPv4 address of the sender's choice
        "2620:4f:8000::/48",
        "3fff::/20",
    )
)


def is_public_address(host: str) -> bool:
    """Whether ``host`` is a literal address of the public internet; no name ever is."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv4Address):
        return not any(address in network for network in _DENIED_V4)
    return address in _GLOBAL_UNICAST_V6 and not any(address in net for net in _DENIED_V6)


def as_literal(host: str) -> str | None:
    """The address that ``host`` is in some spelling; None for a name.

    127.1, 2130706433 and 0x7f000001 are addresses to every resolver.
    """
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        pass
    try:
        return socket.inet_ntoa(socket.inet_aton(host))
    except (OSError, UnicodeEncodeError):
        return None
