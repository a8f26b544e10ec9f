"""The answers that need no Django, in the contract's shape (section 6).

gunicorn's own are pages of HTML without a request's id.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from email.utils import formatdate
from http import HTTPStatus
from typing import Any

from gunicorn.http import errors
from gunicorn.http.message import Request

from common.telemetry import access_log, request_id
from common.web import caching

MAX_BODY = 1024 * 1024  # bytes, contract section 6
REQUEST_SECONDS = 10  # from a request's first byte to its last


@dataclass(frozen=True)
class Refusal:
    """A status, its ``code`` and its sentence for a person."""

    status: int
    code: str
    error: str
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def status_line(self) -> str:
        return f"{self.status} {HTTPStatus(self.status).phrase}"

    def render(self, identifier: str) -> tuple[list[tuple[str, str]], bytes]:
        """Headers and body, with the request's id."""
        content = {
            "success": False,
            "error": self.error,
            "code": self.code,
            "request_id": identifier,
        }
        body = json.dumps(content).encode()
        headers = [
            ("Content-Type", "application/json"),
            ("Content-Length", str(len(body))),
            ("Cache-Control", caching.NEVER),
            (request_id.HEADER, identifier),
            *self.headers.items(),
        ]
        return headers, body

    def as_response(self, identifier: str, with_body: bool = True) -> bytes:
        """The whole of an HTTP/1.1 response after which the connection is closed."""
        headers, body = self.render(identifier)
        lines = [f"HTTP/1.1 {self.status_line}", f"Date: {formatdate(usegmt=True)}"]
        lines += [f"{name}: {value}" for name, value in (("Connection", "close"), *headers)]
        head = "".join(f"{line}\r\n" for line in (*lines, "")).encode("latin-1")
        return head + body if with_body else head


def too_large(limit: int) -> Refusal:
    """The body is longer than ``limit`` bytes."""
    return Refusal(413, "request_too_large", f"The request body is larger than {limit} bytes")


TIMEOUT = Refusal(
    408, "request_timeout", f"The request did not arrive within {REQUEST_SECONDS} seconds"
)
OVERLOADED = Refusal(
    503,
    "service_unavailable",
    "The service is temporarily unavailable, try again shortly",
    {"Retry-After": "2"},
)
BROKEN = Refusal(500, "internal_error", "Something went wrong on our side")
ENCODED = Refusal(
    415,
    "unsupported_media_type",
    "The request body must not be encoded: send it without Content-Encoding",
    {"Accept-Encoding": "identity"},  # RFC 9110, section 15.5.16
)
TRANSFER_ENCODED = Refusal(
    415, "unsupported_media_type", "The only Transfer-Encoding that is understood is chunked"
)


def _invalid(sentence: str) -> Refusal:
    return Refusal(400, "invalid_request", sentence)


class Refused(Exception):
    """The server answers the request by itself."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.error)
        self.refusal = refusal


INVALID = _invalid("The request is not valid HTTP")
INVALID_CONTENT_TYPE = _invalid("The header Content-Type is invalid")
# The most special class counts. No sentence quotes what came: it may hold a secret.
OF_EXCEPTIONS: dict[type[Exception], Refusal] = {
    errors.ParseException: INVALID,
    errors.InvalidRequestLine: _invalid("The request line is invalid"),
    errors.InvalidRequestMethod: _invalid("The request's method is invalid"),
    errors.InvalidHTTPVersion: _invalid("The HTTP version is not supported"),
    errors.InvalidHeader: _invalid("A header of the request is invalid"),
    errors.InvalidHeaderName: _invalid("The name of a header is invalid"),
    errors.ObsoleteFolding: _invalid("A header goes on in a second line"),
    errors.InvalidChunkSize: _invalid("The body's chunks are invalid"),
    errors.InvalidChunkExtension: _invalid("The body's chunks are invalid"),
    errors.ChunkMissingTerminator: _invalid("The body's chunks are invalid"),
    errors.NoMoreData: _invalid("The request ends too soon"),
    errors.ForbiddenProxyRequest: Refusal(403, "permission_denied", "You may not do this"),
    errors.LimitRequestLine: Refusal(414, "uri_too_long", "The request line is too long"),
    errors.ExpectationFailed: Refusal(
        417, "expectation_failed", "The only expectation that is understood is 100-continue"
    ),
    errors.LimitRequestHeaders: Refusal(
        431, "headers_too_large", "The request's headers are too many or too long"
    ),
    errors.UnsupportedTransferCoding: TRANSFER_ENCODED,
    # what an application did wrong, or whoever configured the server
    errors.ConfigurationProblem: BROKEN,
    errors.InvalidResponseHeader: BROKEN,
    errors.InvalidResponseHeaderName: BROKEN,
}


def of_exception(error: BaseException) -> Refusal:
    """What a request is answered that ended with ``error`` in gunicorn's code or in ours."""
    if isinstance(error, Refused):
        return error.refusal
    if isinstance(error, errors.InvalidHeader) and error.hdr == "TRANSFER-ENCODING":
        # of a line that is no header at all, gunicorn tells the text without the request
        headers = error.req.headers if error.req is not None else []
        sent = [value for name, value in headers if name == error.hdr]
        if names_another_coding(sent):
            return TRANSFER_ENCODED
    found = (OF_EXCEPTIONS[kind] for kind in type(error).__mro__ if kind in OF_EXCEPTIONS)
    return next(found, BROKEN)


def answer(refusal: Refusal, request: Any) -> bytes:
    """The whole response; ``request`` is what is known of it. Writes its line into the log."""
    headers = dict(request.headers) if isinstance(request, Request) else {}
    return told(refusal, getattr(request, "method", None), headers.get(request_id.HEADER.upper()))


def told(refusal: Refusal, method: str | None, offered: str | None) -> bytes:
    """The whole response, likewise; ``offered`` is the id that the request may have sent."""
    began = time.perf_counter()
    identifier = request_id.choose(offered)
    access_log.write(method, None, refusal.status, began, request_id=identifier)
    return refusal.as_response(identifier, with_body=method != "HEAD")


def names_another_coding(sent: Iterable[str]) -> bool:
    """Whether these values of Transfer-Encoding name one that is not understood."""
    codings = {each.strip().lower() for value in sent for each in value.split(",")}
    return bool(codings - {"chunked", "identity"})


def is_plain(encodings: str) -> bool:
    """Whether a Content-Encoding names nothing, or only identity."""
    return all(each.strip().lower() in ("", "identity") for each in encodings.split(","))


def is_chunked_alone(encodings: str) -> bool:
    """Whether a Transfer-Encoding is the one that is understood."""
    return encodings.strip().lower() == "chunked"
