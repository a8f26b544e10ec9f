"""The whole product through PgBouncer in transaction mode, on three server connections."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest

from dev.embedded.environment import Options
from dev.embedded.paths import runtime_dir
from dev.embedded.stack import Stack
from tests.e2e.customer import VIDEO, Customer
from tests.system.faults.pgbouncer import ALONE, POOL, PgBouncer, version

CREDITS, PRICE, ORDERS = 100_000, 240, 24


@pytest.fixture(autouse=True)
def _clean_slate() -> None:
    """Nothing to sweep: the stack has servers of its own."""


@pytest.fixture(scope="module")
def here() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="rm-pgb-"))
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def database(here: Path) -> Iterator[Stack]:
    """PostgreSQL alone."""
    with Stack(here / "database", Options(services=False, emulator=False)) as running:
        yield running


@pytest.fixture(scope="module")
def pooler(here: Path, database: Stack) -> Iterator[PgBouncer]:
    running = PgBouncer(here / "pgbouncer", runtime_dir(database.var_dir) / "pg")
    yield running
    running.stop()


@pytest.fixture(scope="module")
def stack(here: Path, database: Stack, pooler: PgBouncer) -> Iterator[Stack]:
    """Everything else, which knows PgBouncer's address alone; migrations go past it."""
    own = {"OUTPUT_ROOT": f"{here}/outputs", "WORK_DIR": f"{here}/work", "PGBOUNCER": "1"}
    own |= {"DATABASE_CONN_MAX_AGE": "600"}
    options = Options(
        time_scale=0.03,
        emulator_plain=True,
        one_worker=True,
        database_url=pooler.url(),
        database_owner_url=database.owner_url,
        environment=own | {"RATE_LIMIT_CREATES": "1000", "RATE_LIMIT_READS": "100000"},
    )
    with Stack(here / "var", options) as running:
        yield running


def test_creates_and_generations_through_three_connections(
    stack: Stack, database: Stack, pooler: PgBouncer
) -> None:
    options = ("--credits", str(CREDITS), "--skip-checks")
    key = json.loads(stack.manage("create_account", "rich@example.com", *options))["key"]
    customer = Customer(stack, key)
    with ThreadPoolExecutor(8) as threads:
        ordered = list(
            threads.map(
                # every key twice, so that some race
                lambda number: customer.create(VIDEO, "a fox", key=f"k{number // 2}"),
                range(2 * ORDERS),
            )
        )
    assert len(set(ordered)) == ORDERS
    with psycopg.connect(pooler.url("pgbouncer"), autocommit=True) as admin:
        clients = [row for row in admin.execute("SHOW CLIENTS").fetchall() if "reelmint" in row]
        servers = [row for row in admin.execute("SHOW SERVERS").fetchall() if "reelmint" in row]
    assert 0 < len(servers) <= POOL < len(clients)
    statuses = [customer.finished(generation_id)["status"] for generation_id in set(ordered)]
    assert statuses == ["completed"] * ORDERS
    assert customer.balance() == CREDITS - PRICE * ORDERS
    customer.http.close()
    for command in ("check_ledger", "check_generations"):
        stack.manage(command, "--skip-checks")
    with psycopg.connect(database.superuser_url) as direct:
        sessions = direct.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE usename = 'reelmint_app'"
        ).fetchone()
    assert sessions is not None
    assert sessions[0] <= POOL


def test_the_roles_limits_hold_through_it(stack: Stack, pooler: PgBouncer) -> None:
    """They belong to the server connection, which logs in as the role."""
    with psycopg.connect(pooler.url(), autocommit=True) as connection:
        for name, value in (("statement_timeout", "5s"), ("lock_timeout", "2s")):
            assert connection.execute(f"SHOW {name}".encode()).fetchone() == (value,)


def test_the_setting_prepares_nothing(stack: Stack) -> None:
    said = stack.manage(
        *("shell", "--no-imports", "-c"),
        "from django.db import connection as c; c.ensure_connection();"
        "print(c.connection.prepare_threshold, c.settings_dict['DISABLE_SERVER_SIDE_CURSORS']);"
        "u = c.connection; [u.execute('SELECT 1', prepare=True) for _ in range(9)];"
        "print(u.execute('SELECT count(*) FROM pg_prepared_statements').fetchone()[0])",
    )
    assert said.split()[-3:] == ["None", "True", "0"]


def test_without_the_setting_prepared_statements_meet(stack: Stack, pooler: PgBouncer) -> None:
    """Why it is needed; from 1.21 on PgBouncer can keep them apart (max_prepared_statements)."""
    if version() >= (1, 21):
        pytest.skip("this PgBouncer keeps prepared statements apart")
    wrong = (psycopg.errors.DuplicatePreparedStatement, psycopg.errors.InvalidSqlStatementName)
    url = pooler.url(ALONE)
    with (
        psycopg.connect(url, autocommit=True) as first,
        psycopg.connect(url, autocommit=True) as second,
    ):
        first.execute("SELECT 1", prepare=True)
        with pytest.raises(wrong):
            second.execute("SELECT 2", prepare=True)
