"""The same file for every request: what load tests use, so that they measure no encoder."""

from __future__ import annotations

import base64
import hashlib
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from dev.embedded.environment import Options as StackOptions
from dev.emulator.making import Maker
from dev.emulator.options import Options
from dev.emulator.render_video import Clip, render_video
from dev.emulator.rendering import Renderer
from dev.emulator.scenarios import parse
from dev.emulator.storage import ObjectStore
from tests.dev.emulator.conftest import ROOT, RunningEmulator, start_emulator
from tests.dev.emulator.interactions import done
from tests.dev.emulator.pictures import probe
from tests.dev.emulator.test_image_api import generate


@contextmanager
def running(folder: Path, *options: str) -> Iterator[RunningEmulator]:
    process, url = start_emulator(folder, *options)
    headers = {"Authorization": "Bearer some-token"}
    with httpx.Client(headers=headers, timeout=20) as client:
        yield RunningEmulator(url, folder, process, client)
    process.terminate()
    assert process.wait(5) == 0
    if process.stdout is not None:
        process.stdout.close()


def made(emulator: RunningEmulator, prompt: str, **parameters: object) -> tuple[bytes, Path]:
    """The bytes of a new video as they are downloaded, and the file that holds them."""
    place = f"place-{len(emulator.listed('plain', ''))}/"
    given = {"storageUri": f"gs://plain/{place}", "durationSeconds": 4} | parameters
    emulator.finish(emulator.submit(prompt, parameters=given).json()["name"])
    (item,) = emulator.listed("plain", place)
    content = emulator.client.get(item["mediaLink"]).content
    md5 = hashlib.md5(content, usedforsecurity=False).digest()
    assert base64.b64encode(md5).decode() == item["md5Hash"] or "truncated" in prompt
    newest = max(
        (emulator.credentials / "data/buckets/plain").glob("*.mp4"),
        key=lambda path: path.stat().st_ctime_ns,
    )
    return content, newest


def test_plain_requests_of_one_shape_share_one_file(tmp_path: Path):
    with running(tmp_path, "--plain") as emulator:
        one, other = made(emulator, "A kite", seed=1), made(emulator, "A boat", seed=2)
        assert one[0] == other[0]
        assert one[1].samefile(other[1])
        silent, _ = made(emulator, "A kite", generateAudio=False)
        assert probe(silent)["codecs"] == ("h264",)
        large, _ = made(emulator, "A kite", resolution="1080p", durationSeconds=8)
        assert probe(large)["size"] == (480, 270)
        assert probe(made(emulator, "[emulator:hevc] kite")[0])["tag"] == "hvc1"


def test_damage_and_deletion_of_one_are_not_those_of_the_others(tmp_path: Path):
    with running(tmp_path, "--plain") as emulator:
        whole, _ = made(emulator, "A kite")
        cut, _ = made(emulator, "A kite [emulator:truncated]")
        assert len(cut) == len(whole) // 2
        for item in emulator.listed("plain", ""):
            emulator.client.delete(item["selfLink"]).raise_for_status()
        assert made(emulator, "A kite")[0] == whole
        emulator.client.post(f"{emulator.url}/emulator/reset")
        assert made(emulator, "A kite")[0] == whole


def test_plain_pictures_are_the_same(tmp_path: Path):
    with running(tmp_path, "--plain") as emulator:
        answers = [generate(emulator, prompt).json() for prompt in ("A cup", "A jug")]
        parts = [each["candidates"][0]["content"]["parts"][1] for each in answers]
        assert parts[0]["inlineData"] == parts[1]["inlineData"]


def test_replay_gives_the_file_for_every_video(tmp_path: Path):
    clip = tmp_path / "clip.mp4"
    clip.write_bytes(render_video(Clip("mine", (64, 36), 5, 1), threading.Event()))
    arguments = StackOptions(time_scale=0.002, emulator_replay=clip).emulator_arguments()
    with running(tmp_path, *arguments) as emulator:
        assert made(emulator, "A kite")[0] == clip.read_bytes()
        assert made(emulator, "A boat", generateAudio=False)[0] == clip.read_bytes()
        cut, _ = made(emulator, "A kite [emulator:truncated]")
        assert cut == clip.read_bytes()[: len(cut)]
        answer, key = done(emulator, "A kite")
        assert answer["status"] == "completed"
        (item,) = emulator.listed("interactions", key)
        assert emulator.client.get(item["mediaLink"]).content == clip.read_bytes()


def test_replay_of_no_file_does_not_start(tmp_path: Path):
    command = [sys.executable, "-m", "dev.emulator", "--port", "0"]
    command += ["--replay", str(tmp_path / "none.mp4")]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert ended.returncode == 1
    assert "The emulator cannot start" in ended.stderr


@pytest.mark.parametrize(
    ("prompt", "resolution", "seconds"),
    [
        ("A kite", "720p", 2.0),
        ("A kite", "1080p", 3.0),
        ("A kite", "4k", 5.0),
        ("A kite [emulator:slow]", "1080p", 30.0),
        ("A kite [emulator:slow=7]", "4k", 7.0),
    ],
)
def test_larger_videos_take_longer(tmp_path: Path, prompt: str, resolution: str, seconds: float):
    renderer = Renderer()
    maker = Maker(Options(tmp_path, "small", {"fast": 2.0}), renderer, ObjectStore(tmp_path))
    assert maker.latency("fast", parse(prompt)[0], resolution) == seconds
    renderer.close()
