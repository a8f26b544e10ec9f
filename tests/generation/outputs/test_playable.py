"""A file counts as stored only when it is whole and plays; nothing in it can hurt the reader."""

from __future__ import annotations

import os
import struct
import time
from contextlib import suppress
from pathlib import Path

import av
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from generation.outputs.playable import (
    ImageFacts,
    NotPlayable,
    VideoFacts,
    inspect_image,
    inspect_video,
)
from tests.support.images import encoded, halves
from tests.support.videos import write_video


@pytest.fixture(scope="session")
def videos(tmp_path_factory) -> dict[str, bytes]:
    """The two layouts that encoders write, tables before or after the media data; and H.265."""
    folder: Path = tmp_path_factory.mktemp("videos")
    written = {
        "front": write_video(folder / "front.mp4", movflags="+faststart"),
        "back": write_video(folder / "back.mp4"),
    }
    for tag in ("hvc1", "hev1"):
        written[tag] = write_video(
            folder / f"{tag}.mp4", codec="libx265", tag=tag, movflags="+faststart"
        )
    return {name: path.read_bytes() for name, path in written.items()}


@pytest.fixture(scope="session")
def scratch(tmp_path_factory) -> Path:
    folder: Path = tmp_path_factory.mktemp("scratch")
    return folder / "file"


def inspect(data: bytes, scratch: Path) -> VideoFacts:
    scratch.write_bytes(data)
    return inspect_video(scratch)


def refusal(data: bytes, scratch: Path) -> str:
    with pytest.raises(NotPlayable) as caught:
        inspect(data, scratch)
    return str(caught.value)


def box(kind: bytes, *contents: bytes) -> bytes:
    body = b"".join(contents)
    return struct.pack(">I4s", len(body) + 8, kind) + body


def outermost(data: bytes) -> dict[bytes, bytes]:
    boxes = {}
    while data:
        length, kind = struct.unpack_from(">I4s", data)
        boxes[kind] = data[:length]
        data = data[length:]
    return boxes


@pytest.mark.parametrize(
    ("name", "codec"),
    [("front", "avc1"), ("back", "avc1"), ("hvc1", "hvc1"), ("hev1", "hev1")],
)
def test_a_whole_file_is_described(videos, scratch, name, codec):
    data = videos[name]
    assert inspect(data, scratch) == VideoFacts(1.0, 64, 36, codec, "mp4a", len(data))
    with av.open(str(scratch)) as film:  # it is what it says, and decodes
        assert film.streams.video[0].codec_context.name == {"avc1": "h264"}.get(codec, "hevc")
        assert len(list(film.decode(video=0))) == 24


def test_a_silent_film_is_fine(tmp_path):
    facts = inspect_video(write_video(tmp_path / "silent.mp4", sound=False))
    assert facts.audio_codec is None


@pytest.mark.parametrize("name", ["front", "back", "hvc1", "hev1"])
def test_every_truncation_is_noticed(videos, scratch, name):
    scratch.write_bytes(videos[name])
    for length in reversed(range(len(videos[name]))):
        os.truncate(scratch, length)
        with pytest.raises(NotPlayable):
            inspect_video(scratch)


def test_anything_appended_that_is_no_box_is_noticed(videos, scratch):
    for tail in (b"\0", b"x" * 7, b"<script>alert(1)</script>", b"\xff" * 8):
        refusal(videos["front"] + tail, scratch)


def test_other_codecs_and_containers_are_refused(tmp_path):
    older = write_video(tmp_path / "mpeg4.mp4", codec="mpeg4")
    with pytest.raises(NotPlayable, match="codec b'mp4v'"):
        inspect_video(older)
    pieces = write_video(tmp_path / "pieces.mp4", movflags="frag_keyframe+empty_moov")
    with pytest.raises(NotPlayable, match="no samples"):
        inspect_video(pieces)
    matroska = write_video(tmp_path / "film.mkv")
    with pytest.raises(NotPlayable):
        inspect_video(matroska)
    with pytest.raises(FileNotFoundError):
        inspect_video(tmp_path / "missing.mp4")


def test_wide_boxes_and_a_last_box_without_length_are_read(videos, scratch):
    boxes = outermost(videos["back"])
    media = boxes[b"mdat"][8:]
    before = boxes[b"ftyp"] + boxes[b"free"]
    # Eight bytes more in front of the media data, eight bytes less before it: offsets stay right.
    wide = struct.pack(">I4sQ", 1, b"mdat", len(media) + 16) + media
    assert len(boxes[b"free"]) == 8
    assert inspect(boxes[b"ftyp"] + wide + boxes[b"moov"], scratch).width == 64
    assert inspect(before + boxes[b"mdat"] + boxes[b"moov"], scratch).width == 64
    front = outermost(videos["front"])
    endless = struct.pack(">I4s", 0, b"mdat") + front[b"mdat"][8:]
    data = front[b"ftyp"] + front[b"moov"] + front[b"free"] + endless
    assert inspect(data, scratch).width == 64
    assert "media data" in refusal(data[:-1], scratch)


def replaced(data: bytes, kind: bytes, offset: int, value: bytes) -> bytes:
    """``data`` with other bytes at ``offset`` of the contents of the first box of ``kind``."""
    start = 0 if kind == b"ftyp" else data.index(b"moov")  # ftyp names brands like avc1 too
    at = data.index(kind, start) + 4 + offset
    return data[:at] + value + data[at + len(value) :]


DAMAGES = pytest.mark.parametrize(
    ("kind", "offset", "value", "reason"),
    [
        (b"mvhd", 12, b"\0\0\0\0", "no duration"),
        (b"mvhd", 16, b"\0\0\0\0", "no duration"),
        (b"mvhd", 16, b"\xff\xff\xff\xff", "no duration"),
        (b"stsz", 8, b"\xff\xff\xff\xff", "too many samples"),
        (b"stsz", 12, b"\x7f\xff\xff\xff", "samples lie outside of the file's media data"),
        (b"stco", 4, b"\xff\xff\xff\xff", "a table is shorter than it says"),
        (b"stco", 8, b"\xff\xff\xff\xff", "samples lie outside of the file's media data"),
        (b"stco", 8, b"\0\0\0\0", "samples lie outside of the file's media data"),
        (b"stco", -4, b"free", "no chunk offsets"),
        (b"stsc", 8, b"\0\0\0\2", "no samples"),
        (b"stsc", 12, b"\0\0\0\0", "the sample tables disagree"),
        (b"hdlr", 8, b"text", "no video track"),
        (b"moov", -4, b"mooo", "no moov box"),
        (b"ftyp", -4, b"free", "not an MP4 file"),
        (b"trak", -8, b"\xff\xff\xff\xff", "a box is longer than what it lies in"),
        (b"trak", -8, b"\0\0\0\7", "a box is longer than what it lies in"),
    ],
)


@DAMAGES
@pytest.mark.parametrize("name", ["front", "hvc1", "hev1"])
def test_a_damaged_table_is_refused(videos, scratch, name, kind, offset, value, reason):
    assert reason in refusal(replaced(videos[name], kind, offset, value), scratch)


@pytest.mark.parametrize(
    ("name", "codec", "parameters"),
    [
        ("front", b"avc1", b"avcC"),
        ("hvc1", b"hvc1", b"hvcC"),
        ("hev1", b"hev1", b"hvcC"),
    ],
)
def test_a_codec_without_its_parameters_or_size_is_refused(
    videos, scratch, name, codec, parameters
):
    data = videos[name]
    for offset in (24, 26):  # width, height
        assert refusal(replaced(data, codec, offset, b"\0\0"), scratch) == "no picture size"
    missing = f"no {parameters.decode()} box"
    assert refusal(replaced(data, parameters, -4, b"xxxx"), scratch) == missing
    other = b"avcC" if parameters == b"hvcC" else b"hvcC"  # that of the other codec is none
    assert refusal(replaced(data, parameters, -4, other), scratch) == missing
    for unknown in (b"avc3", b"hvc2", b"dvh1", b"av01", b"encv", b"hvcC"):
        assert f"codec {unknown!r}" in refusal(replaced(data, codec, -4, unknown), scratch)


def test_hostile_boxes_cost_next_to_nothing(scratch):
    ftyp = box(b"ftyp", b"isom\0\0\0\0")
    hostile = {
        "a box of length 1 without its long length": ftyp + struct.pack(">I4s", 1, b"moov"),
        "a wide box that goes round the clock": ftyp + struct.pack(">I4sQ", 1, b"moov", 2**64 - 1),
        "a wide box of length 8": ftyp + struct.pack(">I4sQ", 1, b"moov", 8) + b"\0" * 20,
        "a million boxes": ftyp + box(b"free") * 1_000_000,
        "a moov of a million boxes": ftyp + box(b"moov", box(b"free") * 1_000_000),
        "a moov over the limit": ftyp + box(b"moov", bytes(9_000_000)),
        "two moovs": ftyp + box(b"moov", box(b"free")) * 2,
        "deep": ftyp + box(b"moov", *[struct.pack(">I4s", 0, b"trak")] * 100_000),
        "nothing": b"",
        "eight zeros": bytes(8),
        "only ftyp": ftyp,
        "an empty moov": ftyp + box(b"moov") + box(b"mdat"),
    }
    started = time.process_time()  # others' load does not count
    for data in hostile.values():
        refusal(data, scratch)
    assert time.process_time() - started < 10


def test_the_media_data_is_not_read(videos, tmp_path):
    boxes = outermost(videos["front"])
    media = boxes[b"mdat"][8:]
    path = tmp_path / "sparse.mp4"
    with path.open("wb") as file:
        file.write(boxes[b"ftyp"] + boxes[b"moov"] + boxes[b"free"])
        file.write(struct.pack(">I4s", 0, b"mdat") + media)
        file.truncate(50_000_000_000)
    started = time.process_time()
    assert inspect_video(path).size == 50_000_000_000
    assert time.process_time() - started < 1


mutations = st.lists(
    st.tuples(st.integers(0, 2**20), st.binary(min_size=1, max_size=8)), max_size=4
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    mutations=mutations,
    cut=st.none() | st.integers(0, 2**20),
    name=st.sampled_from(["front", "back", "hvc1"]),
)
def test_no_mutation_raises_anything_else(videos, scratch, mutations, cut, name):
    data = bytearray(videos[name])
    for position, value in mutations:
        at = position % len(data)
        data[at : at + len(value)] = value
    if cut is not None:
        del data[cut % len(data) :]
    try:
        facts = inspect(bytes(data), scratch)
    except NotPlayable:
        return
    assert facts.duration_seconds > 0
    assert facts.width > 0
    assert facts.height > 0


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(data=st.binary(max_size=300))
def test_no_nonsense_raises_anything_else(scratch, data):
    for start in (b"", box(b"ftyp"), box(b"ftyp") + box(b"moov", data)):
        refusal(start + data, scratch)


@pytest.mark.parametrize("file_format", ["PNG", "JPEG", "WEBP"])
def test_an_image_is_decoded_fully(scratch, file_format):
    data = encoded(halves(), file_format)
    scratch.write_bytes(data)
    assert inspect_image(scratch) == ImageFacts(file_format, 40, 20)
    for length in range(0, len(data) - 12, 7):
        scratch.write_bytes(data[:length])
        with pytest.raises(NotPlayable):
            inspect_image(scratch)


def test_other_images_are_refused(scratch, tmp_path):
    bomb = encoded(Image.new("1", (9400, 9400)), "PNG")
    wide = encoded(Image.new("1", (8193, 1)), "PNG")
    for data in (b"", b"<svg/>", encoded(halves(), "GIF"), bomb, wide):
        scratch.write_bytes(data)
        with pytest.raises(NotPlayable):
            inspect_image(scratch)
    with pytest.raises(FileNotFoundError):
        inspect_image(tmp_path / "missing.png")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    file_format=st.sampled_from(["PNG", "JPEG", "WEBP"]),
    position=st.integers(0, 2**20),
    value=st.binary(min_size=1, max_size=8),
)
def test_no_damaged_image_raises_anything_else(scratch, file_format, position, value):
    data = bytearray(encoded(halves(), file_format))
    at = position % len(data)
    data[at : at + len(value)] = value
    scratch.write_bytes(data)
    with suppress(NotPlayable):
        inspect_image(scratch)
