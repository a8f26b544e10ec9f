"""The decoding process: its limits hold, and its end, however violent, is only a refused image."""

from __future__ import annotations

import asyncio
import contextlib
import io
import signal
import subprocess
import sys
import time

import psutil
import pytest
from PIL import Image

from generation.backends.base import SourceImage
from generation.inputs import image_child, source_images
from generation.inputs.source_images import UnusableImage, prepare
from tests.support.images import encoded, halves


def prepared(data: bytes) -> SourceImage:
    return asyncio.run(prepare(data))


def run_child(data: bytes) -> tuple[int, int]:
    """(exit status, highest resident set in MB) of the child itself, not of a fork of pytest."""
    code = (
        "import resource, subprocess, sys\n"
        "p = subprocess.run([sys.executable, '-I', sys.argv[1]], stdin=0, capture_output=True)\n"
        "rss = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024\n"
        "print(p.returncode, rss)\n"
    )
    command = [sys.executable, "-I", "-c", code, image_child.__file__]
    answer = subprocess.run(command, input=data, capture_output=True, check=True)
    status, rss = answer.stdout.split()
    return int(status), int(rss)


@pytest.mark.parametrize("side", [9400, 13000, 19000])
def test_a_bomb_is_refused_before_it_is_unpacked(side):
    bomb = encoded(Image.new("1", (side, side)), "PNG")
    assert len(bomb) < 50_000
    status, megabytes = run_child(bomb)
    assert status == 1
    assert megabytes <= 64


@pytest.mark.parametrize(("file_format", "mode"), [("PNG", "1"), ("PNG", "LA"), ("WEBP", "RGBA")])
def test_the_largest_allowed_image_fits_into_half_a_gigabyte(file_format, mode):
    image = Image.new(mode, (5000, 5000))
    options = {"lossless": True, "quality": 0, "method": 0} if file_format == "WEBP" else {}
    status, megabytes = run_child(encoded(image, file_format, **options))
    assert status == 0
    assert megabytes <= 512


@pytest.mark.parametrize(
    ("attack", "ends_with"),
    [
        ("bytearray(1 << 30)", "MemoryError"),
        ("open('written', 'wb').write(b'x' * 100_000)", "OSError: [Errno 27] File too large"),
    ],
)
def test_the_childs_limits_hold(attack, ends_with, tmp_path):
    code = f"import runpy, sys\nrunpy.run_path(sys.argv[1])['_limit_ourselves']()\n{attack}\n"
    command = [sys.executable, "-I", "-c", code, image_child.__file__]
    answer = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert answer.returncode == 1
    assert answer.stderr.strip().endswith(ends_with)


def big_png() -> bytes:
    return encoded(Image.new("1", (5000, 5000)), "PNG")


def children() -> list[psutil.Process]:
    """Ours that are alive; one that ended in this moment does not count."""
    found = []
    for child in psutil.Process().children():
        with contextlib.suppress(psutil.NoSuchProcess):
            if any(part.endswith("image_child.py") for part in child.cmdline()):
                found.append(child)
    return found


async def until_decoding() -> psutil.Process:
    for _ in range(500):
        if found := children():
            return found[0]
        await asyncio.sleep(0.01)
    raise AssertionError("no child was started")


def test_a_killed_child_is_a_refused_image():
    async def main() -> None:
        task = asyncio.create_task(prepare(big_png()))
        child = await until_decoding()
        child.send_signal(signal.SIGKILL)
        with pytest.raises(UnusableImage, match="-9") as caught:
            await task
        assert not caught.value.is_passing  # as when its processor time is over

    asyncio.run(main())


def test_a_slow_child_is_ended_and_reaped(monkeypatch):
    monkeypatch.setattr(source_images, "DECODE_SECONDS", 0.15)
    with pytest.raises(UnusableImage, match="too long") as caught:
        prepared(big_png())
    assert caught.value.is_passing  # the machine was busy
    assert children() == []


def test_a_canceled_caller_leaves_no_child():
    async def main() -> None:
        task = asyncio.create_task(prepare(big_png()))
        await until_decoding()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert children() == []

    asyncio.run(main())


def test_two_are_decoded_at_a_time():
    async def main() -> None:
        tasks = [asyncio.create_task(prepare(encoded(halves(), "PNG"))) for _ in range(6)]
        most = 0
        while not all(task.done() for task in tasks):
            most = max(most, len(children()))
            await asyncio.sleep(0.005)
        assert len(await asyncio.gather(*tasks)) == 6
        assert 1 <= most <= 2

    asyncio.run(main())


def test_the_child_sees_no_environment(monkeypatch):
    monkeypatch.setenv("SECRET_KEY", "s3cret")

    async def main() -> dict[str, str]:
        task = asyncio.create_task(prepare(big_png()))
        child = await until_decoding()
        environment = child.environ()
        await task
        return environment

    assert "SECRET_KEY" not in asyncio.run(main())


def test_a_png_that_grows_too_large_becomes_a_jpeg(monkeypatch):
    noise = encoded(Image.effect_noise((300, 300), 100), "PNG")
    assert image_child.reencode(noise)[0] == "image/png"
    monkeypatch.setattr(image_child, "MAX_BYTES", 100_000)
    mime_type, data, _ = image_child.reencode(noise)
    assert mime_type == "image/jpeg"
    assert len(data) <= 100_000
    monkeypatch.setattr(image_child, "MAX_BYTES", 1000)
    with pytest.raises(image_child.Refused, match="too many bytes"):
        image_child.reencode(noise)


@pytest.mark.parametrize(
    ("image", "reason"),
    [
        (encoded(Image.new("1", (8193, 1)), "PNG"), "too large"),
        (encoded(Image.new("1", (5001, 5000)), "PNG"), "too large"),
        (
            encoded(halves(), "PNG", save_all=True, append_images=[Image.new("RGB", (40, 20))]),
            "animated",
        ),
    ],
)
def test_why_an_image_is_refused_is_in_the_log(image, reason):
    with pytest.raises(image_child.Refused, match=reason):
        image_child.reencode(image)
    with pytest.raises(UnusableImage, match=f"Refused: {reason}|DecompressionBomb"):
        prepared(image)


@pytest.mark.parametrize("mode", ["RGBA", "LA", "I;16", "RGB", "1"])
def test_every_mode_is_drawn_on_a_fresh_rgb_image(mode):
    mime_type, data, _ = image_child.reencode(encoded(Image.new(mode, (2, 2)), "PNG"))
    assert mime_type == "image/png"
    assert Image.open(io.BytesIO(data)).mode == "RGB"


def progressive(side: int = 64) -> bytes:
    return encoded(halves(side, side), "JPEG", progressive=True, quality=90)


def with_its_last_scan_again(data: bytes, times: int) -> bytes:
    start = data.rindex(b"\xff\xda")
    return data[:-2] + data[start:-2] * times + data[-2:]


def test_a_jpeg_of_many_scans_is_refused_before_it_is_decoded():
    picture = progressive()
    assert 5 < image_child.scans(picture) <= 20
    assert image_child.reencode(with_its_last_scan_again(picture, 80))[0] == "image/jpeg"
    many = with_its_last_scan_again(progressive(5000), 2500)
    assert len(many) < image_child.MAX_BYTES
    started = time.process_time()
    with pytest.raises(image_child.Refused, match="too many scans"):
        image_child.reencode(many)
    assert time.process_time() - started < 0.5


def test_what_lies_behind_a_picture_is_not_counted():
    """Phones put a film or a preview there, in whose bytes anything may be found."""
    film = b"\xff\xda\x00\x02" * 1000
    assert image_child.scans(progressive() + film) == image_child.scans(progressive())
    assert image_child.reencode(progressive() + film)[0] == "image/jpeg"


def test_counting_is_no_work_to_attack():
    for rest in (b"\xff\xe0\x00\x02" * 1_000_000, b"\xff" * 5_000_000, b"\xff\x01" * 1_000_000):
        started = time.process_time()
        with contextlib.suppress(image_child.Refused):
            image_child.scans(b"\xff\xd8" + rest)
        assert time.process_time() - started < 0.5
    for other in (b"", encoded(halves(), "PNG"), encoded(halves(), "WEBP")):
        assert image_child.scans(other) == 0


def test_restarts_within_a_scan_are_no_markers_to_be_counted():
    """Cameras write one every few blocks, so that a damaged file loses little."""
    data = encoded(Image.new("L", (1000, 1000)), "JPEG", restart_marker_blocks=1)
    assert sum(data.count(bytes([0xFF, 0xD0 + number])) for number in range(8)) > 15_000
    assert image_child.scans(data) == 1
    assert image_child.reencode(data)[0] == "image/jpeg"
