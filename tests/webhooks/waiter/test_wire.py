"""What a client may send besides what it should: the process lives, and holds nothing for it."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from dev.embedded.processes import wait_until
from tests.common.web.test_worker import MOVES
from tests.support.bring_to import created
from tests.support.people import Person
from tests.webhooks.waiter.conftest import Running


@contextmanager
def connected(waiter: Running) -> Iterator[socket.socket]:
    host, _, port = waiter.url.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), timeout=30) as found:
        yield found


def told(waiter: Running, request: bytes) -> bytes:
    """All that is answered until the connection is closed, or nothing comes for a while."""
    with connected(waiter) as wire:
        wire.sendall(request)
        wire.settimeout(3)
        came = b""
        try:
            while data := wire.recv(65536):
                came += data
        except TimeoutError:
            pass
        return came


def head(line: str, person: Person | None = None, *more: str) -> bytes:
    lines = [line, "Host: 127.0.0.1", *more]
    if person is not None:
        lines.append(f"Authorization: Bearer {person.key}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


@pytest.mark.parametrize(
    "target",
    [
        *("/api/v1/generate/%00/", "/api/v1/generate/../credits/", "//livez", "*", "/%2e%2e"),
        *("/api/v1/generate/00000000000000000000000000000000%0d%0aX:1/", "/" + "a" * 3000),
        "http://evil.example/api/v1/models/",
    ],
)
def test_odd_paths_are_not_found(target: str, waiter: Running, alice: Person) -> None:
    status = told(waiter, head(f"GET {target} HTTP/1.1", alice, "Connection: close"))[9:12]
    assert status in (b"404", b"400")


@pytest.mark.parametrize("query", ["wait=\xff", "wait=%FF", "wait=1%00", "wait", "\xfc=1"])
def test_odd_queries_are_answered_at_once(query: str, waiter: Running, alice: Person) -> None:
    path = f"/api/v1/generate/{created(alice).pk}/?{query}"
    answer = told(waiter, head(f"GET {path} HTTP/1.1", alice, "Connection: close"))
    assert answer[9:12] in (b"400", b"200")
    assert b"internal_error" not in answer


def test_a_websocket_and_http_2_are_refused(waiter: Running, alice: Person) -> None:
    path = f"/api/v1/generate/{created(alice).pk}/events/"
    upgrade = ("Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13")
    key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="
    assert told(waiter, head(f"GET {path} HTTP/1.1", alice, *upgrade, key))[9:12] == b"403"
    assert b" 101 " not in told(waiter, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")


def test_http_1_0_gets_a_stream_without_chunks(waiter: Running, alice: Person) -> None:
    path = f"/api/v1/generate/{created(alice).pk}/events/"
    answer = told(waiter, head(f"GET {path} HTTP/1.0", alice))
    assert answer.partition(b"\r\n\r\n")[2].startswith(b"retry: ")
    assert wait_until(lambda: waiter.holds("stream") == 0, 5)


def test_a_body_and_a_second_request_do_not_end_a_wait(waiter: Running, alice: Person) -> None:
    path = f"/api/v1/generate/{created(alice).pk}/?wait=2"
    began = time.monotonic()
    request = head(f"GET {path} HTTP/1.1", alice, "Content-Length: 5") + b"hello"
    second = head("GET /livez HTTP/1.1", None, "Connection: close")
    answer = told(waiter, request + second)
    assert time.monotonic() - began >= 2
    assert answer.startswith(b"HTTP/1.1 200 OK")
    assert answer.count(b"Preference-Applied: wait=2") == 1
    assert waiter.holds("wait") == 0


def test_an_endless_body_is_forgotten(waiter: Running, alice: Person) -> None:
    path = f"/api/v1/generate/{created(alice).pk}/?wait=2"
    with connected(waiter) as wire:
        wire.sendall(head(f"GET {path} HTTP/1.1", alice, "Transfer-Encoding: chunked"))
        began = time.monotonic()
        while time.monotonic() - began < 1.5:
            wire.sendall(b"2000\r\n" + b"x" * 0x2000 + b"\r\n")
            time.sleep(0.001)
        assert wire.recv(65536).startswith(b"HTTP/1.1 200 OK")
    assert waiter.child.exit_code is None


def test_fifty_that_vanish_are_forgotten(waiter: Running, alice: Person) -> None:
    path = f"/api/v1/generate/{created(alice).pk}/events/"
    wires = []
    for _ in range(50):
        host, _, port = waiter.url.removeprefix("http://").partition(":")
        wire = socket.create_connection((host, int(port)))
        wire.sendall(head(f"GET {path} HTTP/1.1", alice))
        wires.append(wire)
    assert wait_until(lambda: waiter.holds("stream") == 50, 20)
    for wire in wires:  # with a reset, not with a good-bye
        wire.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
        wire.close()
    assert wait_until(lambda: waiter.holds("stream") == 0, 10)


@pytest.mark.parametrize("name", MOVES)
def test_no_header_leads_round_a_path(name: str, waiter: Running) -> None:
    """A proxy keeps /metrics from the public by its path."""
    for path in ("/x/metrics", "/y"):
        line = head(f"GET {path} HTTP/1.1", None, f"{name}: {MOVES[name]}", "Connection: close")
        assert told(waiter, line)[9:12] == b"404"


def test_a_broken_body_ends_a_stream_and_puts_nothing_into_it(
    waiter: Running, alice: Person
) -> None:
    path = f"/api/v1/generate/{created(alice).pk}/events/"
    with connected(waiter) as wire:
        wire.sendall(head(f"GET {path} HTTP/1.1", alice, "Transfer-Encoding: chunked"))
        came = b""
        while b"retry: " not in came:
            came += wire.recv(65536)
        wire.sendall(b"zz\r\n")
        while data := wire.recv(65536):
            came += data
    assert came.count(b"HTTP/1.1 ") == 1
    assert wait_until(lambda: waiter.holds("stream") == 0, 10)
