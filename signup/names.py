"""User names for people who gave an e-mail address and no name."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator

from accounts.login import MAX_FOLDED, fold

NOT_IN_A_NAME = re.compile(r"[^\w.+-]")
SHORTEST = 3
LONGEST = 140  # characters; a name that is taken gets 9 more
ATTEMPTS = 5


def of_email(email: str) -> Iterator[str]:
    """What stands before the @, as the contract spells names; then the same with random digits.

    Numbers that count up would need a question for each person with that name.
    """
    local = fold(email[:MAX_FOLDED].rpartition("@")[0])
    name = NOT_IN_A_NAME.sub("", local)[:LONGEST].ljust(SHORTEST, "_")
    yield name
    for _ in range(1, ATTEMPTS):
        yield f"{name}-{secrets.token_hex(4)}"
