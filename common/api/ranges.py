"""Files that a player can seek in: one byte range, as RFC 9110 section 14 has it.

Django's FileResponse answers 200 to every Range, and Safari plays no file of such a server.
"""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import IO

from django.http import FileResponse, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.http import content_disposition_header, quote_etag

from common.api.headers import condition

_BLOCK = 64 * 1024
# More digits than a file has bytes are as good as malformed, and int() of thousands is slow.
_ONE_RANGE = re.compile(r"bytes=\s*([0-9]{0,30})-([0-9]{0,30})\s*", re.IGNORECASE)


class _Unsatisfiable(Exception):
    pass


class _FileResponse(FileResponse):
    block_size = _BLOCK  # Django's 4 KiB make 2,000 system calls of an 8 MB video


class _Section:
    """``length`` bytes of an open file from ``start`` on, as a file."""

    def __init__(self, file: IO[bytes], start: int, length: int) -> None:
        file.seek(start)
        self._file = file
        self._left = length

    def read(self, size: int = -1) -> bytes:
        wanted = self._left if size < 0 else min(size, self._left)
        block = self._file.read(wanted)
        self._left -= len(block)
        return block

    def fileno(self) -> int:
        """For a server that sends the rest of the file by itself (``sendfile``)."""
        return self._file.fileno()

    def close(self) -> None:
        self._file.close()


def ranged_file_response(
    request: HttpRequest,
    file: IO[bytes],
    size: int,
    content_type: str,
    etag: str | None = None,
    filename: str | None = None,
    inline: bool = True,
) -> HttpResponseBase:
    """Answer GET or HEAD with the ``size`` bytes of ``file``, or the one range that was asked for.

    200, 206, 304, 412 or 416. A malformed Range and several ranges at once get the whole file, as
    the RFC allows; so does an If-Range that is not the ``etag`` (quoted or not, always strong).
    ``filename`` and ``inline`` make the Content-Disposition. The file is closed with the response.
    """
    quoted = quote_etag(etag) if etag else None
    if quoted is not None and (refusal := condition(request, quoted)) is not None:
        file.close()
        refused = HttpResponse(status=refusal, headers={"ETag": quoted})
        if refusal == HTTPStatus.NOT_MODIFIED:
            del refused["Content-Type"]  # of no content
        return refused
    try:
        section = _asked_for(request, size, quoted)
    except _Unsatisfiable:
        response: HttpResponseBase = HttpResponse(status=416, content_type=content_type)
        response["Content-Range"] = f"bytes */{size}"
        file.close()
    else:
        response = _answer(request, file, size, section, content_type)
        if disposition := content_disposition_header(not inline, filename or ""):
            response["Content-Disposition"] = disposition
    response["Accept-Ranges"] = "bytes"
    response["X-Content-Type-Options"] = "nosniff"
    if quoted is not None:
        response["ETag"] = quoted
    return response


def _answer(
    request: HttpRequest,
    file: IO[bytes],
    size: int,
    section: tuple[int, int] | None,
    content_type: str,
) -> HttpResponseBase:
    if request.method == "HEAD":
        file.close()
        response: HttpResponseBase = HttpResponse(content_type=content_type)
        response["Content-Length"] = str(size)
        return response
    if section is None:
        response = _FileResponse(file, content_type=content_type)
        response["Content-Length"] = str(size)
    else:
        start, stop = section
        part = _Section(file, start, stop - start)
        response = _FileResponse(part, status=206, content_type=content_type)
        response["Content-Length"] = str(stop - start)
        response["Content-Range"] = f"bytes {start}-{stop - 1}/{size}"
    del response["Content-Disposition"]  # FileResponse made one of the storage's own file name
    return response


def _asked_for(request: HttpRequest, size: int, etag: str | None) -> tuple[int, int] | None:
    """(start, stop) of the only range, or None for the whole file."""
    header = request.headers.get("Range", "")
    if request.method != "GET" or not _still_the_same(request, etag):
        return None
    match = _ONE_RANGE.fullmatch(header)
    if match is None or match.groups() == ("", ""):
        return None
    first, last = match.groups()
    if not first:  # the last n bytes
        start, stop = max(size - int(last), 0), size
    else:
        start, stop = int(first), min(int(last) + 1, size) if last else size
        if last and int(last) < start:
            return None
    if start >= stop:
        raise _Unsatisfiable
    return start, stop


def _still_the_same(request: HttpRequest, etag: str | None) -> bool:
    # RFC 9110, section 13.1.5: only a strong match counts; we never hand out dates.
    validator = request.headers.get("If-Range")
    return validator is None or validator == etag
