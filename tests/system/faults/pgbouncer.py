"""A PgBouncer of our own before a PostgreSQL of our own, in transaction mode."""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
from pathlib import Path

import psycopg

from dev.embedded.postgres import APP, DATABASE
from dev.embedded.processes import Child, Program, stop_all, wait_ready
from dev.embedded.unprivileged import identity

POOL = 3  # server connections; every process of a stack holds a connection to PgBouncer
ALONE = "alone"  # the same database through one server connection

CONFIG = """
[databases]
{database} = host={server} port=5432
{alone} = host={server} port=5432 dbname={database} pool_size=1

[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = trust
auth_file = {folder}/users.txt
admin_users = {user}
pool_mode = transaction
default_pool_size = {pool}
max_client_conn = 200
"""


def binary() -> str:
    """The program; a test cannot do without it."""
    found = shutil.which("pgbouncer") or "/usr/sbin/pgbouncer"
    assert Path(found).exists(), "PgBouncer is needed: apt-get install pgbouncer"
    return found


def version() -> tuple[int, int]:
    """Of the program, such as (1, 18)."""
    said = subprocess.run([binary(), "--version"], capture_output=True, text=True, check=True)
    major, minor = said.stdout.split()[1].split(".")[:2]
    return int(major), int(minor)


class PgBouncer:
    """Runs as who PostgreSQL runs as: it refuses to be root, too."""

    def __init__(self, folder: Path, server: Path) -> None:
        """``server`` is the folder of PostgreSQL's socket."""
        identity().take(folder)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        values = {"database": DATABASE, "alone": ALONE, "user": APP, "pool": POOL}
        values |= {"server": str(server), "folder": str(folder), "port": self.port}
        (folder / "users.txt").write_text(f'"{APP}" ""\n')
        (folder / "pgbouncer.ini").write_text(CONFIG.format(**values))
        for file in folder.iterdir():
            file.chmod(0o644)
        argv = [binary(), str(folder / "pgbouncer.ini")]
        program = Program("pgbouncer", argv, signal.SIGINT, identity=identity())
        self._child = Child(program, {"LC_ALL": "C.UTF-8"}, folder.with_name("pgbouncer.log"))
        wait_ready(self._child, self._answers)

    def url(self, database: str = DATABASE) -> str:
        """A libpq URL."""
        return f"postgresql://{APP}@127.0.0.1:{self.port}/{database}"

    def stop(self) -> None:
        """End it; clients lose their connections."""
        stop_all([self._child], 5)

    def _answers(self) -> bool:
        try:
            psycopg.connect(self.url(), connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True
