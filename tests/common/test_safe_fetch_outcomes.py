"""What may be well a minute later, and what will not: every way in which a fetch ends badly."""

from __future__ import annotations

import asyncio
import datetime as dt
import email.utils
import socket
from typing import Any

import pytest
from aiohttp.abc import ResolveResult

from common.safe_fetch import FetchError, fetch
from tests.support.loopback import Handler, Names, answering, ok, redirect, serving


def failure(handler: Handler, **limits: Any) -> FetchError:
    async def main() -> None:
        async with serving(handler) as port:
            origin = f"http://127.0.0.1:{port}"
            options = {"max_bytes": 1000, "total_timeout": 5.0} | limits
            await fetch(f"{origin}/a.png?key=hush", allowed_origins=frozenset({origin}), **options)

    with pytest.raises(FetchError) as caught:
        asyncio.run(main())
    assert "hush" not in caught.value.detail
    return caught.value


def status(code: int, *headers: str) -> Handler:
    lines = [f"HTTP/1.1 {code} X", "Content-Length: 0", *headers, "", ""]
    return answering("\r\n".join(lines).encode())


async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()


PASSING = {202, 408, 425, 429, 500, 502, 503, 504, 507, 509, 520, 522, 524, 529, 599}
FINAL = {201, 204, 206, 300, 304, 400, 401, 402, 403, 404, 405, 406, 410, 414, 415, 451, 501, 505}
FINAL |= {600, 999}


@pytest.mark.parametrize("code", sorted(PASSING | FINAL))
def test_a_status_says_whether_it_may_be_there_later(code: int) -> None:
    error = failure(status(code))
    assert (error.detail, error.is_passing) == (f"status: {code}", code in PASSING)


@pytest.mark.parametrize(
    ("handler", "detail", "is_passing"),
    [
        (answering(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort"), "network: ", True),
        (
            answering(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab"),
            "network: ",
            True,
        ),
        (answering(b""), "network: ServerDisconnectedError", True),
        (answering(b"SSH-2.0-OpenSSH_9.9\r\n\r\n"), "network: ", False),
        (answering(ok(b"x" * 1001)), "size: 1001 bytes", False),
        (answering(ok(b"x", "Content-Encoding: br")), "encoding: br", False),
        (answering(redirect("/again")), "redirects: more than 3", False),
        (answering(redirect("ftp://a.example/")), "must be an http or https URL", False),
        (answering(redirect("http://a.example:8080/")), "must not name a port", False),
        (answering(redirect("http://127.0.0.2/")), "must not name a private", False),
        (silent, "time: no whole answer in 0.3 s", True),
    ],
)
def test_how_an_answer_may_end(handler: Handler, detail: str, is_passing: bool) -> None:
    limits = {"total_timeout": 0.3} if handler is silent else {}
    error = failure(handler, **limits)
    assert error.detail.startswith(detail)
    assert error.is_passing is is_passing


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("7", 7.0), (" 120 ", 120.0), ("-1", None), ("soon", None), ("1.5", None), ("", None)],
)
def test_the_hosts_own_wish(header: str, seconds: float | None) -> None:
    assert failure(status(503, f"Retry-After: {header}")).retry_after == seconds
    assert failure(status(404, f"Retry-After: {header}")).retry_after is None


def test_the_hosts_wish_may_be_a_date() -> None:
    then = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=60)
    wish = failure(status(429, f"Retry-After: {email.utils.format_datetime(then, usegmt=True)}"))
    assert 50 < (wish.retry_after or 0) <= 60
    past = "Thu, 01 Jan 1970 00:00:00 GMT"
    assert failure(status(429, f"Retry-After: {past}")).retry_after == 0


class Broken(Names):
    """Every look-up ends with the same error."""

    def __init__(self, error: OSError) -> None:
        super().__init__({})
        self.error = error

    async def resolve(self, host: str, port: int = 0, family: int = 0) -> list[ResolveResult]:
        raise self.error


@pytest.mark.parametrize(
    ("error", "is_passing"),
    [
        (socket.gaierror(socket.EAI_AGAIN, "try again"), True),
        (socket.gaierror(socket.EAI_FAIL, "non-recoverable"), True),
        (socket.gaierror(socket.EAI_NONAME, "not known"), False),
        (socket.gaierror(socket.EAI_NODATA, "no address"), False),
        (OSError("the resolver is away"), True),
    ],
)
def test_what_a_look_up_may_say(error: OSError, is_passing: bool) -> None:
    async def main() -> None:
        await fetch("http://a.example/", max_bytes=1, total_timeout=5, resolver=Broken(error))

    with pytest.raises(FetchError) as caught:
        asyncio.run(main())
    assert caught.value.is_passing is is_passing


def test_a_refused_connection_is_passing_and_a_refused_address_is_not(free_port: int) -> None:
    async def main(url: str, allowed: frozenset[str], names: Names | None = None) -> None:
        await fetch(url, max_bytes=1, total_timeout=5, allowed_origins=allowed, resolver=names)

    origin = f"http://127.0.0.1:{free_port}"
    with pytest.raises(FetchError) as refused:
        asyncio.run(main(origin, frozenset({origin})))
    assert refused.value.is_passing
    with pytest.raises(FetchError) as address:
        asyncio.run(main("http://a.example/", frozenset(), Names({"a.example": [["10.0.0.1"]]})))
    assert (address.value.detail, address.value.is_passing) == ("address: 10.0.0.1 port 80", False)
