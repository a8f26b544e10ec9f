"""The stack that is measured, with durable settings, and the two sites it is compared with."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import replace
from pathlib import Path

import httpx
import psycopg
import redis

from dev.benchmarks import customers
from dev.benchmarks.customers import Customers
from dev.benchmarks.failure import BenchmarkFailed
from dev.embedded import services
from dev.embedded.environment import Options
from dev.embedded.lifetime import Startable
from dev.embedded.paths import CHECKOUT
from dev.embedded.processes import wait_ready
from dev.embedded.run import demo_key
from dev.embedded.stack import Stack

CUSTOMERS = 1000
MANY = "1000000000"
LIMITS = (
    *("RATE_LIMIT_CREATES", "RATE_LIMIT_READS", "RATE_LIMIT_ANONYMOUS", "MAX_OPEN_GENERATIONS"),
    "RATE_LIMIT_AUTH_FAILURES",
)
POSTGRES = {
    "shared_preload_libraries": "pg_stat_statements",
    # as on a server for PostgreSQL alone; a bulk load needs the last two
    "shared_buffers": "1GB",
    "max_wal_size": "8GB",
    "checkpoint_timeout": "15min",
}
WORKERS = (*services.STAGES, "beat")
QUEUES = (*services.STAGES, "textbook")
CHECKS_END = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
 WHERE usename = 'reelmint_app' AND state = 'active'
"""
TIME_SCALE = 0.05  # the one awaited generation ends soon
DRAIN_EVERY = 0.02  # seconds
GRACE = 3.0  # seconds; nothing has to be finished
FIRST_WITHIN = 120.0  # seconds, on a machine that others use, too
FIRST = {"prompt": "A paper boat on a lake at sunrise"}


class Stage(Startable):
    """Use it from one thread that outlives it (dev/embedded/processes.py says why)."""

    def __init__(
        self, var_dir: Path, time_scale: float = TIME_SCALE, *, waiter: bool = False
    ) -> None:
        self.seconds_to_first_201 = 0.0
        variables = dict.fromkeys(LIMITS, MANY) | {"LOG_LEVEL": "WARNING"}
        options = Options(
            durable=True,
            time_scale=time_scale,
            emulator_plain=True,
            waiter=waiter,
            postgres_settings=POSTGRES,
            environment=variables,
        )
        self.stack = Stack(var_dir, options)
        self._drain = threading.Event()

    def stop(self, grace: float = GRACE) -> None:
        """Also end the thread that empties the queues."""
        self._drain.set()
        self.stack.stop(grace)

    def owner(self) -> psycopg.Connection:
        """A connection as the tables' owner, in autocommit mode."""
        return psycopg.connect(self.stack.owner_url, autocommit=True)

    def superuser(self) -> psycopg.Connection:
        """A connection as PostgreSQL's superuser, in autocommit mode."""
        return psycopg.connect(self.stack.superuser_url, autocommit=True)

    def first_generation(self) -> None:
        """Create one as `make run` invites to, note when it was answered, wait until it is done."""
        headers = {"Authorization": f"Bearer {demo_key(self.stack)}"}
        with httpx.Client(base_url=self.stack.base_url, headers=headers, timeout=20) as client:
            answer = client.post("/api/v1/generate/video/", json=FIRST)
            if answer.status_code != 201:
                raise BenchmarkFailed(f"The first create was answered {answer.status_code}")
            self.seconds_to_first_201 = time.monotonic() - self._began
            limit = time.monotonic() + FIRST_WITHIN
            while client.get(answer.headers["Location"]).json()["status"] != "completed":
                if time.monotonic() > limit:
                    raise BenchmarkFailed("The first generation did not complete")
                time.sleep(0.1)

    def rest(self) -> None:
        """End workers and beat, and empty the queues for ever: the web is measured alone.

        A full queue would save a create its wake-up. A worker's check of the books is ended too,
        since PostgreSQL would go on with it.
        """
        for name in WORKERS:
            self.stack.processes.children[name].kill_group()
        with self.superuser() as connection:
            connection.execute(CHECKS_END)
        threading.Thread(target=self._empty_queues, name="drain", daemon=True).start()

    def serve(self, name: str) -> str:
        """Serve the site ``dev/benchmarks/<name>.py`` as our own is served; its base URL."""
        listener = services.listen(0)
        ours = services.web(listener)
        argv = [
            word.replace("config.wsgi:application", f"{__package__}.wsgi:application")
            for word in ours.argv
        ]
        environment = self.stack.env | settings_of(name)
        child = self.stack.processes.run(replace(ours, name=name, argv=argv), environment)
        base_url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        wait_ready(child, lambda: _answers(base_url))
        listener.close()  # gunicorn holds its own
        return base_url

    def textbook_tokens(self, count: int) -> list[str]:
        """Make the textbook's tables and users."""
        program = f"import django; django.setup(); from {__package__} import textbook; "
        done = subprocess.run(
            [sys.executable, "-c", f"{program}textbook.prepare({count})"],
            env=self.stack.env | settings_of("textbook") | {"DATABASE_URL": self.stack.owner_url},
            cwd=CHECKOUT,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise BenchmarkFailed(f"The textbook's tables could not be made:\n{done.stderr}")
        tokens: list[str] = json.loads(done.stdout)
        return tokens

    def customers(self, count: int = CUSTOMERS) -> Customers:
        """Add customers, and let a model take as many orders as a benchmark places."""
        with self.owner() as connection:
            connection.execute("UPDATE generation_catalogmodel SET submits_per_minute = %s", [MANY])
            return customers.make(connection, count)

    def forget_rate_limits(self) -> None:
        """Empty Redis, where the raised limits keep every request of their 60 seconds."""
        with redis.Redis.from_url(self.stack.env["REDIS_URL"]) as client:
            client.flushdb()

    def statement_of_create(self) -> str:
        """The SQL text that generation/creation.py sends."""
        code = "from generation.creation import CREATE; print(CREATE.sql)"
        return self.stack.manage("shell", "--no-imports", "--command", code)

    def _start(self) -> None:
        self._began = time.monotonic()
        self.stack.start()
        with self.superuser() as connection:
            connection.execute("CREATE EXTENSION IF NOT EXISTS pg_stat_statements")

    def _empty_queues(self) -> None:
        with redis.Redis.from_url(self.stack.env["REDIS_URL"]) as client:
            while not self._drain.wait(DRAIN_EVERY):
                try:
                    client.delete(*QUEUES)
                except redis.RedisError:
                    return  # it was stopped


class TemporaryStage(Stage):
    """One whose data is thrown away."""

    def __init__(self, time_scale: float = TIME_SCALE, *, waiter: bool = False) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="reelmint-bench-"))
        super().__init__(self._folder / "var", time_scale, waiter=waiter)

    def stop(self, grace: float = GRACE) -> None:
        super().stop(grace)
        shutil.rmtree(self._folder, ignore_errors=True)


def settings_of(name: str) -> dict[str, str]:
    """The variable that makes Django a site of ours to be compared with."""
    return {"DJANGO_SETTINGS_MODULE": f"{__package__}.{name}_settings"}


def _answers(base_url: str) -> bool:
    try:
        return httpx.get(base_url, timeout=2).status_code < 500
    except httpx.HTTPError:
        return False
