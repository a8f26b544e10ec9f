"""Everything that answers before Django does so in the contract's shape."""

from __future__ import annotations

import json

import httpx
import pytest
from gunicorn.http import errors

from common.web import refusals
from tests.common.web.test_worker import assert_shape
from tests.e2e.wire import Wire

OURS = {"ConfigurationProblem", "InvalidResponseHeader", "InvalidResponseHeaderName"}
SECRET = "rmk_hunter2"
KINDS = [
    kind
    for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, errors.ParseException | errors.NoMoreData)
]


@pytest.mark.parametrize("kind", KINDS)
def test_each_refusal_of_gunicorn_has_the_shape_and_quotes_nothing(
    kind: type[Exception],
) -> None:
    error = kind() if kind.__name__ == "InvalidSchemeHeaders" else kind(SECRET)
    refusal = refusals.of_exception(error)
    assert (refusal.status >= 500) == (kind.__name__ in OURS)
    head, _, body = refusal.as_response("the-id-1234").partition(b"\r\n\r\n")
    assert head.startswith(f"HTTP/1.1 {refusal.status} ".encode())
    for line in (b"Connection: close", b"X-Request-ID: the-id-1234", b"no-store"):
        assert line in head
    assert b"Content-Length: %d\r\n" % len(body) in head
    told = json.loads(body)
    assert list(told) == ["success", "error", "code", "request_id"]
    assert told["success"] is False
    assert told["request_id"] == "the-id-1234"
    assert SECRET not in told["error"]


HEAD = "POST / HTTP/1.1\r\nHost: x\r\n"
REFUSED = {
    "GARBAGE\r\n\r\n": (400, "invalid_request"),
    "get / HTTP/1.1\r\n\r\n": (400, "invalid_request"),
    "GET / HTTP/9.9\r\n\r\n": (400, "invalid_request"),
    "GET / HTTP/1.1\r\nHost: x\n\n": (400, "invalid_request"),
    "GET / HTTP/1.1\n\n": (400, "invalid_request"),
    "GET / HTTP/1.1\r\nBad Header\r\n\r\n": (400, "invalid_request"),
    "GET / HTTP/1.1\r\nA b: c\r\n\r\n": (400, "invalid_request"),
    "GET / HTTP/1.1\r\nA: b\r\n c\r\n\r\n": (400, "invalid_request"),
    "GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n": (400, "invalid_request"),
    f"{HEAD}Content-Length: 1\r\nContent-Length: 2\r\n\r\nab": (400, "invalid_request"),
    f"{HEAD}Content-Length: -1\r\n\r\n": (400, "invalid_request"),
    f"{HEAD}Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n": (400, "invalid_request"),
    f"{HEAD}Transfer-Encoding: chunked\r\n\r\nzz\r\n": (400, "invalid_request"),
    f"{HEAD}Transfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n": (400, "invalid_request"),
    f"{HEAD}Transfer-Encoding: chunked\r\n\r\n1;=\r\na\r\n0\r\n\r\n": (400, "invalid_request"),
    f"{HEAD}Transfer-Encoding: chunked, chunked\r\n\r\n": (400, "invalid_request"),
    f"{HEAD}Transfer-Encoding: gzip, chunked\r\n\r\n1\r\na\r\n0\r\n\r\n": (
        415,
        "unsupported_media_type",
    ),
    f"{HEAD}Transfer-Encoding: gzip\r\n\r\n": (415, "unsupported_media_type"),
    f"{HEAD}Transfer-Encoding: br, chunked\r\n\r\n": (415, "unsupported_media_type"),
    f"{HEAD}Transfer-Encoding: chunked, gzip\r\n\r\n": (415, "unsupported_media_type"),
    f"{HEAD}TRANSFER-ENCODING\r\n\r\n": (400, "invalid_request"),
    f"{HEAD}Transfer-Encoding: chunked\x01\r\n\r\n": (400, "invalid_request"),
    f"{HEAD}Content-Length: 2000000\r\n\r\n": (413, "request_too_large"),
    f"GET /{'a' * 10_000} HTTP/1.1\r\n\r\n": (414, "uri_too_long"),
    f"GET /{'a' * 100_000}": (414, "uri_too_long"),
    f"{HEAD}Expect: tea\r\n\r\n": (417, "expectation_failed"),
    f"{HEAD}A: {'a' * 9_000}\r\n\r\n": (431, "headers_too_large"),
    HEAD + "".join(f"A-{n}: b\r\n" for n in range(200)) + "\r\n": (431, "headers_too_large"),
    HEAD + "a_:\r\n" * 300 + "\r\n": (431, "headers_too_large"),
    f"{HEAD}Transfer-Encoding: chunked\r\n\r\n0\r\n" + "a_:\r\n" * 300 + "\r\n": (
        431,
        "headers_too_large",
    ),
    HEAD + "".join(f"A-{n}: {'b' * 1000}\r\n" for n in range(80)): (431, "headers_too_large"),
}


@pytest.mark.parametrize("sent", REFUSED, ids=lambda sent: sent[:60].strip())
def test_on_the_wire(server: str, sent: str) -> None:
    before = process(server)
    with Wire(server) as wire:
        wire.send(sent.encode())
        answer = wire.answer()
        assert_shape(answer, *REFUSED[sent])
        assert answer.headers["content-type"] == "application/json"
        assert wire.is_closed()
    assert process(server) == before


BROKEN_FIELDS = ("{0}", "{0}:\x01", "{0} :x", "{0}:x\r\n{0}:x", "{0}:\xff", "{0}:,;=")
FRAMING = ["TRANSFER-ENCODING", "CONTENT-LENGTH", "HOST", "EXPECT", "CONNECTION", "TRAILER"]
OTHERS = ["X-REQUEST-ID", "AUTHORIZATION", "UPGRADE", "RANGE", "CONTENT-TYPE", "CONTENT-ENCODING"]


@pytest.mark.parametrize("name", FRAMING + OTHERS)
def test_no_field_that_gunicorn_reads_ends_the_process(server: str, name: str) -> None:
    """Broken in each way, as first and as only line; what is refused is refused in the shape."""
    before = process(server)
    for field in BROKEN_FIELDS:
        for start in ("POST / HTTP/1.1", "GET / HTTP/1.0", "HEAD / HTTP/1.1"):
            with Wire(server) as wire:
                wire.send(f"{start}\r\n{field.format(name)}\r\n\r\n".encode("latin-1"))
                assert wire.peek(9).startswith(b"HTTP/1.")
    assert process(server) == before


def process(server: str) -> int:
    """Which one answers."""
    return int(httpx.get(f"{server}/process", timeout=5).text)


def test_a_refusal_of_a_request_whose_id_was_read_tells_it(server: str) -> None:
    with Wire(server) as wire:
        wire.request("POST", "/", "X-Request-ID: order-2026-0001", "Transfer-Encoding: gzip")
        assert wire.answer().json()["request_id"] == "order-2026-0001"


def test_head_is_refused_without_a_body(server: str) -> None:
    with Wire(server) as wire:
        wire.request("HEAD", "/", "Content-Length: 2000000")
        assert wire.peek(1000).endswith(b"\r\n\r\n")
        assert wire.is_closed()
