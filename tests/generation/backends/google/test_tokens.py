"""The access token: fresh before it is needed, and never waited for without a limit."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
from pathlib import Path

import pytest
from aiohttp import web
from google.auth.credentials import AnonymousCredentials
from google.oauth2.credentials import Credentials

from generation.backends.base import NotAccepted, Unavailable
from generation.backends.google.tokens import GoogleToken, TokenUnavailable
from generation.backends.vertex.backend import VertexBackend
from tests.generation.backends.conftest import (
    OPERATION,
    PLACE,
    Provider,
    Reply,
    google_error,
    hang,
    open_backend,
    says,
    video,
)

pytestmark = pytest.mark.anyio


def expiring(url: str, *, seconds: float) -> Credentials:
    """User credentials whose token ends in ``seconds`` and is refreshed at ``url``."""
    now = dt.datetime.now(dt.UTC).replace(tzinfo=None)
    return Credentials(
        token="old",
        refresh_token="r",
        token_uri=f"{url}/token",
        client_id="c",
        client_secret="s",
        expiry=now + dt.timedelta(seconds=seconds),
    )


def endpoint(token: Reply) -> Reply:
    """A provider that gives tokens, and says "running" to everything else."""

    async def reply(request: web.Request, body: bytes) -> web.StreamResponse:
        if request.path == "/token":
            return await token(request, body)
        return web.json_response({"name": OPERATION})

    return reply


GRANTED = says({"access_token": "new", "expires_in": 3600, "token_type": "Bearer"})


async def test_an_expired_token_is_refreshed_once_for_all(provider: Provider) -> None:
    provider.reply = endpoint(GRANTED)
    backend = open_backend(provider.url, credentials=expiring(provider.url, seconds=60))
    await asyncio.gather(*(backend.poll(OPERATION, PLACE) for _ in range(20)))
    await backend.submit(video())
    paths = [seen.path for seen in provider.seen]
    assert paths.count("/token") == 1
    used = {seen.headers["authorization"] for seen in provider.seen if seen.path != "/token"}
    assert used == {"Bearer new"}
    await backend.aclose()


async def test_a_token_near_its_end_is_used_while_the_next_one_is_fetched(
    provider: Provider,
) -> None:
    provider.reply = endpoint(GRANTED)
    backend = open_backend(provider.url, credentials=expiring(provider.url, seconds=280))
    await backend.poll(OPERATION, PLACE)
    for _ in range(500):
        await asyncio.sleep(0.01)
        await backend.poll(OPERATION, PLACE)
        if provider.seen[-1].headers.get("authorization") == "Bearer new":
            break
    used = [s.headers["authorization"] for s in provider.seen if s.path != "/token"]
    assert (used[0], used[-1]) == ("Bearer old", "Bearer new")
    assert len(provider.seen) == len(used) + 1
    await backend.aclose()


@pytest.mark.parametrize(
    "reply", [google_error(401), hang, says(text="<html>"), says({"nothing": 1})]
)
async def test_without_a_token_nothing_is_sent(provider: Provider, reply: Reply) -> None:
    provider.reply = endpoint(reply)
    credentials = expiring(provider.url, seconds=60)
    backend = open_backend(provider.url, credentials=credentials, timeout=0.6)
    with pytest.raises(NotAccepted):
        await backend.submit(video())
    with pytest.raises(Unavailable):
        await backend.poll(OPERATION, PLACE)
    with pytest.raises(Unavailable):
        await backend.find_output(PLACE, "video")
    with pytest.raises(Unavailable):
        await backend.fetch_output(f"{PLACE}x.mp4", Path("never written"))
    assert {seen.path for seen in provider.seen} == {"/token"}
    assert len(provider.seen) == 1  # a dead endpoint is not asked by every call
    await backend.aclose()


async def test_a_refused_token_is_replaced(provider: Provider) -> None:
    async def reply(request: web.Request, body: bytes) -> web.StreamResponse:
        if request.path == "/token":
            return await GRANTED(request, body)
        if request.headers["Authorization"] != "Bearer new":
            return await google_error(401)(request, body)
        return web.json_response({"name": OPERATION})

    provider.reply = reply
    backend = open_backend(provider.url, credentials=expiring(provider.url, seconds=3000))
    with pytest.raises(Unavailable):
        await backend.poll(OPERATION, PLACE)
    for _ in range(500):
        await asyncio.sleep(0.01)
        with contextlib.suppress(Unavailable):
            await backend.poll(OPERATION, PLACE)
            break
    asked = [seen for seen in provider.seen if seen.path != "/token"]
    assert asked[-1].headers["authorization"] == "Bearer new"
    await backend.aclose()


async def test_credentials_that_have_no_token_are_none() -> None:
    token = GoogleToken(AnonymousCredentials(), limit=1.0)
    with pytest.raises(TokenUnavailable):
        await token.fresh()
    await token.aclose()


async def test_default_credentials_are_looked_up_when_needed(
    provider: Provider, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "missing.json"))
    backend = VertexBackend(
        project="p1", location="us-central1", bucket="outputs", base_url=provider.url
    )
    with pytest.raises(NotAccepted):
        await backend.submit(video())
    assert provider.seen == []
    await backend.aclose()


@pytest.mark.parametrize(
    "wrong", [{"project": ""}, {"location": "US/x"}, {"bucket": ""}, {"base_url": "localhost:1"}]
)
def test_wrong_settings_are_refused_at_once(wrong: dict[str, str]) -> None:
    settings = {
        "project": "p1",
        "location": "us-central1",
        "bucket": "b",
        "base_url": "",
        **wrong,
    }
    with pytest.raises(ValueError):
        VertexBackend(
            project=settings["project"],
            location=settings["location"],
            bucket=settings["bucket"],
            base_url=settings["base_url"],
        )
