"""HTTP written by hand, for what a well-behaved client library never sends."""

from __future__ import annotations

import json
import socket
from dataclasses import dataclass
from typing import IO, Any, Self

import httpx

TIMEOUT = 15.0  # seconds


@dataclass(frozen=True)
class Answer:
    """A response as it came over the wire; header names are in lower case."""

    status: int
    headers: dict[str, str]
    content: bytes

    def json(self) -> Any:
        return json.loads(self.content)


class Wire:
    """One TCP connection to the web server."""

    def __init__(self, base_url: str, receive: int | None = None) -> None:
        """``receive`` is how many bytes may wait here unread, if not as many as usual."""
        url = httpx.URL(base_url)
        self.host = url.netloc.decode()
        self._socket = socket.socket()
        self._socket.settimeout(TIMEOUT)
        if receive is not None:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive)
        self._socket.connect((url.host, url.port))
        self._file: IO[bytes] = self._socket.makefile("rb")
        self.last_headers: dict[str, str] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()
        self._socket.close()

    def send(self, data: bytes) -> None:
        self._socket.sendall(data)

    def request(self, method: str, path: str, *headers: str) -> None:
        """Send a request's head; the body, if any, is up to the caller."""
        lines = (f"{method} {path} HTTP/1.1", f"Host: {self.host}", *headers)
        self.send("".join(f"{line}\r\n" for line in (*lines, "")).encode())

    def answer(self) -> Answer:
        """The next response on this connection."""
        first = self._file.readline().decode()
        assert first.startswith("HTTP/1.1 "), f"no answer: {first!r}"
        headers: dict[str, str] = {}
        while line := self._file.readline().strip():
            name, _, value = line.decode().partition(":")
            headers[name.lower()] = value.strip()
        self.last_headers = headers
        content = self._file.read(int(headers.get("content-length", 0)))
        return Answer(int(first.split()[1]), headers, content)

    def interim(self) -> int:
        """The status of a response that only announces another one."""
        status = int(self._file.readline().split()[1])
        assert self._file.readline() == b"\r\n"
        return status

    def peek(self, count: int) -> bytes:
        """Some bytes of whatever has come, at most ``count``."""
        return self._socket.recv(count)

    def widen(self) -> None:
        """Let more bytes wait here from now on."""
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2**20)

    def is_closed(self) -> bool:
        """Whether the server ended the connection, without a further byte."""
        try:
            return self._file.read(1) == b""
        except ConnectionResetError:
            return True
