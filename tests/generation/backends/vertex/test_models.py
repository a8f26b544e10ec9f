"""Whether the provider knows a model's id, asked for nothing."""

from __future__ import annotations

import pytest

from generation.backends.vertex.backend import VertexBackend
from tests.generation.backends.conftest import Provider, Reply, google_error, hang, reset, says

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("reply", "known"),
    [
        (says({"name": "publishers/google/models/veo"}), True),
        (says({}), True),
        (google_error(404, "Publisher Model was not found"), False),
        (says(text="<html>no</html>", status=404), None),
        (says(text="<html>fine</html>"), None),
        (google_error(403), None),
        (google_error(401), None),
        (google_error(429), None),
        (google_error(503), None),
        (says(status=302, headers={"Location": "/elsewhere"}), None),
        (reset, None),
    ],
)
async def test_what_an_answer_to_a_probe_tells(
    backend: VertexBackend, provider: Provider, reply: Reply, known: bool | None
) -> None:
    provider.reply = reply
    assert await backend.knows("veo-3.1", "") is known
    [seen] = provider.seen
    assert (seen.method, seen.path) == ("GET", "/v1/publishers/google/models/veo-3.1")


async def test_a_probe_does_not_wait_for_ever(hasty: VertexBackend, provider: Provider) -> None:
    provider.reply = hang
    assert await hasty.knows("veo-3.1", "global") is None


async def test_a_probe_goes_nowhere_but_to_the_provider(
    backend: VertexBackend, provider: Provider
) -> None:
    provider.reply = says({})
    assert await backend.knows("../veo?a#b", "us-central1") is True
    assert provider.seen[0].path == "/v1/publishers/google/models/..%2Fveo%3Fa%23b"
    assert await backend.knows("veo-3.1", "evil.example/") is None
    assert len(provider.seen) == 1


async def test_there_is_nothing_to_forget(backend: VertexBackend, provider: Provider) -> None:
    await backend.forget("projects/p1/operations/1", "gs://b/1/")
    assert provider.seen == []
    assert not backend.capabilities.remembers
