"""How often somebody may guess at a password or a code, whatever the door and the address.

The place of a guess is taken before it is looked at, so however many race, no more than the limit
are ever compared. A success gives the place back to its person and address; for a person over all
addresses it counts like a failure, as somebody who knows the password can ask too often, too.
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
    """Before a guess of ``kind`` at ``person`` is looked at. Raises RateLimited.

    ``person`` is a user's id, or the folded name that is nobody's, in small letters.
    """
    limit: int = settings.RATE_LIMIT_LOGINS
    slow = rate_limit.peek(f"{kind}-failed-in-all", LONG_FACTOR * limit, LONG_WINDOW, person)
    if not slow.allowed:
        raise rate_limit.too_many(slow)
    # An address that has no place left takes none from the person's other addresses.
    here = rate_limit.hit(f"failed-{kind}", limit, WINDOW, person, address)
    if not here.allowed:
        raise rate_limit.too_many(here)
    everywhere = rate_limit.hit(f"{kind}-in-all", PERSON_FACTOR * limit, WINDOW, person)
    if not everywhere.allowed:
        raise rate_limit.too_many(everywhere)


def refuse_crowd(kind: str, address: str) -> None:
    """Before anybody is looked for. Raises RateLimited for an address with too many failures."""
    for name, limit, network in _crowds(kind, address):
        crowd = rate_limit.peek(name, limit, WINDOW, network)
        if not crowd.allowed:
            raise rate_limit.too_many(crowd)


def failed(kind: str, person: str, address: str) -> None:
    """A guess was wrong. Raises RateLimited instead of letting it be told, in a burst."""
    limit: int = settings.RATE_LIMIT_LOGINS
    rate_limit.hit(f"{kind}-failed-in-all", LONG_FACTOR * limit, LONG_WINDOW, person)
    for name, most, network in _crowds(kind, address):
        crowd = rate_limit.hit(name, most, WINDOW, network)
        if not crowd.allowed:
            raise rate_limit.too_many(crowd)


def succeeded(kind: str, person: str, address: str) -> None:
    """A guess was right, which proves the failures before it harmless."""
    rate_limit.clear(f"failed-{kind}", settings.RATE_LIMIT_LOGINS, WINDOW, person, address)


def _crowds(kind: str, address: str) -> list[tuple[str, int, str]]:
    """Name, limit and network of each window; each wider network may fail twice as often."""
    limit = ADDRESS_FACTOR * settings.RATE_LIMIT_LOGINS
    return [
        (f"failed-{kind}-of-address", limit << step, network)
        for step, network in enumerate(networks(address))
    ]
