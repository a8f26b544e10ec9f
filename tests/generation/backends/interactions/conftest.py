"""Omni at a provider that answers anything at all."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web
from google.oauth2.credentials import Credentials

from generation.backends.base import SourceImage, SubmitRequest
from generation.backends.interactions.backend import InteractionsBackend
from tests.generation.backends.conftest import BUCKET, Provider, Reply

MODEL = "gemini-omni-1.2-flash"
PLACE = f"gs://{BUCKET}/generations/g1/1/"
INPUTS = f"gs://{BUCKET}/generations/g1/1.inputs/"
CREATE = "/v1beta1/projects/p1/locations/global/interactions"
NAME = f"{CREATE.removeprefix('/v1beta1/')}/i-1"
URI = f"{PLACE}video.mp4"
FRAMES = [SourceImage(bytes([n]) * 4, "image/png") for n in range(2)]
FRAMES.append(SourceImage(b"\2" * 4, "image/jpeg"))


@pytest.fixture(scope="session")
async def omni(server: Provider) -> AsyncIterator[InteractionsBackend]:
    made = open_omni(server.url)
    yield made
    await made.aclose()


@pytest.fixture(scope="session")
async def hasty_omni(server: Provider) -> AsyncIterator[InteractionsBackend]:
    """A backend that gives up soon, for answers that do not come."""
    made = open_omni(server.url, timeout=0.3)
    yield made
    await made.aclose()


def open_omni(
    url: str,
    *,
    credentials: Credentials | None = None,
    timeout: float = 30.0,
    read_timeout: float | None = None,
) -> InteractionsBackend:
    """A backend of project p1; times in seconds, ``timeout`` for all that is not named."""
    return InteractionsBackend(
        project="p1",
        location="us-central1",
        bucket=BUCKET,
        credentials=credentials or Credentials(token="t1", quota_project_id="q1"),
        base_url=url,
        submit_timeout=timeout,
        read_timeout=read_timeout or timeout,
        fetch_timeout=timeout,
    )


def order(prompt: str = "a red kite", *images: SourceImage, **fields: Any) -> SubmitRequest:
    known: dict[str, Any] = {
        "kind": "video",
        "model": MODEL,
        "prompt": prompt,
        "aspect_ratio": "16:9",
        "place": PLACE,
        "source_images": images,
        "token": "g1-1",
        "labels": {"generation": "g1", "attempt": "1"},
    }
    return SubmitRequest(**{**known, **fields})


def bucket_and(reply: Reply) -> Reply:
    """A bucket that stores everything and holds nothing; ``reply`` is for the rest."""

    async def both(request: web.Request, body: bytes) -> web.StreamResponse:
        if request.path.startswith("/upload/"):
            return web.json_response({})
        if request.path.startswith("/storage/"):
            return web.json_response({"items": []})
        return await reply(request, body)

    return both


def holds(name: str, reply: Reply, status: int = 200) -> Reply:
    """A bucket with one MP4 in it, ``gs://bucket/name``; ``reply`` is for the rest."""

    async def both(request: web.Request, body: bytes) -> web.StreamResponse:
        if request.path.startswith("/storage/"):
            there = name.removeprefix(f"gs://{BUCKET}/")
            listed = there.startswith(request.query["prefix"])
            item = {"name": there, "size": "3", "contentType": "video/mp4"}
            return web.json_response({"items": [item] if listed else []}, status=status)
        return await reply(request, body)

    return both


def asked(provider: Provider, method: str) -> list[str]:
    """The paths of the API that were asked by ``method``, the bucket's left out."""
    return [
        seen.path
        for seen in provider.seen
        if seen.method == method and "/interactions" in seen.path
    ]


def sent(provider: Provider) -> dict[str, Any]:
    """The one interaction that was asked for."""
    [seen] = [seen for seen in provider.seen if seen.path == CREATE]
    body = json.loads(seen.body)
    assert isinstance(body, dict)
    return body
