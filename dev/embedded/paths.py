"""Where a stack keeps its files, and the lock that makes it the only one there."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import stat
from pathlib import Path
from typing import Any

from dev.embedded import StackError

CHECKOUT = Path(__file__).resolve().parent.parent.parent
# sun_path holds 108 bytes on Linux and 104 on macOS, the closing NUL included (unix(7)).
SOCKET_PATH_BYTES = 103


def runtime_dir(var_dir: Path) -> Path:
    """The short private folder for the sockets of the stack whose data is in ``var_dir``.

    Its name comes from the path of the data, so two checkouts never meet; the path of a checkout
    itself may be too long for a socket. Raises StackError when somebody else owns the name.
    """
    digest = hashlib.sha256(str(var_dir.resolve()).encode()).hexdigest()[:10]
    folder = Path(f"/tmp/reelmint-{os.getuid()}-{digest}")  # its owner is checked
    private_dir(folder)
    return folder


def private_dir(folder: Path) -> None:
    """Make ``folder`` ours with mode 0700; a link or somebody else's folder is a StackError."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    info = folder.lstat()
    if not stat.S_ISDIR(info.st_mode) or info.st_uid != os.getuid():
        raise StackError(f"{folder} is not a folder of this user; remove it and start again")
    if stat.S_IMODE(info.st_mode) & 0o066:
        folder.chmod(0o700)


def socket_path(path: Path) -> Path:
    """``path`` itself, or a StackError when it is too long to be a socket's address."""
    if len(os.fsencode(path)) > SOCKET_PATH_BYTES:
        raise StackError(f"{path} is longer than the {SOCKET_PATH_BYTES} bytes of a socket's path")
    return path


def write_json(path: Path, value: Any) -> None:
    """Replace ``path`` in one step, readable by its owner alone: it may hold a key."""
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    partial.unlink(missing_ok=True)
    with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump(value, file, indent=2)
        file.write("\n")
    partial.replace(path)


class Lock:
    """An advisory lock on a file. The kernel lets go of it when the process dies, however it dies.

    The file stays: removing it would let two processes lock two files of the same name.
    """

    def __init__(self, path: Path, meaning: str) -> None:
        """Take the lock or raise StackError with ``meaning`` and the holder's process id."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.pread(self._file, 20, 0).decode().strip()
            os.close(self._file)
            raise StackError(f"{meaning} (process {holder or 'unknown'})") from error
        os.ftruncate(self._file, 0)
        os.pwrite(self._file, f"{os.getpid()}\n".encode(), 0)

    def release(self) -> None:
        """Let go; harmless when repeated."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1
