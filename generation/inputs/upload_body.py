"""Takes an upload's body out of the request, into a file without a name.

Nothing of it stays in memory, and nothing is read before somebody asks for it here: the request has
been authenticated and counted by then. Time and bytes are bounded whatever its framing.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Mapping
from io import BufferedRandom
from pathlib import Path
from typing import IO, Any, cast

from django.conf import settings
from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.core.files.uploadhandler import FileUploadHandler, SkipFile
from django.http.multipartparser import MultiPartParser, MultiPartParserError
from gunicorn.http.errors import ParseException

from common.errors import ApiError, InvalidRequest
from common.web import refusals
from common.web.streaming import BLOCK, BODY_SECONDS
from generation.inputs.image_limits import MAX_BYTES

MULTIPART = "multipart/form-data"
TYPES = ("image/jpeg", "image/png", "image/webp", MULTIPART)
AROUND_THE_FILE = 64 * 1024  # bytes of a multipart body that are not the image
FIELD = "file"


class UploadTooLarge(ApiError):
    """413: more than an image may have, told or found out."""

    status_code = 413
    default_code = "request_too_large"
    default_detail = f"The image is larger than {MAX_BYTES // 1_000_000} MB"


class UploadTimeout(ApiError):
    """408: the body did not arrive within its time."""

    status_code = 408
    default_code = "request_timeout"
    default_detail = "The upload did not arrive in time"


class NoImageSent(InvalidRequest):
    """400: the body is empty, or a form with another number of files than one."""

    default_detail = f"Send the image as the body, or as the multipart field {FIELD}"


class UploadBroken(InvalidRequest):
    """400: the connection ended or its framing is wrong; mostly nobody reads this."""

    default_detail = "The request ends too soon"


def most(media_type: str) -> int:
    """How many bytes a body of this type may have."""
    return MAX_BYTES + (AROUND_THE_FILE if media_type == MULTIPART else 0)


def spool() -> BufferedRandom:
    """A file that is gone when it is closed. Raises OSError."""
    folder = Path(settings.WORK_DIR)
    folder.mkdir(parents=True, exist_ok=True)
    return tempfile.TemporaryFile(dir=folder)


class Body:
    """A request's body. ``received`` is how many bytes of it were read."""

    def __init__(self, stream: IO[bytes], told: int | None, limit: int) -> None:
        """``told`` is its Content-Length; None = chunked."""
        self._stream = stream
        self._told = told
        self._limit = limit
        self._ends = time.monotonic() + BODY_SECONDS
        self.received = 0

    def read(self, size: int = BLOCK) -> bytes:
        """The next bytes, none at its end.

        Raises UploadTooLarge, UploadTimeout and UploadBroken.
        """
        left = BLOCK if self._told is None else self._told - self.received
        wanted = min(size, BLOCK, left)
        try:
            part = self._stream.read(wanted) if wanted else b""
        except TimeoutError as error:
            raise UploadTimeout from error
        except ParseException as error:
            raise UploadBroken(refusals.of_exception(error).error) from error
        except OSError as error:
            raise UploadBroken from error
        self.received += len(part)
        if self.received > self._limit:
            raise UploadTooLarge
        if time.monotonic() > self._ends:
            raise UploadTimeout
        if not part and wanted and self._told is not None:
            raise UploadBroken
        return part


def receive(body: Body, content_type: str, media_type: str, into: IO[bytes]) -> None:
    """Write the image's bytes into a spool.

    Raises what ``Body.read`` raises, NoImageSent, and OSError of the spool.
    """
    if media_type == MULTIPART:
        _receive_form(body, content_type, into)
    else:
        while part := body.read():
            into.write(part)
    if into.tell() == 0:
        raise NoImageSent
    into.flush()


def _receive_form(body: Body, content_type: str, into: IO[bytes]) -> None:
    handler = _OneFile(into)
    # a length because Django's parser reads nothing without one; ours is the one that counts
    meta: Mapping[str, Any] = {"CONTENT_TYPE": content_type, "CONTENT_LENGTH": most(MULTIPART)}
    try:
        MultiPartParser(meta, cast("Any", body), [handler]).parse()
    except RequestDataTooBig as error:
        raise UploadTooLarge from error
    except (MultiPartParserError, SuspiciousOperation, TypeError) as error:
        # TypeError: Python's parser of a part's headers, of parameters like ``x*=a; x*0=b``
        raise NoImageSent from error
    while body.read():  # what stands behind the last boundary
        pass
    if handler.files != 1:
        raise NoImageSent


class _OneFile(FileUploadHandler):
    """Writes the one file of the field ``file``; other files are read and forgotten."""

    chunk_size = BLOCK

    def __init__(self, into: IO[bytes]) -> None:
        super().__init__()
        self._into = into
        self.files = 0

    def new_file(self, field_name: str, *args: Any, **kwargs: Any) -> None:
        if field_name != FIELD:
            raise SkipFile
        self.files += 1
        if self.files > 1:
            raise NoImageSent

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        if start + len(raw_data) > MAX_BYTES:
            raise UploadTooLarge
        self._into.write(raw_data)

    def file_complete(self, file_size: int) -> None:
        """Django's hook: no file object is wanted of it."""
