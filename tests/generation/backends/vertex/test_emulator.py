"""The backend against the emulator's own process, with credentials as Google's are."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from google.oauth2 import service_account
from PIL import Image

from generation.backends.base import (
    Accepted,
    DamagedOutput,
    ModelGone,
    NotAccepted,
    OperationGone,
    Produced,
    Rejected,
    Running,
    SourceImage,
    SubmitRequest,
    Unavailable,
    Unknown,
)
from generation.backends.vertex.backend import VertexBackend
from tests.generation.backends.conftest import BUCKET, MODEL, Emulator, picture

pytestmark = pytest.mark.anyio


def connect(emulator: Emulator, submit_timeout: float) -> VertexBackend:
    account = service_account.Credentials.from_service_account_file(str(emulator.credentials))
    return VertexBackend(
        project="p1",
        location="us-central1",
        bucket=BUCKET,
        credentials=account,
        base_url=emulator.url,
        submit_timeout=submit_timeout,
        read_timeout=10.0,
    )


@pytest.fixture(scope="module")
async def veo(emulator: Emulator, anyio_backend: str) -> AsyncIterator[VertexBackend]:
    made = connect(emulator, 30.0)
    yield made
    await made.aclose()


@pytest.fixture
async def hasty_veo(emulator: Emulator, anyio_backend: str) -> AsyncIterator[VertexBackend]:
    made = connect(emulator, 1.0)
    yield made
    await made.aclose()


def ask(
    prompt: str, *images: SourceImage, model: str = MODEL, image: bool = False
) -> SubmitRequest:
    generation = uuid.uuid4().hex
    return SubmitRequest(
        kind="image" if image else "video",
        model="gemini-3.1-flash-image" if image else model,
        prompt=prompt,
        aspect_ratio="3:2" if image else "16:9",
        place=f"gs://{BUCKET}/{generation}/1/",
        source_images=images,
        labels={"generation": generation},
    )


async def finished(veo: VertexBackend, request: SubmitRequest) -> Produced:
    """Submit and poll to the end."""
    accepted = await veo.submit(request)
    assert isinstance(accepted, Accepted)
    for _ in range(300):
        outcome = await veo.poll(accepted.operation_name, request.place)
        if isinstance(outcome, Produced):
            return outcome
        await asyncio.sleep(0.02)
    raise AssertionError("the operation does not end")


@pytest.mark.parametrize("images", [0, 1, 2, 3])
async def test_a_video_is_bought_once_and_copied_whole(
    veo: VertexBackend, emulator: Emulator, tmp_path: Path, images: int
) -> None:
    request = ask("a red kite", *[picture()] * images)
    produced = await finished(veo, request)
    assert produced.uri.startswith(request.place)
    assert await veo.find_output(request.place, request.kind) == produced
    fetched = await veo.fetch_output(produced.uri, tmp_path / "out.mp4")
    assert fetched.path.read_bytes()[4:8] == b"ftyp"
    assert fetched.size == fetched.path.stat().st_size
    assert emulator.bought(request) == 1


async def test_an_image_is_in_the_bucket(
    veo: VertexBackend, emulator: Emulator, tmp_path: Path
) -> None:
    request = ask("a red kite", image=True)
    produced = Produced(f"{request.place}image_0.png")
    assert (
        await veo.submit(request) == await veo.find_output(request.place, request.kind) == produced
    )
    fetched = await veo.fetch_output(produced.uri, tmp_path / "out.png")
    with Image.open(fetched.path) as image:
        assert abs(image.width / image.height - 1.5) < 0.02
    assert emulator.bought(request) == 1


async def lost_but_bought_once(veo: VertexBackend, emulator: Emulator, how: str) -> None:
    request = ask(f"a red kite [emulator:accepted-then-{how}]")
    with pytest.raises(Unknown):
        await veo.submit(request)
    assert emulator.bought(request) == 1
    for _ in range(300):
        if found := await veo.find_output(request.place, request.kind):
            break
        await asyncio.sleep(0.02)
    assert found is not None


@pytest.mark.parametrize("how", ["reset", "502"])
async def test_an_accepted_submit_that_is_lost_was_bought_once(
    veo: VertexBackend, emulator: Emulator, how: str
) -> None:
    await lost_but_bought_once(veo, emulator, how)


async def test_an_accepted_submit_that_hangs_was_bought_once(
    hasty_veo: VertexBackend, emulator: Emulator
) -> None:
    await lost_but_bought_once(hasty_veo, emulator, "no-answer")


async def test_busy_is_not_bought(veo: VertexBackend, emulator: Emulator) -> None:
    request = ask(f"{uuid.uuid4()} [emulator:busy=1 retry-after=3]")
    with pytest.raises(NotAccepted) as caught:
        await veo.submit(request)
    assert caught.value.retry_after == 3
    assert emulator.bought(request) == 0
    await finished(veo, request)
    assert emulator.bought(request) == 1


@pytest.mark.parametrize(
    ("marker", "image", "code", "category"),
    [
        ("rejected", False, "provider_rejected", ""),
        ("rejected=violence", False, "content_filtered", "violence"),
        ("filtered=sexual", True, "content_filtered", "sexual"),
        ("empty", True, "empty_result", ""),
    ],
)
async def test_a_refused_submit(
    veo: VertexBackend, marker: str, image: bool, code: str, category: str
) -> None:
    with pytest.raises(Rejected) as caught:
        await veo.submit(ask(f"a red kite [emulator:{marker}]", image=image))
    assert (caught.value.code, caught.value.category) == (code, category)


async def test_a_retired_model_is_gone(veo: VertexBackend) -> None:
    with pytest.raises(ModelGone):
        await veo.submit(ask("a red kite", model="veo-3.0-generate-001"))


@pytest.mark.parametrize(
    ("marker", "code", "category"),
    [
        ("filtered", "content_filtered", "celebrity"),
        ("filtered=violence", "content_filtered", "violence"),
        ("error", "provider_error", ""),
        ("error=8", "provider_error", ""),
        ("empty", "empty_result", ""),
    ],
)
async def test_an_operation_that_fails(
    veo: VertexBackend, marker: str, code: str, category: str
) -> None:
    request = ask(f"a red kite [emulator:{marker}]")
    with pytest.raises(Rejected) as caught:
        await finished(veo, request)
    assert (caught.value.code, caught.value.category) == (code, category)
    assert await veo.find_output(request.place, request.kind) is None


async def test_reads_that_do_not_work(veo: VertexBackend) -> None:
    request = ask("a red kite [emulator:unavailable=1 never]")
    accepted = await veo.submit(request)
    assert isinstance(accepted, Accepted)
    with pytest.raises(Unavailable):
        await veo.poll(accepted.operation_name, request.place)
    assert await veo.poll(accepted.operation_name, request.place) == Running()
    with pytest.raises(OperationGone):
        await veo.poll(f"{accepted.operation_name}0", request.place)


async def test_a_truncated_output_is_damaged(veo: VertexBackend, tmp_path: Path) -> None:
    produced = await finished(veo, ask("a red kite [emulator:truncated]"))
    with pytest.raises(DamagedOutput):
        await veo.fetch_output(produced.uri, tmp_path / "out.mp4")
    with pytest.raises(DamagedOutput):
        await veo.fetch_output(f"{produced.uri}.other", tmp_path / "out.mp4")
