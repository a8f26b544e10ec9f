"""The code of the playground: its very text is run, and sends what was typed."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from console import snippets

WORST = [
    "plain",
    'it\'s "quoted" and \'\'\' and """ and `ticks` and ${HOME} $(id) $API_KEY !! \\ \\n',
    "two\nlines\n\nORDER\n'ORDER'\n\tand a tab",
    "emoji 🦊👩‍👩‍👧 ümläut \u2028 \u2029 \u202e \u0007 </pre> <script>",
    "%s {} {0} {key} %(x)s",
    "x" * 1000,
]
Run = Callable[[snippets.Snippet], str]


class Receiver(HTTPServer):
    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.got: list[tuple[str, str | None, Any]] = []


class Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.got.append((self.path, self.headers["Authorization"], body))
        self._answer(b'{"success": true}')

    def do_GET(self) -> None:
        self.server.got.append((self.path, self.headers["Authorization"], None))
        self._answer(b"a film")

    def _answer(self, content: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    server = Receiver()
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Runs a text as who pasted it into a file would."""
    programs = {"curl": ["bash"], "python": [sys.executable], "node": ["node"]}
    names = {"curl": "order.sh", "python": "order.py", "node": "order.js"}

    def start(snippet: snippets.Snippet) -> str:
        program = programs[snippet.name]
        if shutil.which(program[0]) is None:
            pytest.skip(f"{program[0]} is not installed")
        file = tmp_path / names[snippet.name]
        file.write_text(snippet.text)
        environment = {"PATH": os.environ["PATH"], "API_KEY": "rmk_secret", "LANG": "C.UTF-8"}
        done = subprocess.run(
            [*program, file], cwd=tmp_path, env=environment, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return start


@pytest.mark.parametrize("language", ["curl", "python", "node"])
@pytest.mark.parametrize("prompt", WORST, ids=range(len(WORST)))
def test_an_order_runs_as_it_stands(
    receiver: Receiver, run: Run, language: str, prompt: str
) -> None:
    body = {
        "prompt": prompt,
        "video_model": "veo3_fast",
        "duration": 8,
        "generate_audio": False,
        "seed": 4294967295,
        "negative_prompt": prompt[::-1],
        "source_image_urls": ["https://example.com/a'b.png?c=$d", "upload:0"],
    }
    base = f"http://127.0.0.1:{receiver.server_port}"
    (snippet,) = (s for s in snippets.of_order("video", body, base) if s.name == language)
    assert '{"success": true}' in run(snippet)
    assert receiver.got == [("/api/v1/generate/video/", "Bearer rmk_secret", body)]
    assert "rmk_" not in snippet.text


@pytest.mark.parametrize("language", ["curl", "python", "node"])
def test_an_output_is_fetched(receiver: Receiver, run: Run, language: str, tmp_path: Path) -> None:
    base = f"http://127.0.0.1:{receiver.server_port}"
    found = snippets.of_download("an-id", "video-an-id.mp4", base)
    (snippet,) = (s for s in found if s.name == language)
    run(snippet)
    assert (tmp_path / "video-an-id.mp4").read_bytes() == b"a film"
    path = "/api/v1/generate/an-id/download/"
    assert receiver.got == [(path, "Bearer rmk_secret", None)]
