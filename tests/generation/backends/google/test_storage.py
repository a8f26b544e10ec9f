"""Looking for outputs and copying them: whole, or not at all."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import socket
from pathlib import Path

import google_crc32c
import pytest
from aiohttp import web

from generation.backends.base import DamagedOutput, Fetched, Produced, Unavailable
from generation.backends.google.storage import MAX_OUTPUT
from generation.backends.vertex.backend import VertexBackend
from tests.generation.backends.conftest import (
    PLACE,
    Provider,
    Reply,
    drip,
    google_error,
    hang,
    open_backend,
    reset,
    says,
)

pytestmark = pytest.mark.anyio
DATA = bytes(range(256)) * 512
MD5 = base64.b64encode(hashlib.md5(DATA, usedforsecurity=False).digest()).decode()
CRC = base64.b64encode(google_crc32c.value(DATA).to_bytes(4, "big")).decode()
WHOLE = {"size": str(len(DATA)), "md5Hash": MD5, "crc32c": CRC}
URI = f"{PLACE}sample_0.mp4"


def object_(metadata: object, media: Reply) -> Reply:
    async def reply(request: web.Request, body: bytes) -> web.StreamResponse:
        if request.query.get("alt") == "media":
            return await media(request, body)
        return web.json_response(metadata)

    return reply


def media(data: bytes = DATA) -> Reply:
    async def reply(request: web.Request, body: bytes) -> web.StreamResponse:
        return web.Response(body=data, content_type="video/mp4")

    return reply


async def cut(request: web.Request, body: bytes) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Length": str(len(DATA))})
    await response.prepare(request)
    await response.write(DATA[:1000])
    assert request.transport is not None
    request.transport.close()
    return response


@pytest.mark.parametrize(
    "known", [{"size", "md5Hash", "crc32c"}, {"size", "crc32c"}, {"size"}], ids=len
)
async def test_a_copy_is_whole(
    backend: VertexBackend, provider: Provider, tmp_path: Path, known: set[str]
) -> None:
    provider.reply = object_({k: v for k, v in WHOLE.items() if k in known}, media())
    path = tmp_path / "out.mp4"
    fetched = await backend.fetch_output(URI, path)
    assert fetched == Fetched(path, len(DATA), hashlib.sha256(DATA).hexdigest())
    assert path.read_bytes() == DATA
    assert provider.seen[-1].path == "/storage/v1/b/outputs/o/g1%2Fa1%2Fsample_0.mp4?alt=media"


async def test_names_are_quoted(backend: VertexBackend, provider: Provider, tmp_path: Path) -> None:
    provider.reply = object_(WHOLE, media())
    await backend.fetch_output(f"{PLACE}a b?c#d%2Fé+.mp4", tmp_path / "out")
    quoted = "/storage/v1/b/outputs/o/g1%2Fa1%2Fa%20b%3Fc%23d%252F%C3%A9%2B.mp4"
    assert provider.seen[-1].path == f"{quoted}?alt=media"


@pytest.mark.parametrize(
    "reply",
    [
        google_error(404),
        object_({**WHOLE, "size": "0"}, media()),
        object_({**WHOLE, "size": "many"}, media()),
        object_({**WHOLE, "size": str(MAX_OUTPUT + 1)}, media()),
        object_(WHOLE, google_error(404)),
        object_(WHOLE, media(DATA[:-1])),
        object_(WHOLE, media(DATA + b"x")),
        object_(WHOLE, media(DATA[:-1] + b"x")),
        object_({"size": WHOLE["size"], "crc32c": CRC}, media(DATA[:-1] + b"x")),
        object_({"size": WHOLE["size"], "md5Hash": MD5}, media(DATA[:-1] + b"x")),
        object_({"size": WHOLE["size"]}, media(DATA[:-1])),
        object_(WHOLE, cut),
    ],
)
async def test_what_is_not_whole_is_damaged_and_leaves_no_file(
    backend: VertexBackend, provider: Provider, tmp_path: Path, reply: Reply
) -> None:
    provider.reply = reply
    with pytest.raises(DamagedOutput):
        await backend.fetch_output(URI, tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "reply",
    [
        reset,
        google_error(500),
        says(text="<html>not here</html>", status=404),
        object_(WHOLE, reset),
        object_(WHOLE, google_error(503, retry_after="3")),
        object_(WHOLE, google_error(403)),
    ],
)
async def test_a_copy_that_did_not_work_is_repeated_later(
    backend: VertexBackend, provider: Provider, tmp_path: Path, reply: Reply
) -> None:
    provider.reply = reply
    with pytest.raises(Unavailable):
        await backend.fetch_output(URI, tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("reply", [hang, object_(WHOLE, hang), object_(WHOLE, drip)])
async def test_reads_do_not_wait_for_ever(
    hasty: VertexBackend, provider: Provider, tmp_path: Path, reply: Reply
) -> None:
    provider.reply = reply
    async with asyncio.timeout(5):
        with pytest.raises(Unavailable):
            await hasty.fetch_output(URI, tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


async def test_a_full_disk_is_no_fault_of_the_output(
    backend: VertexBackend, provider: Provider, tmp_path: Path
) -> None:
    provider.reply = object_(WHOLE, media())
    with pytest.raises(FileNotFoundError):  # ours, and not the provider's, either
        await backend.fetch_output(URI, tmp_path / "no such folder" / "out")


def listing(*pages: dict[str, object]) -> Reply:
    async def reply(request: web.Request, body: bytes) -> web.StreamResponse:
        return web.json_response(pages[int(request.query.get("pageToken", "0"))])

    return reply


def item(name: str, size: object = "9", content_type: str = "") -> dict[str, object]:
    return {"name": f"g1/a1/{name}", "size": size, "contentType": content_type}


async def test_the_first_finished_output_is_found(
    backend: VertexBackend, provider: Provider
) -> None:
    provider.reply = listing(
        {"items": [item("0.mp4", "0"), item("notes.txt"), 7, {"name": 5}], "nextPageToken": "1"},
        {"items": [item("b.mp4"), item("a/sample", content_type="video/mp4")]},
    )
    assert await backend.find_output(PLACE, "video") == Produced(f"{PLACE}a/sample")
    assert provider.seen[0].path.startswith("/storage/v1/b/outputs/o?prefix=g1%2Fa1%2F&fields=")
    assert provider.seen[1].path.endswith("&pageToken=1")


@pytest.mark.parametrize(
    ("name", "content_type"),
    [
        *(("17/sample_0", ""), ("17/sample_0", "application/octet-stream")),
        *(("17/sample_0", "Video/MP4; codecs=avc1"), ("17/sample_0.bin", "text/html")),
        *(("sample_0.MP4", ""), ("sample_0.mp4", "text/plain")),
        *(("17/sample_0", None), ("17/sample_0", 5)),
    ],
)
async def test_what_was_made_is_found_whatever_it_is_called(
    backend: VertexBackend, provider: Provider, name: str, content_type: object
) -> None:
    made = item(name) | {"contentType": content_type}
    provider.reply = listing({"items": [item("empty.mp4", "0"), made]})
    assert await backend.find_output(PLACE, "video") == Produced(PLACE + name)


async def test_of_several_files_the_one_that_calls_itself_a_video_is_taken(
    backend: VertexBackend, provider: Provider
) -> None:
    provider.reply = listing(
        {"items": [item("a.json"), item("manifest")], "nextPageToken": "1"},
        {"items": [item("sample_0", content_type="Video/MP4")]},
    )
    assert await backend.find_output(PLACE, "video") == Produced(f"{PLACE}sample_0")


OWN_PICTURES = [
    item("0.png", content_type="image/png"),
    item("1.JPEG"),
    item("2", content_type="Image/WebP"),
    item("3.mp4", content_type="image/png"),
    item("4.jpg", content_type="video/mp4"),
    item("5.jpg", content_type="application/octet-stream"),
]


@pytest.mark.parametrize("theirs", OWN_PICTURES)
async def test_a_picture_is_never_found_as_a_video(
    backend: VertexBackend, provider: Provider, theirs: dict[str, object]
) -> None:
    provider.reply = listing({"items": [theirs]})
    assert await backend.find_output(PLACE, "video") is None
    provider.reply = listing({"items": [theirs, item("sample_0.mp4")]})
    assert await backend.find_output(PLACE, "video") == Produced(f"{PLACE}sample_0.mp4")


@pytest.mark.parametrize(
    "theirs", [item("a.mp4"), item("a", content_type="video/mp4"), item("a.png", "9", "video/mp4")]
)
async def test_a_video_is_never_found_as_an_image(
    backend: VertexBackend, provider: Provider, theirs: dict[str, object]
) -> None:
    provider.reply = listing({"items": [theirs]})
    assert await backend.find_output(PLACE, "image") is None
    provider.reply = listing({"items": [theirs, item("image_0.webp")]})
    assert await backend.find_output(PLACE, "image") == Produced(f"{PLACE}image_0.webp")


async def test_what_says_nothing_of_itself_is_found_as_either(
    backend: VertexBackend, provider: Provider
) -> None:
    provider.reply = listing({"items": [item("made", content_type="application/octet-stream")]})
    assert await backend.find_output(PLACE, "image") == Produced(f"{PLACE}made")
    assert await backend.find_output(PLACE, "video") == Produced(f"{PLACE}made")


async def test_outputs_are_removed_with_the_inputs_beside_them(
    backend: VertexBackend, provider: Provider
) -> None:
    bucket = ["g1/a1/video.mp4", "g1/a1.inputs/0.png", "g1/a10/video.mp4", "g1/a1.inputs.txt"]

    async def reply(request: web.Request, body: bytes) -> web.StreamResponse:
        if request.method == "DELETE":
            bucket.remove(request.path.removeprefix("/storage/v1/b/outputs/o/"))
            return web.Response(status=204)
        below = [name for name in bucket if name.startswith(request.query["prefix"])]
        return web.json_response({"items": [{"name": name} for name in below]})

    provider.reply = reply
    await backend.remove_outputs(PLACE)
    assert bucket == ["g1/a10/video.mp4", "g1/a1.inputs.txt"]
    await backend.remove_outputs(PLACE)


@pytest.mark.parametrize(
    "page",
    [
        {},
        {"items": None},
        {"items": {"name": "x.mp4"}},
        {"items": [item("x.mp4", None), item("x.mp4", "-1"), item("x.mp4", True)]},
        {"items": [{"name": "g1/a11/x.mp4", "size": "9"}]},
    ],
)
async def test_nothing_finished_is_none(
    backend: VertexBackend, provider: Provider, page: dict[str, object]
) -> None:
    provider.reply = listing(page)
    assert await backend.find_output(PLACE, "video") is None


@pytest.mark.parametrize(
    "reply",
    [
        reset,
        google_error(404, "bucket"),
        google_error(403),
        google_error(503),
        says(text="<html>"),
        says({"nextPageToken": "0"}),
    ],
)
async def test_a_list_that_did_not_work_proves_nothing(
    backend: VertexBackend, provider: Provider, reply: Reply
) -> None:
    provider.reply = reply
    with pytest.raises(Unavailable):
        await backend.find_output(PLACE, "video")


async def test_no_connection_is_unavailable(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    backend = open_backend(f"http://127.0.0.1:{port}")
    with pytest.raises(Unavailable):
        await backend.find_output(PLACE, "video")
    with pytest.raises(Unavailable):
        await backend.fetch_output(URI, tmp_path / "out")
    await backend.aclose()
