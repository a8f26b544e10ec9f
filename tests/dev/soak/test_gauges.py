"""Whose memory `make soak` looks at, and which descriptors."""

from __future__ import annotations

import socket
import subprocess
import sys

import psutil

from dev.embedded.processes import wait_until
from dev.soak.gauges import descriptors_of, family_of

SERVER = """
import socket
listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
accepted = listener.accept()
print("accepted", flush=True)
listener.accept()
"""


def test_a_connection_is_counted_when_its_customer_has_gone() -> None:
    with subprocess.Popen([sys.executable, "-c", SERVER], stdout=subprocess.PIPE) as server:
        try:
            assert server.stdout is not None
            port = int(server.stdout.readline())
            process = psutil.Process(server.pid)
            before = descriptors_of(process, port)
            customer = socket.create_connection(("127.0.0.1", port))
            with customer:
                assert server.stdout.readline() == b"accepted\n"
                assert descriptors_of(process, port) == before
                assert descriptors_of(process, port + 1) == before + 1  # a connection to others
            assert wait_until(lambda: descriptors_of(process, port) == before + 1, 10)
        finally:
            server.kill()


def test_a_child_of_a_moment_is_not_one_of_the_family() -> None:
    leader = subprocess.Popen(["sh", "-c", "sleep 1; sleep 60; :"])
    try:
        first, lasting = family_of(leader.pid, 1)
        assert first.pid == leader.pid
        assert lasting.cmdline() == ["sleep", "60"]
    finally:
        leader.kill()
        leader.wait()
        lasting.kill()
