"""A URL as a browser would ask for it, by the WHATWG URL standard.

A signed link is signed in one exact spelling, so what is encoded already stays letter by letter;
most libraries quote anew and break the signature. Of other scripts, backslashes, blanks and
relative references the standard's own parser (ada) decides.
"""

from __future__ import annotations

import re

import ada_url
from yarl import URL

# A header's bytes that are no UTF-8, as aiohttp hands them on: Python's surrogateescape.
_RAW_BYTE = re.compile("[\udc80-\udcff]")


def browser_url(text: str, base: URL | None = None) -> URL:
    """``text``, relative to ``base`` if there is one, ready to be asked for; without fragment.

    Raises ValueError for what is no URL, or has no host.
    """
    text = _RAW_BYTE.sub(lambda byte: f"%{ord(byte[0]) - 0xDC00:02X}", text)
    href = ada_url.URL(text, str(base) if base is not None else None).href.partition("#")[0]
    scheme, slashes, rest = href.partition("://")
    if not slashes:
        raise ValueError("a URL without a host")
    authority, slash, target = rest.partition("/")
    # All of the target as a path: yarl would drop the question mark of an empty query.
    return URL.build(scheme=scheme, authority=authority, path=slash + target, encoded=True)
