"""Whether an address is Google's."""

from __future__ import annotations

from urllib.parse import urlsplit

GOOGLE = ".googleapis.com"


def is_google(url: str) -> bool:
    """Whether ``url`` (empty = the client's own default) leads to the real provider."""
    parts = urlsplit(url)
    return not url or (parts.scheme == "https" and (parts.hostname or "").endswith(GOOGLE))
