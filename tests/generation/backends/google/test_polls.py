"""How polls are transported: bounded, uncompressed, not redirected, through the proxy there is."""

from __future__ import annotations

import pytest

from generation.backends.base import Running, Unavailable
from generation.backends.vertex.backend import VertexBackend
from tests.generation.backends.conftest import (
    OPERATION,
    PLACE,
    Provider,
    Reply,
    open_backend,
    says,
)

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    "reply",
    [
        says({"done": False}, headers={"Content-Encoding": "gzip"}),
        says({"done": False}, status=302, headers={"Location": "/elsewhere"}),
        says(text=b" " * (65 * 1024 * 1024)),
    ],
)
async def test_what_is_compressed_moved_or_endless_is_no_answer(
    backend: VertexBackend, provider: Provider, reply: Reply
) -> None:
    provider.reply = reply
    with pytest.raises(Unavailable):
        await backend.poll(OPERATION, PLACE)
    assert len(provider.seen) == 1


@pytest.mark.parametrize("coding", ["", "aws-chunked", "none", "identity, binary", "utf-8"])
async def test_a_coding_that_compresses_nothing_is_an_answer(
    backend: VertexBackend, provider: Provider, coding: str
) -> None:
    provider.reply = says({"name": OPERATION, "done": False}, headers={"Content-Encoding": coding})
    assert await backend.poll(OPERATION, PLACE) == Running()


async def test_a_long_error_page_still_tells_its_status(
    backend: VertexBackend, provider: Provider
) -> None:
    provider.reply = says(text="x" * 2_000_000, status=503, headers={"Retry-After": "7"})
    with pytest.raises(Unavailable) as caught:
        await backend.poll(OPERATION, PLACE)
    assert (str(caught.value), caught.value.retry_after) == ("HTTP 503", 7)


async def test_the_environments_proxy_is_asked(
    server: Provider, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The proxy of an operator's network sees the polls as it sees every other call."""
    monkeypatch.setenv("http_proxy", server.url)
    monkeypatch.setenv("no_proxy", "localhost")
    provider.reply = says({"name": OPERATION, "done": False})
    backend = open_backend("http://vertex.invalid")
    try:
        assert await backend.poll(OPERATION, PLACE) == Running()
    finally:
        await backend.aclose()
    assert provider.seen[0].path.startswith("http://vertex.invalid/v1/projects/")
