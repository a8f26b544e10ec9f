"""What an attempt tells of a receiver, whatever that does."""

from __future__ import annotations

import asyncio
import datetime as dt
import email.utils
import time
from typing import Any

import pytest

from common import public_address
from common.name_lookup import Lookups
from events.models import AttemptError
from tests.support.loopback import Handler, Names, answering, ok, recording, serving
from webhooks import send
from webhooks.send import Answer

SOON = 5.0  # far above what a busy machine adds


def attempt(handler: Handler, settings: Any, **headers: str) -> Answer:
    async def main() -> Answer:
        async with serving(handler) as port:
            settings.WEBHOOK_ALLOWED_ORIGINS = frozenset({f"http://127.0.0.1:{port}"})
            url = f"http://127.0.0.1:{port}/hooks?key=hush"
            return await send.post(url, b'{"a":1}', headers, resolver=None)

    return asyncio.run(main())


def status(code: int, *headers: str) -> Handler:
    lines = [f"HTTP/1.1 {code} X", "Content-Length: 0", *headers, "", ""]
    return answering("\r\n".join(lines).encode())


def test_what_is_sent(settings: Any) -> None:
    seen: list[bytes] = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await reader.readuntil(b"\r\n\r\n"))
        seen.append(await reader.readexactly(7))
        writer.write(ok(b"", "Set-Cookie: a=1"))

    answer = attempt(handle, settings, **{"webhook-id": "evt_1", "webhook-signature": "v1,x"})
    assert (answer.status_code, answer.error) == (200, None)
    first, *lines = seen[0].decode().rstrip().split("\r\n")
    assert first == "POST /hooks?key=hush HTTP/1.1"
    headers = dict(line.split(": ", 1) for line in lines)
    assert headers.pop("Host").startswith("127.0.0.1:")
    assert headers == {
        "Content-Type": "application/json",
        "User-Agent": "Reelmint-Webhooks/1",
        "webhook-id": "evt_1",
        "webhook-signature": "v1,x",
        "Accept": "*/*",
        "Accept-Encoding": "identity",
        "Connection": "close",
        "Content-Length": "7",
    }
    assert seen[1] == b'{"a":1}'


@pytest.mark.parametrize(
    ("code", "error"),
    [
        *((code, None) for code in (200, 201, 202, 204, 299)),
        *((code, AttemptError.REDIRECT) for code in (300, 301, 302, 303, 304, 307, 308, 399)),
        *((code, AttemptError.HTTP_STATUS) for code in (101, 400, 401, 404, 410, 429, 500, 999)),
    ],
)
def test_the_status_decides(code: int, error: AttemptError | None, settings: Any) -> None:
    answer = attempt(status(code, "Location: /elsewhere"), settings)
    assert (answer.status_code, answer.error) == (code, error)
    assert answer.duration_ms % 100 == 0 < answer.duration_ms


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("7", 7.0), (" 120 ", 120.0), ("-1", None), ("soon", None), ("\xff", None), ("9" * 99, None)],
)
def test_how_long_it_asks_us_to_wait(header: str, seconds: float | None, settings: Any) -> None:
    for code in (302, 404, 429, 503):
        assert attempt(status(code, f"Retry-After: {header}"), settings).retry_after == seconds
    assert attempt(status(200, f"Retry-After: {header}"), settings).retry_after is None


def test_it_may_be_a_date(settings: Any) -> None:
    then = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=60)
    when = email.utils.format_datetime(then, usegmt=True)
    assert 50 < (attempt(status(503, f"Retry-After: {when}"), settings).retry_after or 0) <= 60


@pytest.mark.enable_socket
def test_neither_word_nor_duration_tells_what_is_behind_a_name(
    free_port: int, settings: Any
) -> None:
    """An address of ours, a name nobody knows, a host that refuses, and how long each took."""
    origin = f"http://127.0.0.1:{free_port}"
    settings.WEBHOOK_ALLOWED_ORIGINS = frozenset({origin})

    class Slowly(Names):
        async def resolve(self, host: str, port: int = 0, family: int = 0) -> Any:
            await asyncio.sleep(0.2 if host.startswith("slow") else 0)
            return await super().resolve(host, port, family)

    inside = {"inside.test": [["10.0.0.1"]], "slow.inside.test": [["169.254.169.254"]]}
    names = Slowly(inside | {"public.test": [["93.184.216.34"]]})

    async def main(url: str) -> tuple[Answer, float]:
        started = time.monotonic()
        answer = await send.post(url, b"{}", {}, resolver=names)
        return answer, time.monotonic() - started

    for url in (
        "https://inside.test/",
        "https://slow.inside.test/",
        "https://unknown.test/",
        "https://slow.unknown.test/",
        "https://public.test/",  # refused by recording(), as its host would
        "https://10.0.0.1:8443/",
        "https://user@example.org/",
        f"{origin}/",
    ):
        with recording() as connects:
            answer, took = asyncio.run(main(url))
        assert answer == Answer(None, AttemptError.CONNECTION, 500), url
        assert 0.49 < took < 0.9, url
        assert not [host for host, _ in connects if not _may_be_met(host)], url


@pytest.mark.enable_socket
@pytest.mark.parametrize("url", ["https://localhost:8443/", "https://no-such-name.invalid/"])
def test_the_systems_own_names_lead_nowhere_either(url: str) -> None:
    resolver = Lookups().of("alice")
    with recording() as connects:
        answer = asyncio.run(send.post(url, b"{}", {}, resolver=resolver))
    assert (answer.error, connects) == (AttemptError.CONNECTION, [])
    assert answer.duration_ms % 500 == 0


def _may_be_met(host: str) -> bool:
    return host == "127.0.0.1" or public_address.is_public_address(host)


def test_an_attempt_never_takes_longer_than_it_may(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    monkeypatch.setattr(send, "SECONDS", 0.3)
    started = time.monotonic()
    assert attempt(silent, settings) == Answer(None, AttemptError.TIMEOUT, 300)
    assert time.monotonic() - started < SOON
