"""A real nginx with the blocks of docs/production.md: who is held, and what web answers then."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from dev.embedded import services
from dev.embedded.paths import CHECKOUT
from dev.embedded.processes import Child, Program, wait_ready, wait_until
from dev.embedded.stack import Stack
from tests.e2e.customer import VIDEO, Customer
from tests.webhooks.waiter.reading import parsed

PAGE = (CHECKOUT / "docs" / "production.md").read_text()
SLOW = "Slow [emulator:slow=5]"  # seconds


def blocks() -> list[str]:
    """The server, the upstreams, the locations."""
    return re.findall(r"```nginx\n(.*?)```", PAGE, re.DOTALL)


class Waiter:
    """One that binds its port itself: killed, connections to it are refused."""

    def __init__(self, stack: Stack, folder: Path) -> None:
        self.address = f"127.0.0.1:{_free_port()}"
        self._stack = stack
        self._log = folder / "waiter.log"
        self.start()

    def start(self) -> None:
        argv = ["gunicorn", "config.asgi:application", "-c", "python:config.waiter"]
        argv = [sys.executable, "-m", *argv, "--bind", self.address]
        self._child = Child(Program("waiter", argv), self._stack.env, self._log)
        wait_ready(self._child, lambda: services.answers(f"http://{self.address}"), 60)

    def kill(self) -> None:
        self._child.kill_group()


def configuration(stack: Stack, waiter: Waiter, folder: Path, port: int) -> str:
    """The documentation's, without TLS and on the addresses of this stack."""
    server, upstreams, locations = blocks()
    server = server.replace("listen 443 ssl;", f"listen 127.0.0.1:{port};")
    server = server.replace("    location / {", f"{locations}    location / {{", 1)
    text = f"{upstreams}{server}"
    text = text.replace("127.0.0.1:8000", stack.base_url.removeprefix("http://"))
    text = text.replace("127.0.0.1:8001", waiter.address)
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    folders = "".join(f"{kind}_temp_path {folder}/{kind};\n" for kind in kinds)
    user = "user root;\n" if os.geteuid() == 0 else ""
    return (
        f"{user}daemon off;\nworker_processes 1;\npid {folder}/pid;\n"
        f"error_log {folder}/error.log;\nevents {{}}\n"
        f"http {{\naccess_log off;\n{folders}{text}}}\n"
    )


@pytest.fixture(scope="module")
def waiter(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Waiter]:
    running = Waiter(stack, tmp_path_factory.mktemp("waiter"))
    yield running
    running.kill()


@pytest.fixture(scope="module")
def nginx(stack: Stack, waiter: Waiter, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Its address."""
    program = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
    assert program, "make test-ops installs Debian's package"
    folder, port = tmp_path_factory.mktemp("nginx"), _free_port()
    (folder / "conf").write_text(configuration(stack, waiter, folder, port))
    process = subprocess.Popen([program, "-c", str(folder / "conf"), "-p", str(folder)])
    url = f"http://127.0.0.1:{port}"
    try:
        assert wait_until(lambda: _answers(url), 10), (folder / "error.log").read_text()
        yield url
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(10)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/livez", timeout=2).is_success
    except httpx.HTTPError:
        return False


@pytest.fixture
def client(nginx: str, rich: Customer) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=nginx, headers=rich.http.headers, timeout=40) as found:
        yield found


def path(customer: Customer) -> str:
    return f"/api/v1/generate/{customer.create(VIDEO, SLOW)}/"


def test_a_wait_and_a_stream_are_held(client: httpx.Client, rich: Customer) -> None:
    for query, header in (({"wait": "25"}, {}), ({}, {"Prefer": "wait=25"})):
        where, asks = path(rich), 0
        answer = client.get(where, params=query, headers=header)
        assert answer.headers["Preference-Applied"] == "wait=25"
        while answer.json()["status"] == "processing" and asks < 3:  # a busy machine
            answer, asks = client.get(where, params=query, headers=header), asks + 1
        assert answer.json()["status"] == "completed", answer.text
    with client.stream("GET", f"{path(rich)}events/") as answer:
        came = [(time.monotonic(), line) for line in answer.iter_lines()]
    assert "event: done" in [line for _, line in came]
    assert came[-1][0] - came[0][0] > 2  # as they were made, not all at the end


def test_all_else_is_webs(client: httpx.Client, rich: Customer) -> None:
    where = path(rich)
    assert "Preference-Applied" not in client.get(where).headers
    assert client.post(f"{where}cancel/?wait=9").status_code in (200, 409)
    assert client.get("/api/v1/generate/history/?wait=9").status_code == 200
    assert client.get("/api/v1/models/").status_code == 200


def test_without_a_waiter_web_answers_at_once(
    client: httpx.Client, rich: Customer, waiter: Waiter
) -> None:
    where = path(rich)
    waiter.kill()
    try:
        began = time.monotonic()
        answer = client.get(where, params={"wait": "25"})
        assert (answer.status_code, answer.json()["status"]) == (200, "processing")
        assert "Preference-Applied" not in answer.headers
        assert "Retry-After" in answer.headers
        stream = client.get(f"{where}events/")
        assert [each.get("event") for each in parsed(stream.text)] == [None, "status"]
        assert time.monotonic() - began < 4
        assert client.get(where, params={"wait": "99"}).status_code == 400
    finally:
        waiter.start()


def test_one_that_dies_meanwhile_costs_no_answer(
    client: httpx.Client, rich: Customer, waiter: Waiter
) -> None:
    assert wait_until(lambda: _is_held(client, rich), 30, 1)
    where = path(rich)
    killed = threading.Timer(1, waiter.kill)
    killed.start()
    answer = client.get(where, params={"wait": "25"})  # sent again, to web
    killed.join()
    waiter.start()
    assert (answer.status_code, "Preference-Applied" in answer.headers) == (200, False)


def _is_held(client: httpx.Client, rich: Customer) -> bool:
    answer = client.get(path(rich), params={"wait": "1"})
    return "Preference-Applied" in answer.headers
