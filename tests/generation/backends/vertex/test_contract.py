"""Our own poll is held to what google-genai sends and reads."""

from __future__ import annotations

import json

import httpx
import pytest
from google import genai
from google.genai import types
from google.oauth2.credentials import Credentials

from generation.backends.base import (
    Produced,
    Rejected,
    Running,
)
from generation.backends.vertex.backend import VertexBackend
from tests.generation.backends.conftest import (
    OPERATION,
    PLACE,
    Provider,
    says,
)

pytestmark = pytest.mark.anyio
URI = f"{PLACE}17/sample_0.mp4"
VIDEO = {"gcsUri": URI, "mimeType": "video/mp4"}


async def asked_by_google_genai(url: str) -> types.GenerateVideosOperation:
    """The same poll by the library, which today is set to another project and location."""
    async with httpx.AsyncClient() as http:
        client = genai.Client(
            vertexai=True,
            project="today",
            location="europe-west4",
            credentials=Credentials(token="t1", quota_project_id="q1"),
            http_options=types.HttpOptions(base_url=url, api_version="v1", httpx_async_client=http),
        )
        asked = types.GenerateVideosOperation()
        asked.name = OPERATION
        operation = await client.aio.operations.get(asked)
        client.close()
    return operation


@pytest.mark.parametrize(
    "answer",
    [
        {"name": OPERATION},
        {"name": OPERATION, "done": True, "response": {"videos": [VIDEO]}},
        {
            "name": OPERATION,
            "done": True,
            "response": {"raiMediaFilteredCount": 1, "raiMediaFilteredReasons": ["15236754"]},
        },
        {"name": OPERATION, "done": True, "error": {"code": 13, "message": "internal"}},
    ],
    ids=["running", "done", "filtered", "error"],
)
async def test_a_poll_is_what_google_genai_would_send_and_read(
    backend: VertexBackend, provider: Provider, answer: dict[str, object]
) -> None:
    provider.reply = says(answer)
    try:
        ours: object = await backend.poll(OPERATION, PLACE)
    except Rejected as error:
        ours = error
    theirs = await asked_by_google_genai(provider.url)

    mine, reference = provider.seen
    assert (mine.method, mine.path) == (reference.method, reference.path)
    assert json.loads(mine.body) == json.loads(reference.body)
    for header in ("authorization", "x-goog-user-project", "content-type"):
        assert mine.headers[header] == reference.headers[header]

    assert isinstance(ours, Running) == (theirs.done is None)
    assert (isinstance(ours, Rejected) and ours.code == "provider_error") == bool(theirs.error)
    videos = theirs.response.generated_videos if theirs.response else None
    assert isinstance(ours, Produced) == bool(videos)
    if videos and videos[0].video and isinstance(ours, Produced):
        assert videos[0].video.uri == ours.uri
    if theirs.response and theirs.response.rai_media_filtered_count:
        assert isinstance(ours, Rejected)
        assert ours.detail == "; ".join(theirs.response.rai_media_filtered_reasons or [])
