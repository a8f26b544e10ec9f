"""What is left to send of an answer: bytes and sections of files, at the client's own pace."""

from __future__ import annotations

import os
import socket
from collections import deque
from typing import IO

FILE_BLOCK = 256 * 1024


class _Bytes:
    def __init__(self, data: bytes) -> None:
        self._view = memoryview(data)

    @property
    def left(self) -> int:
        return len(self._view)

    def send(self, to: socket.socket) -> int:
        sent = to.send(self._view)
        self._view = self._view[sent:]
        return sent

    def close(self) -> None:
        self._view.release()


class _FileSection:
    """In a descriptor of its own: the view has closed its file by then."""

    def __init__(self, file: IO[bytes], offset: int, count: int) -> None:
        self._descriptor = os.dup(file.fileno())
        self._offset = offset
        self.left = count

    def send(self, to: socket.socket) -> int:
        count = min(self.left, FILE_BLOCK)
        sent = os.sendfile(to.fileno(), self._descriptor, self._offset, count)
        if not sent:
            raise OSError("the file is shorter than it was")
        self._offset += sent
        self.left -= sent
        return sent

    def close(self) -> None:
        os.close(self._descriptor)


class Outbox:
    """Never waits: ``flush`` sends what the socket takes now."""

    def __init__(self) -> None:
        self._written: list[bytes] = []  # becomes one part, so that a small answer is one call
        self._parts: deque[_Bytes | _FileSection] = deque()

    def write(self, data: bytes) -> None:
        """Put bytes at the end."""
        self._written.append(data)

    def write_file(self, file: IO[bytes], offset: int, count: int) -> None:
        """Put ``count`` bytes of an open file at the end; the caller may close it."""
        section = _FileSection(file, offset, count)
        self._seal()
        self._parts.append(section)

    @property
    def left(self) -> int:
        """Bytes that are not sent yet, files included."""
        self._seal()
        return sum(part.left for part in self._parts)

    @property
    def left_in_memory(self) -> int:
        """Of them those that are no file's."""
        return sum(part.left for part in self._parts if isinstance(part, _Bytes))

    @property
    def is_empty(self) -> bool:
        return not self._written and not self._parts

    def flush(self, to: socket.socket) -> bool:
        """Send what goes without waiting, of a file one block; whether anything went.

        Raises OSError when nothing will go any more.
        """
        self._seal()
        went = False
        while self._parts:
            part = self._parts[0]
            try:
                went = part.send(to) > 0 or went
            except BlockingIOError:
                break
            if part.left:
                break
            part.close()
            self._parts.popleft()
        return went

    def clear(self) -> None:
        self._written = []
        while self._parts:
            self._parts.popleft().close()

    def _seal(self) -> None:
        if self._written:
            self._parts.append(_Bytes(b"".join(self._written)))
            self._written = []
