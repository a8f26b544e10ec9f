"""A server that hangs, drips or talks nonsense costs a try and a bounded time, and no more."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from mail.models import State
from tests.support.mails import Post

Talk = Callable[[socket.socket], None]
# of a busy machine, beside what the worker allows
SOON = 4.0


@pytest.fixture
def answering(post: Post) -> Iterator[Callable[[Talk], None]]:
    """A listening socket in the server's place, which talks as the test says."""
    listener = socket.create_server(("127.0.0.1", post.port))
    threads: list[threading.Thread] = []
    over = threading.Event()

    def serve(talk: Talk) -> None:
        listener.settimeout(0.1)
        while not over.is_set():
            try:
                connected, _ = listener.accept()
            except TimeoutError:
                continue
            with connected:
                connected.settimeout(0.2)
                try:
                    talk(connected)
                    while not over.is_set():  # says nothing more, and stays
                        try:
                            if not connected.recv(4096):
                                break
                        except TimeoutError:
                            continue
                except OSError:
                    continue

    def start(talk: Talk) -> None:
        threads.append(threading.Thread(target=serve, args=(talk,), daemon=True))
        threads[0].start()
        post.use()

    yield start
    over.set()
    for thread in threads:
        thread.join()
    listener.close()


def silent(connected: socket.socket) -> None:
    """It takes the call, and that is all."""


def drips(connected: socket.socket) -> None:
    """A greeting that never ends, a byte at a time: no read ever takes long."""
    for _ in range(200):
        connected.sendall(b"2")
        time.sleep(0.1)


def endless_lines(connected: socket.socket) -> None:
    while True:
        connected.sendall(b"220-welcome\r\n")
        time.sleep(0.05)


def hangs_up(connected: socket.socket) -> None:
    connected.close()


def nonsense(connected: socket.socket) -> None:
    connected.sendall(b"\x00\xff\xfe hello, this is no SMTP\r\n" * 3)


def a_long_line(connected: socket.socket) -> None:
    connected.sendall(b"x" * 100_000 + b"\r\n")


def a_web_server(connected: socket.socket) -> None:
    connected.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
    connected.close()


def busy(connected: socket.socket) -> None:
    connected.sendall(b"421 4.3.2 too many connections\r\n")


@pytest.mark.parametrize(
    "talk",
    [silent, drips, endless_lines, hangs_up, nonsense, a_long_line, a_web_server, busy],
)
def test_it_costs_a_try_and_a_bounded_time(
    talk: Talk, post: Post, answering: Callable[[Talk], None]
) -> None:
    answering(talk)
    mail = post.queue()
    began = time.monotonic()
    mail = post.worked(mail)
    assert time.monotonic() - began < post.longest + SOON
    assert (mail.state, mail.tries) == (State.QUEUED, 1)
    assert mail.last_error.isprintable()
    assert 0 < len(mail.last_error) <= 500


def test_a_server_that_refuses_everybody_is_believed(
    post: Post, answering: Callable[[Talk], None]
) -> None:
    answering(lambda connected: connected.sendall(b"554 5.3.2 no mail here\r\n"))
    mail = post.worked(post.queue())
    assert (mail.state, mail.last_error) == (State.FAILED, "554 5.3.2 no mail here")


def test_a_slow_server_is_waited_for(post: Post) -> None:
    post.open()
    post.office.delay = post.patience * 0.6
    assert post.worked(post.queue()).state == State.SENT


def test_a_server_that_is_too_slow_is_asked_again_with_the_same_id(post: Post) -> None:
    """It may have taken the mail: who gets it twice can tell by its Message-ID."""
    post.open()
    post.office.delay = post.patience * 1.5
    mail = post.worked(post.queue())
    assert (mail.state, mail.tries) == (State.QUEUED, 1)
    post.office.delay = 0.0
    mail = post.worked(mail)
    assert mail.state == State.SENT
    ends = time.monotonic() + 10
    while len(post.office.taken) < 2 and time.monotonic() < ends:
        time.sleep(0.05)
    assert {got["Message-ID"] for got in post.office.taken} == {f"<{mail.pk}@example.com>"}


def test_what_is_taken_is_taken_however_the_server_parts(
    post: Post, answering: Callable[[Talk], None]
) -> None:
    def no_farewell(connected: socket.socket) -> None:
        connected.settimeout(5)
        connected.sendall(b"220 hello\r\n")
        for answer in (b"250 hello", b"250 OK", b"250 OK", b"354 go on", b"250 taken"):
            ending = b"\r\n.\r\n" if answer == b"250 taken" else b"\r\n"
            got = b""
            while not got.endswith(ending):
                got += connected.recv(4096)
            connected.sendall(answer + b"\r\n")
        connected.recv(4096)
        connected.sendall(b"x" * 100_000)

    answering(no_farewell)
    assert post.worked(post.queue()).state == State.SENT
