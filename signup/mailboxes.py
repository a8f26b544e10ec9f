"""Which addresses lead to the same mailbox, so that its owner does not pass for many people."""

from __future__ import annotations

import hashlib
import unicodedata

from disposable_email_domains import blocklist

GMAIL = "gmail.com"
SAME_AS_GMAIL = frozenset({GMAIL, "googlemail.com"})


def normalised(address: str) -> str:
    """The address without what its owner can vary: case, quotes, a plus-tag, Gmail's dots.

    ``address`` is valid. The result need not be deliverable: nothing is sent to it.
    """
    local, _, domain = unicodedata.normalize("NFKC", address.strip()).casefold().rpartition("@")
    domain = _ascii(domain)
    if len(local) > 1 and local[0] == local[-1] == '"':  # RFC 5321: "ada"@… is ada@…
        local = local[1:-1].replace("\\", "")
    local = local.partition("+")[0]
    if domain in SAME_AS_GMAIL:
        local, domain = local.replace(".", ""), GMAIL
    return f"{local}@{domain}"


def digest(address: str) -> str:
    """The mailbox's SHA-256 in hex, by which the ledger knows it."""
    return hashlib.sha256(normalised(address).encode()).hexdigest()


def is_disposable(address: str) -> bool:
    """Whether such addresses can be made by the hundred; a subdomain counts like its domain."""
    labels = normalised(address).rpartition("@")[2].split(".")
    return any(".".join(labels[start:]) in blocklist for start in range(len(labels)))


def _ascii(domain: str) -> str:
    """The domain's spelling in ASCII, of the two that it may have."""
    try:
        return domain.encode("idna").decode()
    except UnicodeError:
        return domain
