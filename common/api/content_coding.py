"""Which answers are really compressed: RFC 9110, section 8.4.1, and IANA's registry of codings.

Object stores and proxies write all kinds of things into Content-Encoding (``aws-chunked``,
``none``, ``binary``, ``utf-8``, nothing) and send the bytes as they are.
"""

from __future__ import annotations

from collections.abc import Iterable

_COMPRESSING = frozenset(
    [
        "br",
        "compress",
        "dcb",
        "dcz",
        "deflate",
        "exi",
        "gzip",
        "pack200-gzip",
        "x-compress",
        "x-gzip",
        "zstd",
    ]
)


def is_compressed(headers: Iterable[str]) -> bool:
    """Whether one of the values of Content-Encoding names a coding that compresses."""
    codings = (coding for value in headers for coding in value.split(","))
    return any(coding.strip().lower() in _COMPRESSING for coding in codings)
