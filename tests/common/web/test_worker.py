"""No client's pace holds a thread: neither what it sends, nor what it does not take."""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from common.web.streaming import AT_ONCE
from tests.common.web.conftest import CONNECTIONS, FILE_SIZE, answers
from tests.common.web.plain import WHOLE
from tests.e2e.wire import Answer, Wire

JSON = "Content-Type: application/json"
THREADS = 2

# Each stops in the middle: of the first line, the headers, a body of either framing, a chunk's
# size, the trailers, what is behind a refused expectation.
SILENT = {
    "line": b"GET /li",
    "headers": b"GET /livez HTTP/1.1\r\nHost: x\r\nX-A: b",
    "length": b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{",
    "chunk": b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3e8\r\n{",
    "size": b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3",
    "trailers": b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX-A: b",
    "expects": b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n",
}


@pytest.fixture
def wires(server: str) -> Iterator[contextlib.ExitStack]:
    with contextlib.ExitStack() as stack:
        yield stack


def assert_shape(answer: Answer, status: int, code: str) -> None:
    body = answer.json()
    assert (answer.status, body["code"], body["success"]) == (status, code, False)
    assert body["request_id"] == answer.headers["x-request-id"]
    assert body["error"]
    assert answer.headers["connection"] == "close"


def test_requests_that_do_not_arrive_hold_nobody_up(
    server: str, wires: contextlib.ExitStack
) -> None:
    """Six times as many as there are threads, and a byte a second does not help them."""
    slow = [(Wire(server), start) for start in SILENT.values() for _ in range(2)]
    assert len(slow) > 6 * THREADS
    began = time.monotonic()
    for wire, start in slow:
        wires.enter_context(wire)
        wire.send(start)
    while time.monotonic() < began + 9:
        assert answers(server)
        for wire, start in slow:
            wire.send(b"x" if start.endswith((b"{", b"b")) else b"")
        time.sleep(0.8)
    for wire, start in slow:
        if b"Expect" in start:
            assert wire.interim() == 100
        assert_shape(wire.answer(), 408, "request_timeout")
        assert wire.is_closed()
    assert time.monotonic() - began < 20


def test_connections_that_say_nothing_make_room_for_others(
    server: str, wires: contextlib.ExitStack
) -> None:
    """More than the process may hold: whoever comes is answered, the oldest are let go."""
    idle = [wires.enter_context(Wire(server)) for _ in range(3 * CONNECTIONS)]
    assert answers(server)
    reading = [wires.enter_context(Wire(server)) for _ in range(3 * CONNECTIONS)]
    for wire in reading:
        with contextlib.suppress(ConnectionError):  # it may have had to make room already
            wire.request("GET", "/file")
    assert answers(server)
    assert idle[0].is_closed()


@pytest.mark.parametrize("path", ["/file", "/whole"])
def test_clients_that_do_not_read_hold_nobody_up(
    server: str, wires: contextlib.ExitStack, path: str
) -> None:
    """Nor those that read a little; who reads gets all of it meanwhile."""
    stalled = [wires.enter_context(Wire(server, receive=4096)) for _ in range(10 * THREADS)]
    for wire in stalled:
        wire.request("GET", path)
    ends = time.monotonic() + 5
    while time.monotonic() < ends:
        assert answers(server)
        for wire in stalled[:THREADS]:
            wire.peek(10)
        time.sleep(0.2)
    got = httpx.get(f"{server}{path}", timeout=20)
    assert len(got.content) == (FILE_SIZE if path == "/file" else len(WHOLE))
    for wire in stalled[-3:]:  # whoever goes on gets the rest
        wire.widen()
        assert wire.answer().content == got.content


def test_a_file_comes_whole_and_the_connection_goes_on(server: str, plain_file: Path) -> None:
    with httpx.Client(base_url=server, timeout=20) as client:
        for _ in range(3):
            assert client.get("/file").content == plain_file.read_bytes()
            assert client.head("/file").headers["Content-Length"] == str(FILE_SIZE)
            assert client.post("/", content=b"abc").json()["body"] == "abc"


def test_who_says_close_and_stays_holds_nobody_up(server: str, wires: contextlib.ExitStack) -> None:
    for _ in range(20):
        wire = wires.enter_context(Wire(server))
        wire.request("GET", "/", "Connection: close")
        assert wire.answer().status == 200
    began = time.monotonic()
    assert answers(server)
    assert time.monotonic() - began < 2


def test_requests_that_came_together_are_answered_in_their_order(server: str) -> None:
    with Wire(server) as wire:
        bodies = [b"a" * 10, b"b" * 70_000, b"", b"c"]
        wire.send(
            b"".join(
                b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
                for body in bodies
            )
        )
        assert [wire.answer().json()["body"].encode() for _ in bodies] == bodies


def test_a_body_in_any_pieces_is_the_same(server: str) -> None:
    raw = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    raw += b"3;a=b\r\nabc\r\n00A\r\n0123456789\r\n0\r\nX-Trailer: y\r\n\r\n"
    with Wire(server) as wire:
        for size in (1, 2, 3, 7, len(raw)):
            for start in range(0, len(raw), size):
                wire.send(raw[start : start + size])
            assert wire.answer().json()["body"] == "abc0123456789"


def test_an_expectation_is_met_once_and_only_for_what_will_be_read(server: str) -> None:
    head = "Expect: 100-continue"
    with Wire(server) as wire:
        wire.request("POST", "/", head, "Content-Length: 3")
        assert wire.interim() == 100
        wire.send(b"abc")
        assert wire.answer().json()["body"] == "abc"
        wire.request("POST", "/", head, f"Content-Length: {2**21}")
        assert_shape(wire.answer(), 413, "request_too_large")
        assert wire.is_closed()


def test_too_large_is_told_at_once_and_the_client_may_send_on(server: str) -> None:
    for framing in (f"Content-Length: {2**23}", "Transfer-Encoding: chunked"):
        with Wire(server) as wire:
            wire.request("POST", "/", framing)
            if "chunked" in framing:
                wire.send(b"%x\r\n" % 2**23)
            for _ in range(2**23 // 65536):
                wire.send(b"x" * 65536)
            assert_shape(wire.answer(), 413, "request_too_large")


def test_a_body_of_framing_is_refused(server: str) -> None:
    with Wire(server) as wire:
        wire.request("POST", "/", "Transfer-Encoding: chunked")
        with contextlib.suppress(ConnectionError):
            wire.send(b"1\r\nx\r\n" * 100_000)
        assert_shape(wire.answer(), 400, "invalid_request")


def test_what_is_broken_says_nothing_of_why_and_half_an_answer_ends(server: str) -> None:
    with Wire(server) as wire:
        wire.request("GET", "/broken", "X-Request-ID: order-2026-0001")
        answer = wire.answer()
        assert_shape(answer, 500, "internal_error")
        assert answer.json()["request_id"] == "order-2026-0001"
        assert b"hunter2" not in answer.content
    with pytest.raises(httpx.RemoteProtocolError):
        httpx.get(f"{server}/half", timeout=10)
    assert answers(server)


def test_an_endless_answer_ends_with_its_client(server: str) -> None:
    for _ in range(2 * THREADS):
        with Wire(server) as wire:
            wire.request("GET", "/endless")
            wire.peek(200_000)
    assert answers(server, timeout=10)


MOVES = {
    "SCRIPT_NAME": "/x",
    "Script-Name": "/x",
    "PATH_INFO": "/y",
    "Path-Info": "/y",
    "X-Script-Name": "/x",
    "X-Forwarded-Prefix": "/x",
    "X-Original-URL": "/y",
    "X-Rewrite-URL": "/y",
    "X-HTTP-Method-Override": "DELETE",
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Protocol": "ssl",
    "X-Forwarded-Ssl": "on",
    "X-Forwarded-Scheme": "https",
    "X-Url-Scheme": "https",
    "Front-End-Https": "on",
    "wsgi.url_scheme": "https",
    "X-Forwarded-For": "9.9.9.9",
    "X_Forwarded_For": "9.9.9.9",
    "X-Real-IP": "9.9.9.9",
    "Forwarded": "for=9.9.9.9;proto=https",
    "REMOTE_ADDR": "9.9.9.9",
    "Remote-Addr": "9.9.9.9",
}


@pytest.mark.parametrize("name", MOVES)
def test_no_header_moves_path_scheme_or_address(server: str, name: str) -> None:
    with Wire(server) as wire:
        wire.request("GET", "/x/metrics", f"{name}: {MOVES[name]}")
        assert wire.answer().json() == {
            "REQUEST_METHOD": "GET",
            "PATH_INFO": "/x/metrics",
            "SCRIPT_NAME": "",
            "REMOTE_ADDR": "127.0.0.1",
            "wsgi.url_scheme": "http",
            "body": "",
        }


def test_the_proxy_protocol_moves_nothing(server: str) -> None:
    with Wire(server) as wire:
        wire.send(b"PROXY TCP4 9.9.9.9 9.9.9.9 1 2\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert_shape(wire.answer(), 400, "invalid_request")


def test_a_client_that_sends_and_shuts_its_half_is_answered(server: str) -> None:
    host = httpx.URL(server)
    with socket.create_connection((host.host, host.port), timeout=10) as raw:
        raw.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        raw.shutdown(socket.SHUT_WR)
        assert raw.recv(100).startswith(b"HTTP/1.1 200")


def test_uploads_of_one_leave_a_thread_to_others(server: str, wires: contextlib.ExitStack) -> None:
    """More than there are threads for uploads, of one who sends nothing after the head."""
    head = b"POST /api/v1/uploads/ HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nAuthorization: "
    many = [wires.enter_context(Wire(server)) for _ in range(AT_ONCE + 2)]
    for wire in many:
        wire.send(head + b"Bearer one\r\n\r\n")
    time.sleep(0.5)
    for _ in range(3):
        began = time.monotonic()
        with Wire(server) as other:
            other.send(head + b"Bearer other\r\n\r\nabc")
            assert other.answer().status == 200
        assert time.monotonic() - began < 2
    for wire in many:  # whichever has the thread
        wire.send(b"abc")
    assert [wire.answer().status for wire in many] == [200] * len(many)
