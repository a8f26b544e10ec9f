"""Which URLs of a customer's may be asked, as far as their text says.

The web asks this before it takes one, ``safe_fetch.py`` and ``safe_post.py`` again before they ask.
What counts is decided at the socket (``guarded_sockets.py``).
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from yarl import URL

from common.browser_url import browser_url
from common.public_address import as_literal, is_public_address

MAX_URL_LENGTH = 2048  # section 2 of the API contract
PORTS = frozenset({80, 443})
_WEB = re.compile(r"https?:(//(?P<authority>[^/?#]*))?", re.IGNORECASE)
_HOST_NAME = re.compile(r"(?=.{1,254}$)[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*\.?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Taken:
    """What is asked at all: the ports of each scheme."""

    ports: Mapping[str, frozenset[int]]

    @property
    def schemes(self) -> str:
        """As the end of a sentence."""
        return f"must be an {' or '.join(sorted(self.ports))} URL"

    @property
    def other_port(self) -> str:
        """As the end of a sentence."""
        *others, last = sorted(set().union(*self.ports.values()))
        return f"must not name a port other than {', '.join(map(str, others))} and {last}"


FETCHED = Taken({"http": PORTS, "https": PORTS})


def check_url(
    url: str, allowed_origins: Collection[str] = (), taken: Taken = FETCHED
) -> str | None:
    """What is wrong with the text of ``url``, as the end of a sentence ("must …"), or None.

    No DNS, no I/O. A scheme, a port or a literal address that is never asked is refused here,
    unless its origin is one of ``allowed_origins``.
    """
    if url[:64].lstrip()[:5].lower() == "data:":  # whatever its length, which is no way out
        return f"{taken.schemes}; data: URLs are not taken"
    if len(url) > MAX_URL_LENGTH:
        return f"must be at most {MAX_URL_LENGTH} characters"
    if " " in url or not url.isprintable():
        return "must not contain spaces or control characters"
    if (written := _WEB.match(url)) is None:
        return taken.schemes
    authority = written["authority"] or ""
    if not authority or "\\" in authority or "%" in authority:
        return "must be a valid URL"
    if "@" in authority:
        return "must not contain a user name or password"
    try:
        asked = browser_url(url)
    except ValueError:
        return "must be a valid URL"
    # An exemption is for an origin as it is written, not for every spelling of it.
    is_as_written = authority.lower().removesuffix(f":{asked.port}") == asked.host_subcomponent
    return fault_of(asked, allowed_origins if is_as_written else (), taken)


def fault_of(url: URL, allowed_origins: Collection[str], taken: Taken = FETCHED) -> str | None:
    """What is wrong with a URL as it would be asked for."""
    if url.scheme not in ("http", "https"):
        return taken.schemes
    if "@" in url.raw_authority:
        return "must not contain a user name or password"
    if not _is_host(url.raw_host or "") or not url.port:
        return "must be a valid URL"
    return None if origin_of(url) in allowed_origins else _never_asked(url, taken)


def _never_asked(url: URL, taken: Taken) -> str | None:
    if url.scheme not in taken.ports:
        return taken.schemes
    if url.port not in taken.ports[url.scheme]:
        return taken.other_port
    literal = as_literal(url.raw_host or "")
    if literal is None or is_public_address(literal):
        return None
    return "must not name a private or reserved address"


def origin_of(url: URL) -> str:
    """``scheme://host:port``, the port always written out."""
    return f"{url.scheme}://{url.host_subcomponent}:{url.port}"


def _is_host(host: str) -> bool:
    try:
        return ipaddress.ip_address(host) is not None
    except ValueError:
        return _HOST_NAME.fullmatch(host) is not None
