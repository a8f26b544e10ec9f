"""The twin speaks TLS: whom it believes, and what a peer can do with it."""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
from pathlib import Path
from typing import Any

import pytest

from common import safe_post
from common.fetchable import Taken
from common.safe_post import Kind, NotAnswered, post
from tests.support.certificates import self_signed
from tests.support.loopback import Names, answering, ok, serving

TAKEN = Taken({"https": frozenset({443, 8443})})


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def over_tls(port: int, **changes: Any) -> Any:
    origin = f"https://name.test:{port}"
    options: dict[str, Any] = {"taken": TAKEN, "seconds": 5.0}
    options["resolver"] = Names({"name.test": [["127.0.0.1"]]})
    return post(origin, b"{}", {}, allowed_origins=frozenset({origin}), **options | changes)


def test_tls_asks_for_the_name_and_verifies_the_certificate(tmp_path: Path) -> None:
    asked: list[str | None] = []
    context = self_signed(tmp_path).server
    context.sni_callback = lambda _socket, name, _context: asked.append(name)

    async def main() -> None:
        async with serving(answering(ok(b"x")), ssl=context) as port:
            with pytest.raises(NotAnswered) as caught:
                await over_tls(port)
        assert (caught.value.kind, asked) == (Kind.TLS, ["name.test"])

    asyncio.run(main())


def test_who_speaks_no_tls_is_told_so() -> None:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    async def main() -> None:
        async with serving(handle) as port:
            with pytest.raises(NotAnswered) as caught:
                await over_tls(port)
        assert caught.value.kind is Kind.TLS

    asyncio.run(main())


def test_who_hangs_in_the_handshake_ends_with_the_time() -> None:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(20)

    async def main() -> None:
        async with serving(handle) as port:
            with pytest.raises(NotAnswered) as caught:
                await over_tls(port, seconds=0.3)
        assert caught.value.kind is Kind.TIMEOUT

    asyncio.run(main())


@pytest.mark.parametrize("length", ["Content-Length: 0", "Content-Length: 9", "X: y"])
def test_a_receiver_that_never_ends_its_side_of_tls_holds_no_descriptor(
    length: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """asyncio alone would wait half a minute for it."""
    monkeypatch.setattr(safe_post, "READ_SECONDS", 0.1)
    certificate = self_signed(tmp_path)
    monkeypatch.setattr("aiohttp.connector._SSL_CONTEXT_VERIFIED", certificate.client)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        kept: list[ssl.SSLSocket] = []

        def receive() -> None:
            for _ in range(3):
                raw, _ = listener.accept()
                kept.append(certificate.server.wrap_socket(raw, server_side=True))
                kept[-1].recv(10_000)
                kept[-1].send(f"HTTP/1.1 200 OK\r\n{length}\r\n\r\n".encode())

        async def main() -> int:
            before = descriptors()
            for _ in range(3):
                answered = await over_tls(listener.getsockname()[1])
                assert answered.status == 200
            await asyncio.sleep(0.1)
            return descriptors() - before

        thread = threading.Thread(target=receive)
        thread.start()
        ours = asyncio.run(main()) - len(kept)
        thread.join()
        for each in kept:
            each.close()
    assert (len(kept), ours) == (3, 0)
