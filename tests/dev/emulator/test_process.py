"""The command line: how it starts, what it leaves, how it ends."""

from __future__ import annotations

import json
import signal
import socket
import time
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from dev.emulator.credentials import TokenApi
from dev.emulator.tally import Tally
from tests.dev.emulator.conftest import FAST, RunningEmulator, start_emulator


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_within_two_seconds_whatever_it_does(
    tmp_path: Path, anonymous: httpx.Client, number: signal.Signals
):
    process, url = start_emulator(tmp_path)
    assert process.stdout is not None
    with process.stdout:
        first_line = process.stdout.readline()
        assert "emulator" in first_line
        assert "synthetic" in first_line
        assert url in first_line
        path = f"/v1/projects/p/locations/l/publishers/google/models/{FAST}:predictLongRunning"
        body = b'{"instances": [{"prompt": "A kite [emulator:accepted-then-no-answer]"}]}'
        address = urlsplit(url)
        with socket.create_connection((address.hostname, address.port)) as held:
            head = f"POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer t\r\n"
            held.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
            while not anonymous.get(url + "/emulator/stats").json()["operations"]:
                time.sleep(0.01)
            process.send_signal(number)
            assert process.wait(2) == 0
        assert process.stdout.read() == ""


def test_objects_survive_a_restart(tmp_path: Path, anonymous: httpx.Client):
    name = {"name": "kept/a.txt", "uploadType": "media"}
    for _ in range(2):
        process, url = start_emulator(tmp_path)
        objects = f"{url}/storage/v1/b/shop/o"
        found = anonymous.get(objects).json().get("items", [])
        if not found:
            anonymous.post(f"{url}/upload/storage/v1/b/shop/o", params=name, content=b"kept")
        process.terminate()
        assert process.wait(2) == 0
        assert process.stdout is not None
        process.stdout.close()
        (tmp_path / "ready").unlink()
    assert [each["name"] for each in found] == ["kept/a.txt"]


def test_its_credentials_survive_a_kill(tmp_path: Path):
    credentials = tmp_path / "account.json"
    options = ("--write-credentials", str(credentials))
    texts = []
    for _ in range(2):
        process, url = start_emulator(tmp_path, *options)
        texts.append(credentials.read_text())
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()
        (tmp_path / "ready").unlink()
    assert len({json.loads(text)["private_key"] for text in texts}) == 1
    assert json.loads(texts[1])["token_uri"] == f"{url}/token"
    assert credentials.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("text", ["", "[]", "{", '{"private_key": "no key"}', "{}"])
def test_credentials_that_cannot_be_used_are_written_anew(tmp_path: Path, text: str):
    credentials = tmp_path / "account.json"
    credentials.write_text(text)
    TokenApi(Tally()).write_credentials(credentials, "http://127.0.0.1:9")
    assert "BEGIN PRIVATE KEY" in json.loads(credentials.read_text())["private_key"]


def test_polls_are_answered_while_videos_are_rendered(emulator: RunningEmulator):
    names = [emulator.submit(f"Kite {n} {time.time()}").json()["name"] for n in range(2)]
    answered = 0
    while not emulator.poll(names[-1]).json().get("done"):
        emulator.poll(names[0])
        answered += 1
    assert answered > 10  # if they waited for the rendering, it would be one a video
