"""The real server with the real gunicorn.conf.py, without Django and database behind it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from dev.embedded.paths import CHECKOUT
from dev.embedded.processes import wait_until
from dev.embedded.services import listen

CONNECTIONS = 60
FILE_SIZE = 8_000_000


@pytest.fixture(scope="module")
def plain_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """No block of it is like another."""
    path = tmp_path_factory.mktemp("plain") / "file"
    path.write_bytes(b"".join(b"%08d" % number for number in range(FILE_SIZE // 8)))
    return path


@pytest.fixture(scope="module")
def server(plain_file: Path) -> Iterator[str]:
    """One process with two threads and few connections: its base URL."""
    options = ["--workers", "1", "--threads", "2", "--worker-connections", str(CONNECTIONS)]
    folder = str(plain_file.parent / "metrics")
    environment = {"PLAIN_FILE": str(plain_file), "METRICS_DIR": folder}
    with served("tests.common.web.plain:application", *options, **environment) as url:
        yield url


@contextmanager
def served(application: str, *options: str, **environment: str) -> Iterator[str]:
    """gunicorn on a free port: its base URL."""
    listener = listen(0)
    argv = [sys.executable, "-m", "gunicorn", application, *options]
    argv += ["--bind", f"fd://{listener.fileno()}", "--graceful-timeout", "1"]
    environment = os.environ | environment | {"LOG_LEVEL": "CRITICAL"}
    process = subprocess.Popen(argv, cwd=CHECKOUT, env=environment, pass_fds=(listener.fileno(),))
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    try:
        assert wait_until(lambda: answers(url), 60)
        listener.close()
        yield url
    finally:
        process.terminate()
        process.wait(20)


def answers(url: str, timeout: float = 5.0) -> bool:
    """Whether somebody new is answered in time."""
    try:
        return httpx.get(url, timeout=timeout).status_code == 200
    except httpx.TransportError:
        return False
