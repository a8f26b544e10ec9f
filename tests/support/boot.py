"""Starts the servers the tests run on, before Django reads its settings.

Loaded with ``-p tests.support.boot``, since pytest-django reads the settings before any conftest.
The first process starts PostgreSQL and Valkey in a temporary folder and migrates a template; every
process (each xdist worker) has its own copy and its own Redis database.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Generator
from pathlib import Path

import certifi
import hypothesis
import psycopg
import pytest
from psycopg import sql

from dev.embedded.postgres import DATABASE, OWNER, SUPERUSER, PostgresServer
from dev.embedded.valkey import ValkeyServer

ROOT = Path(__file__).resolve().parent.parent.parent
SETTINGS = {
    "DEBUG": "0",
    "HTTPS": "0",
    "SECRET_KEY": "only-for-tests-" + "x" * 50,
    "ALLOW_EMULATOR": "1",
    "GOOGLE_CLOUD_PROJECT": "test-project",
    "OUTPUT_BUCKET": "test-outputs",
    "VERTEX_BASE_URL": "http://127.0.0.1:9",  # nobody listens there: the emulator fixture sets it
    "DATABASE_CONN_MAX_AGE": "0",
    "LOG_LEVEL": "WARNING",
    "ALLOWED_HOSTS": "127.0.0.1,localhost,testserver",
}

# How fast examples are made and tried says something of the machine, and nothing of the code.
hypothesis.settings.register_profile(
    "any-machine", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("any-machine")


class Servers:
    """PostgreSQL and Valkey of this test run."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="rmt-"))
        self.postgres = PostgresServer(self.folder / "pg", self.folder / "s", max_connections=300)
        self.valkey = ValkeyServer(self.folder / "valkey", self.folder / "s")

    def start(self) -> None:
        self._trust_one_authority()
        self.postgres.launch()
        self.valkey.launch()
        self.postgres.wait()
        self.valkey.wait()
        os.environ["TEST_SUPERUSER_URL"] = self.postgres.url(SUPERUSER, "postgres")
        os.environ["TEST_POSTGRES_URL"] = self.postgres.url()
        os.environ["TEST_VALKEY_URL"] = self.valkey.url(0)
        subprocess.run(
            [sys.executable, "manage.py", "migrate", "--verbosity", "0"],
            cwd=ROOT,
            env=os.environ | SETTINGS | {"DATABASE_URL": self.postgres.url(OWNER)},
            check=True,
        )
        with psycopg.connect(self.postgres.url(SUPERUSER), autocommit=True) as connection:
            connection.execute("CREATE TABLE catalog_at_start AS TABLE generation_catalogmodel")
            connection.execute("CREATE TABLE packs_at_start AS TABLE payments_creditpack")

    def _trust_one_authority(self) -> None:
        """Nothing here speaks TLS, but every new client would read 150 certificates (40 ms)."""
        first, end, _ = Path(certifi.where()).read_text().partition("-----END CERTIFICATE-----")
        bundle = self.folder / "authority.pem"
        bundle.write_text(f"{first}{end}\n")
        os.environ.setdefault("SSL_CERT_FILE", str(bundle))

    def stop(self) -> None:
        self.postgres.stop()
        self.valkey.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


def _use_own_database(worker: str) -> None:
    name = f"test_{worker}"
    admin = os.environ["TEST_SUPERUSER_URL"]
    with psycopg.connect(admin, autocommit=True) as connection:
        connection.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {} OWNER {}").format(
                sql.Identifier(name), sql.Identifier(DATABASE), sql.Identifier(OWNER)
            )
        )
    number = int(worker.removeprefix("gw")) + 1 if worker.startswith("gw") else 0
    os.environ.update(SETTINGS)
    os.environ["DATABASE_URL"] = os.environ["TEST_POSTGRES_URL"].replace(
        f"/{DATABASE}?", f"/{name}?"
    )
    os.environ["TEST_ADMIN_URL"] = admin.replace("/postgres?", f"/{name}?")
    os.environ["REDIS_URL"] = os.environ["TEST_VALKEY_URL"].replace("db=0", f"db={number}")
    os.environ["OUTPUT_ROOT"] = tempfile.mkdtemp(prefix="rmt-outputs-")
    os.environ["WORK_DIR"] = tempfile.mkdtemp(prefix="rmt-work-")


_servers: list[Servers] = []


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests() -> Generator[None, None, None]:
    """Bring the servers up, once a run, and point Django's environment at this process's share."""
    worker = os.environ.get("PYTEST_XDIST_WORKER")
    if worker is None:
        servers = Servers()
        _servers.append(servers)
        servers.start()
    _use_own_database(worker or "main")
    return (yield)


def pytest_unconfigure() -> None:
    """Leave nothing behind."""
    for name in ("OUTPUT_ROOT", "WORK_DIR"):
        shutil.rmtree(os.environ[name], ignore_errors=True)
    while _servers:
        _servers.pop().stop()
