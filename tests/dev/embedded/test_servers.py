"""PostgreSQL and Valkey as servers of our own: start, roles, kill -9, stop."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import redis

from dev.embedded import StackError, postgres, valkey
from dev.embedded.environment import wants_real_stripe
from dev.embedded.paths import SOCKET_PATH_BYTES, runtime_dir, socket_path, write_json
from dev.embedded.processes import wait_until
from tests.dev.embedded.conftest import standing_in_environment


@pytest.fixture(scope="module")
def server() -> Iterator[postgres.PostgresServer]:
    folder = Path(tempfile.mkdtemp(prefix="reelmint-test-"))
    statistics = {"shared_preload_libraries": "pg_stat_statements"}
    with postgres.PostgresServer(
        folder / "data", folder / "sockets", settings=statistics
    ) as server:
        yield server
    shutil.rmtree(folder)


def execute(url: str, query: str) -> list[tuple[object, ...]]:
    with psycopg.connect(url, autocommit=True) as connection:
        cursor = connection.execute(query.encode())
        return cursor.fetchall() if cursor.description else []


def test_the_services_write_rows_but_cannot_empty_or_change_the_owners_tables(
    server: postgres.PostgresServer,
) -> None:
    execute(server.url(postgres.OWNER), "CREATE TABLE entry (id serial, amount int)")
    execute(server.url(), "INSERT INTO entry (amount) VALUES (1)")
    assert execute(server.url(), "SELECT id, amount FROM entry") == [(1, 1)]
    for forbidden in ("TRUNCATE entry", "DROP TABLE entry", "CREATE TABLE other (id int)"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            execute(server.url(), forbidden)


def test_a_database_made_later_has_the_same_privileges(server: postgres.PostgresServer) -> None:
    execute(server.url(postgres.SUPERUSER, "postgres"), "CREATE DATABASE other")
    execute(server.url(postgres.SUPERUSER, "other"), "SET ROLE reelmint_owner")
    execute(server.url(postgres.SUPERUSER, "other"), "ALTER DATABASE other OWNER TO reelmint_owner")
    execute(server.url(postgres.OWNER, "other"), "CREATE TABLE entry (id serial)")
    assert execute(server.url(postgres.APP, "other"), "SELECT * FROM entry") == []


def test_the_caller_can_have_statements_counted(server: postgres.PostgresServer) -> None:
    superuser = server.url(postgres.SUPERUSER)
    execute(superuser, "CREATE EXTENSION pg_stat_statements")
    execute(superuser, "SELECT 'counted'")
    query = "SELECT sum(calls) FROM pg_stat_statements WHERE query = 'SELECT $1'"
    assert execute(superuser, query) == [(1,)]


def test_the_services_never_wait_for_ever(server: postgres.PostgresServer) -> None:
    names = ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout")
    shown = [execute(server.url(), f"SHOW {name}")[0][0] for name in names]
    assert shown == ["5s", "2s", "10s"]
    assert execute(server.url(postgres.OWNER), "SHOW statement_timeout") == [("0",)]


def test_committed_rows_survive_kill_9_and_a_stale_pid_file(
    server: postgres.PostgresServer,
) -> None:
    execute(server.url(postgres.OWNER), "CREATE TABLE kept AS SELECT 7 AS amount")
    # a session in the middle of something must not hold the next start up
    busy = psycopg.connect(server.url())
    busy.execute("SELECT 1")
    os.kill(server.child.pid, signal.SIGKILL)
    server.child.kill_group()
    assert (server.data_dir / "postmaster.pid").exists()
    server.launch()
    server.wait()
    assert execute(server.url(), "SELECT amount FROM kept") == [(7,)]
    busy.close()


def test_a_pid_file_that_names_a_stranger_is_not_believed(
    server: postgres.PostgresServer,
) -> None:
    server.stop()
    noted = f"{os.getppid()}\n{server.data_dir}\n"
    (server.data_dir / "postmaster.pid").write_text(noted)
    server.launch()
    server.wait()
    assert execute(server.url(), "SELECT 1") == [(1,)]


def test_a_second_server_on_the_same_data_is_refused(server: postgres.PostgresServer) -> None:
    with pytest.raises(StackError, match=f"process {os.getpid()}"):
        postgres.PostgresServer(server.data_dir, server.socket_dir).start()
    assert execute(server.url(), "SELECT 1") == [(1,)]


def test_data_of_another_major_version_is_named(folder: Path) -> None:
    data = folder / "data"
    data.mkdir()
    (data / "PG_VERSION").write_text("9\n")
    with pytest.raises(StackError, match="made by PostgreSQL 9"):
        postgres.PostgresServer(data, folder / "sockets").start()


def test_a_durable_valkey_keeps_its_data_over_kill_9_and_forgets_nothing_under_pressure(
    folder: Path,
) -> None:
    server = valkey.ValkeyServer(folder / "data", folder / "sockets", durable=True).start()
    client = redis.Redis.from_url(server.url())
    client.set("key", "value")
    assert client.config_get("maxmemory-policy")["maxmemory-policy"] == "noeviction"

    def written() -> bool:
        return b"value" in b"".join(file.read_bytes() for file in folder.rglob("*.incr.aof"))

    assert wait_until(written, 10)
    os.kill(server.child.pid, signal.SIGKILL)
    server.child.kill_group()
    server.launch()
    server.wait()
    assert client.get("key") == b"value"
    client.close()
    server.stop()


def test_a_stopped_server_leaves_no_process_and_no_socket(folder: Path) -> None:
    database = postgres.PostgresServer(folder / "pg", folder / "sockets").start()
    broker = valkey.ValkeyServer(folder / "valkey", folder / "sockets").start()
    assert standing_in_environment(str(folder))
    database.stop()
    broker.stop()
    assert wait_until(lambda: not standing_in_environment(str(folder)), 10)
    assert list((folder / "sockets").iterdir()) == []


def test_a_deep_checkout_still_gets_short_sockets_of_its_own(folder: Path) -> None:
    deep = folder / ("x" * 100) / ("y" * 100)
    one, other = runtime_dir(deep / "var"), runtime_dir(deep / "other" / "var")
    assert one != other
    assert len(str(socket_path(one / "pg" / ".s.PGSQL.5432.lock"))) <= SOCKET_PATH_BYTES
    with pytest.raises(StackError, match="longer than"):
        socket_path(deep / "socket")
    for made in (one, other):
        assert made.stat().st_mode & 0o777 == 0o700
        made.rmdir()


def test_a_runtime_folder_that_is_a_link_is_refused(folder: Path) -> None:
    var = folder / "var"
    expected = runtime_dir(var)
    expected.rmdir()
    expected.symlink_to(folder)
    with pytest.raises(StackError, match="not a folder of this user"):
        runtime_dir(var)
    expected.unlink()


def test_json_is_replaced_whole_and_readable_by_its_owner_alone(folder: Path) -> None:
    path = folder / "run.json"
    write_json(path, {"key": "old"})
    write_json(path, {"key": "new"})
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.read_text() == '{\n  "key": "new"\n}\n'
    assert [entry.name for entry in folder.iterdir()] == ["run.json"]


@pytest.mark.parametrize(
    ("given", "real"),
    [
        ({}, False),
        ({"STRIPE_SECRET_KEY": ""}, False),
        ({"STRIPE_SECRET_KEY": "sk_test_of_mine"}, True),
        ({"VERTEX_BASE_URL": "http://127.0.0.1:9"}, True),
        ({"GOOGLE_CLOUD_PROJECT": "shop", "OUTPUT_BUCKET": "files"}, True),
    ],
)
def test_stripe_is_emulated_only_where_nothing_costs_money(
    given: dict[str, str], real: bool
) -> None:
    assert wants_real_stripe(given) is real
