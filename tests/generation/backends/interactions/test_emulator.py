"""Omni against the emulator's own process, with credentials as Google's are."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from google.oauth2 import service_account

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
from generation.backends.interactions.backend import InteractionsBackend
from tests.generation.backends.conftest import BUCKET, Emulator, picture
from tests.generation.backends.interactions.conftest import MODEL, order

pytestmark = pytest.mark.anyio


def connect(emulator: Emulator, submit_timeout: float) -> InteractionsBackend:
    account = service_account.Credentials.from_service_account_file(str(emulator.credentials))
    return InteractionsBackend(
        project="p1",
        location="us-central1",
        bucket=BUCKET,
        credentials=account,
        base_url=emulator.url,
        submit_timeout=submit_timeout,
        read_timeout=10.0,
    )


@pytest.fixture(scope="module")
async def omni(emulator: Emulator, anyio_backend: str) -> AsyncIterator[InteractionsBackend]:
    made = connect(emulator, 30.0)
    yield made
    await made.aclose()


@pytest.fixture
async def hasty_omni(emulator: Emulator, anyio_backend: str) -> AsyncIterator[InteractionsBackend]:
    made = connect(emulator, 1.0)
    yield made
    await made.aclose()


def ask(prompt: str, *images: SourceImage, **fields: Any) -> SubmitRequest:
    generation = uuid.uuid4().hex
    known = {
        "place": f"gs://{BUCKET}/generations/{generation}/1/",
        "labels": {"generation": generation, "attempt": "1"},
        "token": f"{generation}-1",
        "duration": 3,
    }
    return order(prompt, *images, **{**known, **fields})


async def finished(omni: InteractionsBackend, request: SubmitRequest) -> tuple[str, Produced]:
    """Submit and poll to the end: the interaction's name, and what it made."""
    accepted = await omni.submit(request)
    assert isinstance(accepted, Accepted)
    for _ in range(300):
        outcome = await omni.poll(accepted.operation_name, request.place)
        if isinstance(outcome, Produced):
            return accepted.operation_name, outcome
        await asyncio.sleep(0.02)
    raise AssertionError("the interaction does not end")


def objects(emulator: Emulator, request: SubmitRequest) -> list[str]:
    """What is in the bucket of this generation, without the folder's name."""
    folder = f"generations/{request.labels['generation']}/"
    url = f"{emulator.url}/storage/v1/b/{BUCKET}/o"
    items = httpx.get(url, params={"prefix": folder}).json().get("items", [])
    return sorted(item["name"].removeprefix(folder) for item in items)


def told(emulator: Emulator, request: SubmitRequest) -> dict[str, Any]:
    """The one interaction that the emulator knows by the attempt's token."""
    [operation] = httpx.get(f"{emulator.url}/emulator/operations/{request.token}").json()[
        "operations"
    ]
    assert isinstance(operation, dict)
    return operation


def submits(emulator: Emulator) -> int:
    return int(httpx.get(f"{emulator.url}/emulator/stats").json()["requests"]["submit"])


@pytest.mark.parametrize("images", [0, 1, 2, 3])
async def test_a_video_is_bought_once_and_forgotten_whole(
    omni: InteractionsBackend, emulator: Emulator, tmp_path: Path, images: int
) -> None:
    request = ask("a <FIRST_FRAME> red kite", *[picture()] * images, duration=10, seed=7)
    name, produced = await finished(omni, request)
    assert produced == Produced(f"{request.place}video.mp4", cost=produced.cost)
    assert produced.cost.startswith("57920 output tokens")
    assert await omni.find_output(request.place, "video") == Produced(produced.uri)
    fetched = await omni.fetch_output(produced.uri, tmp_path / "out.mp4")
    assert fetched.path.read_bytes()[4:8] == b"ftyp"
    assert emulator.bought(request) == 1
    inputs = [f"1.inputs/{number}.png" for number in range(images)]
    assert objects(emulator, request) == [*inputs, "1/video.mp4"]

    seen = told(emulator, request)
    known = ("api", "location", "model", "duration", "resolution", "aspectRatio", "seed", "images")
    assert [seen[key] for key in known] == [
        *("interactions", "global", MODEL, 10, "720p", "16:9", 7, images),
    ]
    assert seen["prompt"].rpartition("\n")[2] == "a  red kite"
    assert seen["prompt"].startswith("[# ") == bool(images)

    await omni.forget(name, request.place)
    assert objects(emulator, request) == ["1/video.mp4"]
    await omni.remove_outputs(request.place)
    assert objects(emulator, request) == []
    assert told(emulator, request)["deleted"]
    with pytest.raises(OperationGone):
        await omni.poll(name, request.place)
    await omni.forget(name, request.place)  # again and again
    await omni.remove_outputs(request.place)


async def test_a_long_id_fits_into_a_name(omni: InteractionsBackend) -> None:
    accepted = await omni.submit(ask("a red kite"))
    assert isinstance(accepted, Accepted)
    head, _, last = accepted.operation_name.rpartition("/")
    assert head == "projects/p1/locations/global/interactions"
    assert len(last) == 240


async def lost_but_bought_once(
    omni: InteractionsBackend, emulator: Emulator, how: str, *images: SourceImage
) -> None:
    request = ask(f"a red kite [emulator:accepted-then-{how}]", *images)
    before = submits(emulator)
    with pytest.raises(Unknown):
        await omni.submit(request)
    assert (emulator.bought(request), submits(emulator) - before) == (1, 1)
    for _ in range(300):
        if found := await omni.find_output(request.place, "video"):
            break
        await asyncio.sleep(0.02)
    assert found == Produced(f"{request.place}video.mp4")


@pytest.mark.parametrize("how", ["reset", "502"])
async def test_an_accepted_submit_that_is_lost_was_bought_once(
    omni: InteractionsBackend, emulator: Emulator, how: str
) -> None:
    await lost_but_bought_once(omni, emulator, how)


async def test_an_accepted_submit_that_hangs_was_bought_once(
    hasty_omni: InteractionsBackend, emulator: Emulator
) -> None:
    await lost_but_bought_once(hasty_omni, emulator, "no-answer")


async def test_the_first_frame_is_never_found_as_the_video(
    omni: InteractionsBackend, emulator: Emulator, tmp_path: Path
) -> None:
    """While the answer is lost and the video not made, the bucket holds the picture alone."""
    request = ask("a red kite [emulator:accepted-then-reset never]", picture())
    with pytest.raises(Unknown):
        await omni.submit(request)
    assert objects(emulator, request) == ["1.inputs/0.png"]
    assert await omni.find_output(request.place, "video") is None
    await lost_but_bought_once(omni, emulator, "reset", picture())


@pytest.mark.parametrize(
    ("marker", "error"),
    [("busy=1 retry-after=3", NotAccepted), ("overloaded=1", Unknown), ("html502", Unknown)],
)
async def test_a_refused_submit_is_sent_once(
    omni: InteractionsBackend, emulator: Emulator, marker: str, error: type[Exception]
) -> None:
    request = ask(f"{uuid.uuid4()} [emulator:{marker}]")
    before = submits(emulator)
    with pytest.raises(error) as caught:
        await omni.submit(request)
    assert (emulator.bought(request), submits(emulator) - before) == (0, 1)
    if isinstance(caught.value, NotAccepted):
        assert (caught.value.retry_after, caught.value.is_quota) == (3, True)


@pytest.mark.parametrize(
    ("marker", "code", "category"),
    [
        ("rejected", "provider_rejected", ""),
        ("rejected=violence", "content_filtered", "violence"),
    ],
)
async def test_a_rejected_submit(
    omni: InteractionsBackend, marker: str, code: str, category: str
) -> None:
    with pytest.raises(Rejected) as caught:
        await omni.submit(ask(f"a red kite [emulator:{marker}]"))
    assert (caught.value.code, caught.value.category) == (code, category)


async def test_a_model_that_is_not_known_is_gone(
    omni: InteractionsBackend, emulator: Emulator
) -> None:
    request = ask("a red kite", model="gemini-omni-0.9-flash")
    with pytest.raises(ModelGone):
        await omni.submit(request)
    assert emulator.bought(request) == 0
    assert await omni.knows(MODEL, "") is True
    assert await omni.knows("gemini-omni-0.9-flash", "") is False


@pytest.mark.parametrize("marker", ["unlisted", "status=idle"])
async def test_a_video_is_found_whatever_is_said(
    omni: InteractionsBackend, emulator: Emulator, marker: str
) -> None:
    request = ask(f"a red kite [emulator:{marker}]", picture())
    _, produced = await finished(omni, request)
    assert produced.uri == f"{request.place}video.mp4"
    assert emulator.bought(request) == 1


@pytest.mark.parametrize(
    ("marker", "code", "category"),
    [
        ("refused-in-words", "content_filtered", "other"),
        ("filtered", "content_filtered", "celebrity"),
        ("filtered=violence", "content_filtered", "violence"),
        ("filtered=audio", "content_filtered", "audio"),
        ("filtered=prompt", "content_filtered", "other"),
        ("error", "provider_error", ""),
        ("error=3", "provider_rejected", ""),
        ("error=8", "provider_error", ""),
        ("empty", "empty_result", ""),
        ("status=failed", "provider_error", ""),
        ("status=incomplete", "provider_error", ""),
        ("status=cancelled", "provider_error", ""),
        ("status=requires_action", "provider_error", ""),
        ("status=budget_exceeded", "provider_error", ""),
    ],
)
async def test_an_interaction_that_ends_without_a_video(
    omni: InteractionsBackend, marker: str, code: str, category: str
) -> None:
    request = ask(f"a red kite [emulator:{marker}]", picture())
    with pytest.raises(Rejected) as caught:
        await finished(omni, request)
    assert (caught.value.code, caught.value.category) == (code, category)
    assert caught.value.operator_fault == (marker == "status=budget_exceeded")
    assert await omni.find_output(request.place, "video") is None


async def test_reads_that_do_not_work(omni: InteractionsBackend) -> None:
    request = ask("a red kite [emulator:unavailable=1 never]")
    accepted = await omni.submit(request)
    assert isinstance(accepted, Accepted)
    with pytest.raises(Unavailable):
        await omni.poll(accepted.operation_name, request.place)
    assert await omni.poll(accepted.operation_name, request.place) == Running()
    with pytest.raises(OperationGone):
        await omni.poll(f"{accepted.operation_name}0", request.place)


async def test_what_is_gone_may_have_been_made(omni: InteractionsBackend) -> None:
    request = ask("a red kite [emulator:gone]")
    with pytest.raises(OperationGone):
        await finished(omni, request)
    found = await omni.find_output(request.place, "video")
    assert found == Produced(f"{request.place}video.mp4")


async def test_a_truncated_output_is_damaged(omni: InteractionsBackend, tmp_path: Path) -> None:
    _, produced = await finished(omni, ask("a red kite [emulator:truncated]"))
    with pytest.raises(DamagedOutput):
        await omni.fetch_output(produced.uri, tmp_path / "out.mp4")
