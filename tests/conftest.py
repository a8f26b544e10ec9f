"""What every test starts from: a real database and Redis, a real HTTP server, two people."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable, Iterator

import httpx
import psycopg
import pytest
import redis
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.core.handlers.wsgi import WSGIHandler
from django.db import connections
from django.test.testcases import QuietWSGIRequestHandler

from accounts.arrival import SentSecret
from accounts.authentication import SecretAuthentication
from common.fresh import Fresh
from common.web import rate_limit
from common.web.body_limit import FORMS, LIMIT, BodyLimit
from tests.support.paying import settle_worker, stripe, stripe_process, till
from tests.support.people import Person, make_person
from tests.support.web_server import AppServer
from tests.support.works import _works_of_session, emulator, emulator_process, start, works

__all__ = ["_works_of_session", "emulator", "emulator_process", "start", "works"]
__all__ += ["settle_worker", "stripe", "stripe_process", "till"]

# Django's test server waits 40 ms for the client's acknowledgement of each header otherwise.
QuietWSGIRequestHandler.disable_nagle_algorithm = True
PBKDF2PasswordHasher.iterations = 1000  # the default takes 0.4 s a password on purpose
# Client and server of a test share one interpreter, so an answer of Redis may be read late.
rate_limit.REDIS_TIMEOUT = 2.0

# folders of tests that have servers of their own, or none
WITHOUT_DATABASE = (
    *("emulator", "dev/stripe", "embedded", "e2e", "browser", "backends", "ops", "repository"),
    "system/stripe",
)
KEEP = {
    *("django_migrations", "django_content_type", "catalog_at_start", "packs_at_start"),
    *("auth_permission", "auth_group", "auth_group_permissions"),
}


@pytest.fixture(scope="session", autouse=True)
def _database_allowed(django_db_blocker: pytest.FixtureRequest) -> Iterator[None]:
    with django_db_blocker.unblock():  # type: ignore[attr-defined]
        yield
    connections.close_all()


@pytest.fixture(scope="session")
def admin_connection() -> Iterator[psycopg.Connection]:
    """The superuser, for what the application's role rightly cannot do."""
    with psycopg.connect(os.environ["TEST_ADMIN_URL"], autocommit=True) as connection:
        yield connection


@pytest.fixture(scope="session")
def _sweep(admin_connection: psycopg.Connection) -> str:
    rows = admin_connection.execute(
        "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
    ).fetchall()
    tables = sorted({row[0] for row in rows} - KEEP)
    # the triggers that keep the ledger append-only stay; this role may look away from them
    return (
        "SET session_replication_role = replica;"
        + "".join(f'DELETE FROM "{table}";' for table in tables)
        + "INSERT INTO generation_catalogmodel SELECT * FROM catalog_at_start;"
        + "INSERT INTO payments_creditpack SELECT * FROM packs_at_start;"
        + "SET session_replication_role = DEFAULT;"
    )


@pytest.fixture(autouse=True)
def _nothing_remembered() -> None:
    """A process keeps some answers for a second; a test begins with none."""
    Fresh.clear_all()
    SecretAuthentication.clear()
    SentSecret.clear()


@pytest.fixture(autouse=True)
def _clean_slate(request: pytest.FixtureRequest) -> Iterator[None]:
    if any(f"/{name}/" in request.path.as_posix() for name in WITHOUT_DATABASE):
        yield
        return
    sweep = request.getfixturevalue("_sweep")
    admin_connection = request.getfixturevalue("admin_connection")
    yield
    connections.close_all()
    admin_connection.execute(sweep)
    with redis.Redis.from_url(os.environ["REDIS_URL"]) as client:
        client.flushdb()


@pytest.fixture(scope="session")
def base_url(_database_allowed: None) -> Iterator[str]:
    """A threaded HTTP server in this process, on the code and settings of the test."""
    server = AppServer(("127.0.0.1", 0), QuietWSGIRequestHandler)
    server.set_app(BodyLimit(WSGIHandler(), LIMIT, less=FORMS))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


@pytest.fixture
def free_port() -> int:
    """A port of loopback that nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def api(base_url: str) -> Iterator[Callable[..., httpx.Client]]:
    """``api(secret)`` is an HTTP client that sends it; ``api()`` sends none."""
    clients: list[httpx.Client] = []

    def make(secret: str | None = None, **headers: str) -> httpx.Client:
        if secret is not None:
            headers["Authorization"] = f"Bearer {secret}"
        # without certificates to load, a client is made in a hundredth of the time
        client = httpx.Client(base_url=base_url, headers=headers, timeout=20, verify=False)
        clients.append(client)
        return client

    yield make
    for client in clients:
        client.close()


@pytest.fixture
def alice() -> Person:
    """Has 1000 credits."""
    return make_person("alice")


@pytest.fixture
def bob() -> Person:
    """Has 1000 credits, and must see nothing of Alice's."""
    return make_person("bob")
