"""How often one may guess at a password or a code, at any door and from any address.

A guess takes its place before it is looked at: however many come at once, no more than the limit
are compared. A success gives back the place of its person and address, but still counts for the
person over all addresses.
"""

from __future__ import annotations

from django.conf import settings

from common.web import rate_limit
from common.web.client_address import networks

WINDOW = 60  # seconds
LONG_WINDOW = 600  # seconds
# Times RATE_LIMIT_LOGINS, which is for one person from one address.
ADDRESS_FACTOR = 4  # one address may fail for several people, as behind an office's router
PERSON_FACTOR = 6  # 30 a minute over all addresses
LONG_FACTOR = 12  # and then slower: 60 failures in ten minutes

PASSWORDS = "logins"
CODES = "second-factors"


def take_place(kind: str, person: str, address: str) -> None:
    """Count a guess of ``kind`` at ``person`` before it is looked at. Raises RateLimited.

    ``person`` is a user's id, or the folded name that is nobody's, in small letters.
    """
    limit: int = settings.RATE_LIMIT_LOGINS
    slow = rate_limit.peek(f"{kind}-failed-in-all", LONG_FACTOR * limit, LONG_WINDOW, person)
    if not slow.allowed:
        raise rate_limit.too_many(slow)
    # Without a place of its own, an address takes none of the person's places over all addresses.
    here = rate_limit.hit(f"failed-{kind}", limit, WINDOW, person, address)
    if not here.allowed:
        raise rate_limit.too_many(here)
    everywhere = rate_limit.hit(f"{kind}-in-all", PERSON_FACTOR * limit, WINDOW, person)
    if not everywhere.allowed:
        raise rate_limit.too_many(everywhere)


def refuse_crowd(kind: str, address: str) -> None:
    """Raises RateLimited for an address with too many failures, before a user is looked for."""
    for name, limit, network in _crowds(kind, address):
        crowd = rate_limit.peek(name, limit, WINDOW, network)
        if not crowd.allowed:
            raise rate_limit.too_many(crowd)


def failed(kind: str, person: str, address: str) -> None:
    """Count a wrong guess. Raises RateLimited beyond the limit."""
    limit: int = settings.RATE_LIMIT_LOGINS
    rate_limit.hit(f"{kind}-failed-in-all", LONG_FACTOR * limit, LONG_WINDOW, person)
    for name, most, network in _crowds(kind, address):
        crowd = rate_limit.hit(name, most, WINDOW, network)
        if not crowd.allowed:
            raise rate_limit.too_many(crowd)


def succeeded(kind: str, person: str, address: str) -> None:
    """Take back the failures before a right guess, which proves them harmless."""
    rate_limit.clear(f"failed-{kind}", settings.RATE_LIMIT_LOGINS, WINDOW, person, address)


def _crowds(kind: str, address: str) -> list[tuple[str, int, str]]:
    """Name, limit and network of each window. A wider network may fail twice as often."""
    limit = ADDRESS_FACTOR * settings.RATE_LIMIT_LOGINS
    return [
        (f"failed-{kind}-of-address", limit << step, network)
        for step, network in enumerate(networks(address))
    ]
