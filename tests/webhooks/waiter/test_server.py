"""The waiter's gunicorn without the waiter: what it refuses itself, and what no header moves."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import pytest

from tests.common.web.conftest import answers, served
from tests.common.web.test_refusals import BROKEN_FIELDS, FRAMING, HEAD, OTHERS, REFUSED
from tests.common.web.test_worker import MOVES, assert_shape
from tests.e2e.wire import Answer, Wire

# What the application judges, where the waiter reads no body and meets no expectation; and a head
# that is long and not over, for which the waiter has the limit of its fields alone.
ELSEWHERE = {sent for sent, (status, _) in REFUSED.items() if status in (413, 417)}
ELSEWHERE |= {sent for sent in REFUSED if "gzip, chunked" in sent or "A-0: bbb" in sent}
SECRET = "rmk_hunter2"


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    waiter = ("-c", "python:config.waiter")
    with served("tests.webhooks.waiter.plain:application", *waiter) as url:
        yield url


def asked(server: str, sent: bytes) -> Answer:
    """The answer, after which the connection is closed."""
    with Wire(server) as wire:
        with contextlib.suppress(ConnectionError):  # it may be refused before it is all sent
            wire.send(sent)
        answer = wire.answer()
        assert wire.is_closed()
    return answer


@pytest.mark.parametrize(
    "sent", [each for each in REFUSED if each not in ELSEWHERE], ids=lambda sent: sent[:60].strip()
)
def test_what_gunicorn_refuses_has_the_shape(server: str, sent: str) -> None:
    answer = asked(server, sent.encode())
    assert_shape(answer, *REFUSED[sent])
    assert answer.headers["content-type"] == "application/json"
    assert "no-store" in answer.headers["cache-control"]


@pytest.mark.parametrize(
    "sent",
    [
        f"{SECRET} / HTTP/1.1\r\n\r\n",
        f"GET / {SECRET}\r\n\r\n",
        f"GET /{SECRET}\n\r\n",
        f"{HEAD}{SECRET} : x\r\n\r\n",
        f"{HEAD}X-{SECRET}\r\n\r\n",
        f"{HEAD}Transfer-Encoding: {SECRET}\r\n\r\n",
        f"{HEAD}Transfer-Encoding: chunked\r\n\r\n{SECRET}\r\n",
    ],
)
def test_no_refusal_quotes_what_came(server: str, sent: str) -> None:
    answer = asked(server, sent.encode())
    assert answer.status in (400, 415)
    assert SECRET not in f"{answer.headers}{answer.content!r}"


def test_a_refusal_tells_the_id_that_was_read(server: str) -> None:
    sent = f"{HEAD}X-Request-ID: order-2026-0001\r\nTransfer-Encoding: gzip\r\n\r\n"
    answer = asked(server, sent.encode())
    assert_shape(answer, 415, "unsupported_media_type")
    assert answer.json()["request_id"] == "order-2026-0001"


def test_an_error_of_the_application_says_nothing_of_why(server: str) -> None:
    answer = asked(
        server, b"GET /broken HTTP/1.1\r\nHost: x\r\nX-Request-ID: order-2026-0001\r\n\r\n"
    )
    assert_shape(answer, 500, "internal_error")
    assert answer.json()["request_id"] == "order-2026-0001"
    assert b"hunter2" not in answer.content


@pytest.mark.parametrize("version", ["13", "12"])
@pytest.mark.parametrize("key", ["dGhlIHNhbXBsZSBub25jZQ==", "x"])
def test_a_websocket_is_refused_in_the_shape(server: str, version: str, key: str) -> None:
    upgrade = "Upgrade: websocket\r\nConnection: Upgrade\r\n"
    said = f"Sec-WebSocket-Version: {version}\r\nSec-WebSocket-Key: {key}\r\n"
    answer = asked(server, f"GET / HTTP/1.1\r\nHost: x\r\n{upgrade}{said}\r\n".encode())
    assert_shape(answer, 403, "permission_denied")


def test_head_is_refused_without_a_body(server: str) -> None:
    with Wire(server) as wire:
        wire.send(b"HEAD / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n")
        assert wire.peek(1000).endswith(b"\r\n\r\n")
        assert wire.is_closed()


def test_who_sends_on_gets_the_answer_all_the_same(server: str) -> None:
    """What is closed with unread bytes in it takes the answer back."""
    with Wire(server) as wire:
        wire.send(b"GET /" + b"a" * 20_000)
        for _ in range(100):  # more than the sockets hold
            wire.send(b"a" * 65536)
        assert_shape(wire.answer(), 414, "uri_too_long")
    assert answers(server)


@pytest.mark.parametrize("name", FRAMING + OTHERS)
def test_no_field_that_gunicorn_reads_ends_a_connection_without_an_answer(
    server: str, name: str
) -> None:
    for field in BROKEN_FIELDS:
        for start in ("POST / HTTP/1.1", "GET / HTTP/1.0", "HEAD / HTTP/1.1"):
            with Wire(server) as wire:
                wire.send(f"{start}\r\n{field.format(name)}\r\n\r\n".encode("latin-1"))
                assert wire.peek(9).startswith(b"HTTP/1.")
    assert answers(server)


@pytest.mark.parametrize("name", MOVES)
def test_no_header_moves_path_scheme_or_address(server: str, name: str) -> None:
    with Wire(server) as wire:
        wire.request("GET", "/x/metrics", f"{name}: {MOVES[name]}")
        assert wire.answer().json() == {
            "method": "GET",
            "path": "/x/metrics",
            "root_path": "",
            "scheme": "http",
            "client": "127.0.0.1",
        }


def test_the_proxy_protocol_moves_nothing(server: str) -> None:
    answer = asked(server, b"PROXY TCP4 9.9.9.9 9.9.9.9 1 2\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n")
    assert_shape(answer, 400, "invalid_request")
