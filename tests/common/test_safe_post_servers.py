"""What a hostile receiver can do once it was connected to: nothing but cost its time limit."""

from __future__ import annotations

import asyncio
import gzip
import logging
import socket
import time
from typing import Any

import pytest

from common import safe_post
from common.fetchable import Taken
from common.safe_post import Answered, Kind, NotAnswered, post
from tests.support.loopback import Handler, answering, ok, serving

TAKEN = Taken({"https": frozenset({443, 8443})})
# Far below what a drip would take, far above what a busy machine adds.
SOON = 5.0


def send(handler: Handler, body: bytes = b"{}", **changes: Any) -> Answered:
    async def main() -> Answered:
        async with serving(handler) as port:
            origin = f"http://127.0.0.1:{port}"
            options: dict[str, Any] = {"taken": TAKEN, "seconds": 5.0} | changes
            return await post(
                f"{origin}/hooks", body, {}, allowed_origins=frozenset({origin}), **options
            )

    return asyncio.run(main())


def kind(handler: Handler, **changes: Any) -> Kind:
    with pytest.raises(NotAnswered) as caught:
        send(handler, **changes)
    return caught.value.kind


def drip(head: bytes, drop: bytes, every: float = 0.02) -> Handler:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(head)
        while True:
            writer.write(drop)
            await writer.drain()
            await asyncio.sleep(every)

    return handle


@pytest.mark.parametrize(
    ("head", "drop"),
    [
        (b"HTTP/1.1 200 ", b"O"),
        (b"HTTP/1.1 200 OK\r\n", b"X"),
        (b"HTTP/1.1 200 OK\r\n", b"X: y\r\n"),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
        (b"", b""),
    ],
)
def test_dripping_a_head_ends_with_the_time(head: bytes, drop: bytes) -> None:
    started = time.monotonic()
    assert kind(drip(head, drop), seconds=0.3) is Kind.TIMEOUT
    assert time.monotonic() - started < SOON


@pytest.mark.parametrize(
    ("head", "drop"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n", b"x"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n", b""),
        (b"HTTP/1.1 200 OK\r\n\r\n", b"x"),
    ],
)
def test_a_body_that_drips_or_never_comes_is_a_success_and_left_soon(
    head: bytes, drop: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(safe_post, "READ_SECONDS", 0.3)
    started = time.monotonic()
    answered = send(drip(head, drop))
    assert (answered.status, answered.seconds < 0.3) == (200, True)
    assert time.monotonic() - started < SOON


def test_the_body_may_not_take_more_than_is_left_of_the_time() -> None:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        await asyncio.sleep(0.3)
        writer.write(b"HTTP/1.1 204 X\r\nTransfer-Encoding: chunked\r\n\r\n")
        await asyncio.sleep(20)

    started = time.monotonic()
    assert send(handle, seconds=0.6).status == 204
    assert time.monotonic() - started < 1.5


@pytest.mark.parametrize("status", [200, 500])
def test_an_endless_body_is_left_after_64_kb(status: int) -> None:
    sent = 0

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        await reader.readuntil(b"\r\n\r\n")
        writer.write(f"HTTP/1.1 {status} OK\r\n\r\n".encode())
        while True:
            writer.write(b"x" * 4096)
            await writer.drain()
            sent += 4096

    started = time.monotonic()
    assert send(handle).status == status
    assert time.monotonic() - started < 1.5  # by its size, before its time
    assert sent < 8 * 1024 * 1024  # what the kernel and aiohttp take in advance


@pytest.mark.parametrize(
    "body",
    [
        b"Content-Length: 10\r\n\r\nshort",
        b"Content-Length: 20000000000\r\n\r\n",
        b"Transfer-Encoding: chunked\r\n\r\n5\r\nab",
        b"Content-Encoding: gzip\r\nContent-Length: 4\r\n\r\nnope",
        b"Content-Encoding: gzip\r\n\r\n" + gzip.compress(b"0" * 9_000_000),
        b"Content-Type: \xff; charset=nope\r\n\r\n\xff\xfe",
        b"Set-Cookie: =;;=\xff\r\nContent-Length: 0\r\n\r\n",
        b"\r\n" + b"x" * 200_000,
    ],
)
def test_no_body_makes_a_success_a_failure(body: bytes) -> None:
    assert send(answering(b"HTTP/1.1 200 OK\r\n" + body), seconds=2).status == 200


def test_a_broken_body_comes_too_late() -> None:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        await asyncio.sleep(0.1)
        writer.write(b"zz\r\n")

    assert send(handle).status == 200


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nok",
        b"HTTP/1.1 204 No\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No\r\n\r\n\xff\xff",
        b"HTTP/1.1 204 No\n\nok",
    ],
)
@pytest.mark.parametrize("cut", [0, 1, 2, 3, 4])
def test_what_comes_with_a_head_and_is_no_body_undoes_no_status(answer: bytes, cut: int) -> None:
    """Written at once, or with the head's end apart."""
    first = answer.find(b"\n\r\n") + 3 - cut if cut and b"\n\r\n" in answer else len(answer)

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer[:first])
        await asyncio.sleep(0.05)
        writer.write(answer[first:])

    assert send(handle).status in (200, 204)


def test_a_flood_of_line_breaks_ends_with_the_time() -> None:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        for _ in range(100):
            writer.write(b"\n" * 1_000_000)
            await writer.drain()

    started = time.monotonic()
    assert outcome(handle, seconds=0.3) in (Kind.TIMEOUT, Kind.CONNECTION)
    assert time.monotonic() - started < SOON


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"\r\n\r\n",
        b"SSH-2.0-OpenSSH_9.9\r\n",
        b"-ERR unknown command\r\n",
        b"HTTP/1.1 200 OK\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx",
        b"HTTP/1.1 200 OK\r\nX: " + b"y" * 100_000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 10_000 + b"\r\n",
        b"HTTP/1.1 abc OK\r\n\r\n",
        b"HTTP/1.1 99999 OK\r\n\r\n",
        b"HTTP/1.1 -200 OK\r\n\r\n",
        b"HTTP/2.0 200 OK\r\nno colon\r\n\r\n",
    ],
)
def test_nonsense_is_no_connection(answer: bytes) -> None:
    assert kind(answering(answer), seconds=2) is Kind.CONNECTION


def outcome(handler: Handler, **changes: Any) -> int | Kind:
    try:
        return send(handler, **changes).status
    except NotAnswered as error:
        return error.kind


def test_one_that_answers_and_leaves_without_reading_has_answered_or_broken_off() -> None:
    """Whether its reset overtakes its answer is up to the kernel."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()

    assert outcome(handle, body=b"x" * 20_000) in (413, Kind.CONNECTION)


def test_one_that_reads_nothing_ends_with_the_time() -> None:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(20)  # asyncio itself reads 64 kB

    started = time.monotonic()
    assert kind(handle, body=b"x" * 1_000_000, seconds=0.3) is Kind.TIMEOUT
    assert time.monotonic() - started < SOON


def test_a_cookie_and_a_body_are_in_no_log(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        answer = ok(b"hush-body", "Set-Cookie: hush cookie=\x01;;", "X-Hush: hush-header")
        assert send(answering(answer)).status == 200
        assert kind(answering(b"hush-line\r\n\r\n")) is Kind.CONNECTION
    assert "hush" not in caplog.text
