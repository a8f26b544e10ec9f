"""The services of docker-compose.yml as processes of this machine, each from a plain shell.

Their commands and variables are taken out of the file; only addresses and folders are replaced
by those of loopback, and time runs faster.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from dev.embedded.paths import CHECKOUT
from dev.embedded.postgres import APP, DATABASE, OWNER
from tests.support import compose

TIME_SCALE = "0.05"
PATIENCE = 120.0  # seconds; a free machine needs a few


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def new_database(name: str) -> None:
    """An empty one of the migrations' role, on the server of this test run."""
    with psycopg.connect(os.environ["TEST_SUPERUSER_URL"], autocommit=True) as connection:
        statement = "CREATE DATABASE {} OWNER {}"
        connection.execute(sql.SQL(statement).format(sql.Identifier(name), sql.Identifier(OWNER)))


def database_url(role: str, name: str) -> str:
    """On the server of this test run."""
    url = os.environ["TEST_POSTGRES_URL"].replace(f"/{DATABASE}?", f"/{name}?")
    return url.replace(APP, role)


class Deployment:
    """Everything of the compose file but PostgreSQL and Redis, which the test run has."""

    def __init__(self, folder: Path, database: str, redis_number: int = 9) -> None:
        self.folder = folder
        self.services: dict[str, Any] = compose.compose()["services"]
        self.values = compose.dotenv()
        self.ports = {"web": free_port(), "waiter": free_port(), "emulator": free_port()}
        self.running: dict[str, subprocess.Popen[bytes]] = {}
        redis_url = os.environ["TEST_VALKEY_URL"].replace("db=0", f"db={redis_number}")
        password = self.values["APP_DATABASE_PASSWORD"]
        owners = self.values["OWNER_DATABASE_PASSWORD"]
        self.replacements = {
            f"postgresql://{APP}:{password}@postgres:5432/{DATABASE}": database_url(APP, database),
            f"postgresql://{OWNER}:{owners}@postgres:5432/{DATABASE}": database_url(
                OWNER, database
            ),
            "redis://redis:6379/0": redis_url,
            "0.0.0.0": "127.0.0.1",
            "http://emulator:9000": f"http://127.0.0.1:{self.ports['emulator']}",
            "--port=9000": f"--port={self.ports['emulator']}",
            "localhost:8000": f"localhost:{self.ports['web']}",
            "127.0.0.1:8000": f"127.0.0.1:{self.ports['web']}",
            "localhost:8001": f"localhost:{self.ports['waiter']}",
            "127.0.0.1:8001": f"127.0.0.1:{self.ports['waiter']}",
            "/emulator/": f"{folder}/emulator/",
            "/data/": f"{folder}/data/",
            "/app/": f"{folder}/app/",
        }
        (folder / "emulator").mkdir(parents=True)

    def replaced(self, text: str) -> str:
        for old, new in self.replacements.items():
            text = text.replace(old, new)
        return text

    def environment(self, name: str) -> dict[str, str]:
        """All that the service's process sees."""
        found = compose.service_environment(self.services[name], self.values)
        found = {key: self.replaced(value) for key, value in found.items()}
        return (
            found
            | {"PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin"}
            | {"TIME_SCALE": TIME_SCALE}
        )

    def command(self, name: str) -> list[str]:
        command = [self.replaced(word) for word in compose.service_command(self.services[name])]
        return command + (["--time-scale", TIME_SCALE] if name == "emulator" else [])

    def start(self, name: str) -> None:
        """As a shell of somebody who has just logged in would."""
        with self.log(name).open("ab") as log:
            self.running[name] = subprocess.Popen(
                ["/bin/sh", "-c", f"exec {compose.shell(self.command(name))}"],
                cwd=CHECKOUT,
                env=self.environment(name),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def run(self, name: str, line: str) -> str:
        """``docker compose exec name line``; its output. Raises AssertionError when it fails."""
        done = subprocess.run(
            ["/bin/sh", "-c", line],
            cwd=CHECKOUT,
            env=self.environment(name),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"
        return done.stdout

    def is_healthy(self, name: str) -> bool:
        """What its health check says."""
        kind, *words = self.services[name]["healthcheck"]["test"]
        assert kind == "CMD"
        line = compose.shell([self.replaced(word) for word in words])
        done = subprocess.run(
            ["/bin/sh", "-c", line],
            env=self.environment(name),
            capture_output=True,
            check=False,
        )
        return done.returncode == 0

    def wait_healthy(self, name: str) -> None:
        self.wait(lambda: self.is_healthy(name), name)

    def wait(self, question: Callable[[], bool], *names: str) -> None:
        """Until it is so; the logs of ``names`` when it does not come to that."""
        ends = time.monotonic() + PATIENCE
        while not question():
            dead = [name for name in names if self.running[name].poll() is not None]
            if dead or time.monotonic() > ends:
                raise AssertionError("\n".join([f"dead: {dead}", *map(self.told, names)]))
            time.sleep(0.1)

    def log(self, name: str) -> Path:
        return self.folder / f"{name}.log"

    def told(self, name: str) -> str:
        """The end of its log."""
        return f"{name}:\n{self.log(name).read_text()[-3000:]}"

    def stop(self, name: str) -> tuple[int, float]:
        """As ``docker compose stop``: exit code, and how many seconds it took."""
        process, begun = self.running.pop(name), time.monotonic()
        process.terminate()
        return process.wait(self.grace(name)), time.monotonic() - begun

    def grace(self, name: str) -> float:
        return float(str(self.services[name]["stop_grace_period"]).removesuffix("s"))

    def kill(self) -> None:
        """Everything that is left."""
        for process in self.running.values():
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        self.running.clear()
        shutil.rmtree(self.folder, ignore_errors=True)
