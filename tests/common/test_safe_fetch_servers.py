"""What a hostile server can do once it was connected to: nothing but cost its time limit."""

from __future__ import annotations

import asyncio
import gzip
import time
from typing import Any

import pytest

from common.safe_fetch import FetchError, FetchFailed, fetch
from tests.support.certificates import self_signed
from tests.support.loopback import Handler, Names, answering, ok, redirect, serving

LIMIT = 1000
# Far below what a drip would take (15 s at the least), far above what a busy machine adds.
SOON = 5.0


def ask(handler: Handler, path: str = "/", **limits) -> bytes:
    async def main() -> bytes:
        async with serving(handler) as port:
            origin = f"http://127.0.0.1:{port}"
            options: dict[str, Any] = {"max_bytes": LIMIT, "total_timeout": 5.0} | limits
            body = await fetch(origin + path, allowed_origins=frozenset({origin}), **options)
            return body.data

    return asyncio.run(main())


def reason(handler: Handler, **limits) -> str:
    with pytest.raises(FetchFailed) as caught:
        ask(handler, **limits)
    assert str(caught.value) == "The URL could not be fetched"
    return caught.value.reason


def drip(head: bytes, drop: bytes, every: float = 0.02) -> Handler:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(head)
        while True:
            writer.write(drop)
            await writer.drain()
            await asyncio.sleep(every)

    return handle


def test_a_body_up_to_the_limit_arrives_whole():
    assert ask(answering(ok(b"x" * LIMIT, "Content-Type: image/png"))) == b"x" * LIMIT


def test_content_type_is_handed_on():
    async def main() -> None:
        async with serving(answering(ok(b"x", "Content-Type: image/webp"))) as port:
            origin = f"http://127.0.0.1:{port}"
            body = await fetch(
                origin, max_bytes=1, total_timeout=5, allowed_origins=frozenset({origin})
            )
            assert body.content_type == "image/webp"

    asyncio.run(main())


def test_the_request_carries_no_cookie_and_asks_for_no_encoding_and_keeps_the_spelling():
    seen: list[bytes] = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await reader.readuntil(b"\r\n\r\n"))
        if len(seen) == 1:
            writer.write(b"HTTP/1.1 302 Go\r\nLocation: /b\r\nSet-Cookie: a=1\r\n")
            writer.write(b"Content-Length: 0\r\n\r\n")
        else:
            writer.write(ok(b"done"))

    assert ask(handle, path="/a%2fb?sig=a%2Fb%3D+~&x=%C3%A4") == b"done"
    assert seen[0].startswith(b"GET /a%2fb?sig=a%2Fb%3D+~&x=%C3%A4 HTTP/1.1\r\n")
    assert b"Accept-Encoding: identity\r\n" in seen[0]
    assert seen[1].startswith(b"GET /b HTTP/1.1\r\n")
    assert b"cookie" not in seen[1].lower()
    assert b"referer" not in seen[1].lower()


def test_one_byte_too_many_declared_or_not():
    big = b"x" * (LIMIT + 1)
    chunked = (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n" + big + b"\r\n0\r\n\r\n"
    )
    assert reason(answering(ok(big))) == "size"
    assert reason(answering(chunked)) == "size"
    assert reason(answering(b"HTTP/1.0 200 OK\r\n\r\n" + big)) == "size"


def test_an_endless_body_ends_at_the_limit():
    head = b"HTTP/1.1 200 OK\r\nContent-Type: image/png\r\n\r\n"
    assert reason(drip(head, b"x" * 100_000, every=0), max_bytes=5_000_000) == "size"


@pytest.mark.parametrize(
    ("head", "drop"),
    [
        (b"HTTP/1.1 200 ", b"O"),
        (b"HTTP/1.1 200 OK\r\n", b"X"),
        (b"HTTP/1.1 200 OK\r\n", b"X: y\r\n"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n", b"x"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
        (b"", b""),
    ],
)
def test_dripping_ends_with_the_total_time(head, drop):
    started = time.monotonic()
    assert reason(drip(head, drop), total_timeout=0.3) == "time"
    assert time.monotonic() - started < SOON


def test_the_time_covers_all_redirects_together():
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        await asyncio.sleep(0.2)
        writer.write(redirect("/again"))

    started = time.monotonic()
    assert reason(handle, total_timeout=0.3) == "time"
    assert time.monotonic() - started < SOON


def hops(count: int) -> Handler:
    served = 0

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal served
        await reader.readuntil(b"\r\n\r\n")
        served += 1
        writer.write(redirect(f"/{served}") if served <= count else ok(b"there"))

    return handle


def test_three_redirects_are_followed_and_four_are_not():
    assert ask(hops(3)) == b"there"
    assert reason(hops(4)) == "redirects"
    assert reason(hops(1), max_redirects=0) == "redirects"


@pytest.mark.parametrize("status", [201, 203, 204, 206, 300, 304, 305, 400, 401, 404, 500, 999])
def test_every_other_status_is_the_same_failure(status):
    answer = f"HTTP/1.1 {status} X\r\nContent-Length: 0\r\nLocation: /x\r\n\r\n".encode()
    assert reason(answering(answer)) == "status"


def test_a_redirect_without_a_target_is_a_failure():
    assert reason(answering(b"HTTP/1.1 302 Go\r\nContent-Length: 0\r\n\r\n")) == "status"


@pytest.mark.parametrize("encoding", ["gzip", "br", "deflate", "identity, gzip", "zstd"])
def test_an_encoded_body_is_not_decoded_but_refused(encoding):
    bomb = gzip.compress(b"0" * 900_000)
    assert len(bomb) < LIMIT
    assert reason(answering(ok(bomb, f"Content-Encoding: {encoding}"))) == "encoding"


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"\r\n\r\n",
        b"SSH-2.0-OpenSSH_9.9\r\n",
        b"-ERR unknown command\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
        b"HTTP/1.1 200 OK\r\nX: " + b"y" * 100_000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 10_000 + b"\r\n",
        b"HTTP/1.1 abc OK\r\n\r\n",
        b"HTTP/1.1 302 Go\r\nLocation: http://[::1\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 302 Go\r\nLocation: http://a:b:c/\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 302 Go\r\nLocation: \xff\xfe\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 302 Go\r\nLocation: javascript:alert(1)\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 302 Go\r\nLocation: file:///etc/passwd\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\nxx",
    ],
)
def test_nonsense_is_an_ordinary_failure(answer):
    with pytest.raises(FetchError) as caught:
        ask(answering(answer), total_timeout=2)
    assert str(caught.value) == "The URL could not be fetched"


def test_a_closed_port_is_an_ordinary_failure():
    async def main() -> None:
        async with serving(answering()) as port:
            origin = f"http://127.0.0.1:{port}"
        with pytest.raises(FetchFailed):
            await fetch(origin, max_bytes=1, total_timeout=5, allowed_origins=frozenset({origin}))

    asyncio.run(main())


def test_tls_asks_for_the_name_and_verifies_the_certificate(tmp_path):
    asked: list[str | None] = []
    context = self_signed(tmp_path).server
    context.sni_callback = lambda _socket, name, _context: asked.append(name)

    async def main() -> None:
        async with serving(answering(ok(b"x")), ssl=context) as port:
            origin = f"https://name.test:{port}"
            names = Names({"name.test": [["127.0.0.1"]]})
            limits: dict[str, Any] = {"max_bytes": 1, "total_timeout": 5, "resolver": names}
            with pytest.raises(FetchFailed) as caught:
                await fetch(origin, allowed_origins=frozenset({origin}), **limits)
            assert "CERTIFICATE_VERIFY_FAILED" in str(caught.value.__cause__)

    asyncio.run(main())
    assert asked == ["name.test"]
