"""Who does not read is left after a while, and so is who reads too little."""

from __future__ import annotations

import queue
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from gunicorn.config import Config

from common.web import connection as connection_module
from common.web import room, sender
from common.web.connection import Connection, State
from common.web.sender import Sender

SIZE = 8_000_000


@pytest.fixture
def settled() -> queue.Queue[Connection]:
    return queue.Queue()


@pytest.fixture
def running(settled: queue.Queue[Connection]) -> Iterator[Sender]:
    thread = Sender(settled.put)
    thread.start()
    yield thread
    thread.stop()
    thread.join(5)
    assert not thread.is_alive()


def pair() -> tuple[Connection, socket.socket]:
    """The server's end and the client's."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        client = socket.socket()
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.connect(listener.getsockname())
        accepted, address = listener.accept()
    return Connection(Config(), accepted, address, None), client


@pytest.fixture
def pace(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """Patience in fractions of a second."""
    monkeypatch.setattr(sender, "TICK", 0.05)
    return SimpleNamespace(
        stall=lambda seconds: monkeypatch.setattr(sender, "STALL", seconds),
        whole=lambda seconds: monkeypatch.setattr(sender, "GRACE", seconds),
        bytes_a_second=lambda rate: monkeypatch.setattr(sender, "PACE", rate),
        memory=lambda size: monkeypatch.setattr(sender, "MEMORY", size),
    )


def test_who_reads_gets_it_all(
    running: Sender, settled: queue.Queue[Connection], tmp_path: Path
) -> None:
    path = tmp_path / "file"
    path.write_bytes(bytes(range(256)) * 4000)
    connection, client = pair()
    with client:
        connection.sendall(b"head")
        with path.open("rb") as file:
            connection.sendfile(file, 1000, 900_000)
        running.send(connection)
        got = b""
        while len(got) < 900_004:
            got += client.recv(65536)
        assert settled.get(timeout=5) is connection
        assert got == b"head" + path.read_bytes()[1000:901_000]
        assert not connection.is_broken
        connection.close()


def test_who_stands_still_is_left(
    running: Sender, settled: queue.Queue[Connection], pace: SimpleNamespace
) -> None:
    pace.stall(0.5)
    connection, client = pair()
    with client:
        connection.outbox.write(b"x" * SIZE)
        began = time.monotonic()
        running.send(connection)
        assert settled.get(timeout=5) is connection
        assert time.monotonic() - began < 2
        assert connection.is_broken
        connection.close()


def test_who_reads_too_little_is_left_in_a_time_that_grows_with_the_size(
    running: Sender, settled: queue.Queue[Connection], pace: SimpleNamespace
) -> None:
    pace.whole(0.5)
    pace.bytes_a_second(SIZE)  # a second for all of it
    connection, client = pair()
    with client:
        connection.outbox.write(b"x" * SIZE)
        began = time.monotonic()
        running.send(connection)
        while settled.empty() and time.monotonic() < began + 10:
            client.recv(65536)
            time.sleep(0.1)
        assert 1.4 < time.monotonic() - began < 5
        assert connection.is_broken
        connection.close()


def test_answers_that_wait_in_memory_have_a_bound(
    running: Sender, settled: queue.Queue[Connection], pace: SimpleNamespace
) -> None:
    """The oldest go; files do not count, they wait on the disk."""
    pace.memory(2 * SIZE)
    pairs = [pair() for _ in range(3)]
    for connection, _ in pairs:
        connection.outbox.write(b"x" * SIZE)
    for connection, _ in pairs:
        running.send(connection)
    assert settled.get(timeout=5) is pairs[0][0]
    for _, client in pairs:
        client.close()
    for _ in pairs[1:]:  # a connection is closed by nobody but the thread that has it
        settled.get(timeout=5)
    for connection, _ in pairs:
        connection.close()


def test_the_answers_of_one_connection_do_not_add_up_to_one_that_waits() -> None:
    connection, client = pair()
    with client:
        began = time.monotonic()
        for _ in range(100):
            connection.sendall(b"x" * (SIZE // 100))
            connection.expect_request()
        assert time.monotonic() - began < 5
        connection.close()


def test_few_threads_wait_at_once_for_clients_that_do_not_keep_up() -> None:
    """One more client is left at once."""
    pairs = [pair() for _ in range(connection_module.WAITING + 1)]
    left: queue.Queue[type[OSError]] = queue.Queue()

    def write(connection: Connection) -> None:
        try:
            while True:
                connection.sendall(b"x" * SIZE)
        except OSError as error:
            left.put(type(error))

    threads = [threading.Thread(target=write, args=[connection]) for connection, _ in pairs]
    for thread in threads:
        thread.start()
    assert left.get(timeout=10) is TimeoutError
    assert sum(thread.is_alive() for thread in threads) >= connection_module.WAITING
    for connection, _ in pairs:
        connection.hang_up()
    for thread in threads:
        thread.join(10)
    assert TimeoutError not in [left.get(timeout=1) for _ in pairs[1:]]
    for connection, client in pairs:
        client.close()
        connection.close()


def test_the_crowd_makes_room_and_the_lone_client_stays() -> None:
    pairs = [pair() for _ in range(6)]
    connections = [connection for connection, _ in pairs]
    connections[0].network = "192.0.2.1"  # alone, and there for longest
    connections[1].become(State.WORKING)
    connections[2].become(State.SENDING)
    connections[3].become(State.RECEIVING)
    going = room.who_goes(connections)
    assert going == [connections[4], connections[5], connections[3], connections[2], connections[0]]
    for connection, client in pairs:
        client.close()
        connection.close()


def test_an_ipv6_client_is_its_network() -> None:
    connections = [
        Connection(Config(), socket.socket(), (address, 1, 0, 0), None)
        for address in (
            "2001:db8::1",
            "2001:db8::2:3",
            "2001:db8:0:1::1%eth0",
            "192.0.2.1",
            "::ffff:192.0.2.1",
            "::ffff:192.0.2.2",
        )
    ]
    networks = [connection.network for connection in connections]
    v6 = ["2001:db8::/64", "2001:db8::/64", "2001:db8:0:1::/64"]
    assert networks == [*v6, "192.0.2.1", "192.0.2.1", "192.0.2.2"]
    for connection in connections:
        connection.close()
