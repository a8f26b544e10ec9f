"""Constant statements: prepared once; the first one of a request notices a dead connection."""

from __future__ import annotations

import contextlib
import time

import psycopg
import pytest
from django.db import OperationalError, connection, transaction

from accounts import keys
from accounts.models import ApiKey
from common.statement import Columns, Statement
from generation.models import CatalogModel
from generation.offer import catalog
from tests.support.people import Person

BACKEND = Statement("SELECT pg_backend_pid(), %(word)s::varchar")


def prepared() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT statement FROM pg_prepared_statements")
        return [row[0] for row in cursor.fetchall()]


def backend() -> int:
    row = BACKEND.first_one({"word": "a"})
    assert row is not None
    return int(row[0])


def test_a_statement_is_prepared_once_and_nothing_else_is(alice: Person) -> None:
    connection.close()
    for word in ("a", "b", None):
        assert BACKEND.one({"word": word}) == (backend(), word)
        ApiKey.objects.count()
    assert [text for text in prepared() if "pg_backend_pid" in text] == [
        "SELECT pg_backend_pid(), $1::varchar"
    ]
    assert len(prepared()) == 1


def test_no_row_is_none() -> None:
    assert Statement("SELECT 1 WHERE %(no)s::bool").one({"no": False}) is None


def test_a_connection_that_died_is_replaced(admin_connection: psycopg.Connection) -> None:
    before = backend()
    admin_connection.execute("SELECT pg_terminate_backend(%s, 2000)", [before])
    assert backend() != before


def test_what_follows_the_first_statement_is_not_repeated(
    admin_connection: psycopg.Connection,
) -> None:
    admin_connection.execute("SELECT pg_terminate_backend(%s, 2000)", [backend()])
    with pytest.raises(OperationalError):
        BACKEND.one({"word": "a"})


def test_a_statement_that_fails_on_a_good_connection_is_not_repeated() -> None:
    before = backend()
    # counts how often it was begun, whatever became of it
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY SEQUENCE begun")
    slow = Statement("SELECT nextval('begun'), pg_sleep(%(seconds)s::float8)")
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = '50ms'")
    with pytest.raises(OperationalError):
        slow.first_one({"seconds": 1.0})
    assert backend() == before
    with connection.cursor() as cursor:
        cursor.execute("SELECT last_value FROM begun")
        assert cursor.fetchone() == (1,)


def test_something_else_is_done_while_the_database_works(
    admin_connection: psycopg.Connection, caplog: pytest.LogCaptureFixture
) -> None:
    done: list[str] = []
    slow = Statement("SELECT pg_backend_pid(), clock_timestamp(), pg_sleep(%(seconds)s::float8)")
    row = slow.first_one({"seconds": 0.3}, lambda: done.append(str(time.time())))
    assert row is not None
    assert float(done[0]) < row[1].timestamp() + 0.3
    assert slow.one({"seconds": 0.0}), "the connection is as before"
    admin_connection.execute("SELECT pg_terminate_backend(%s, 2000)", [row[0]])
    again = slow.first_one({"seconds": 0.0}, lambda: done.append("again"))
    assert again is not None
    assert again[0] != row[0]
    assert len(done) <= 2, "it is not repeated with the statement"
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = '50ms'")
    with pytest.raises(OperationalError, match="timeout"):
        slow.first_one({"seconds": 1.0}, lambda: None)
    assert slow.one({"seconds": 0.0}), "the connection is as before"
    assert not [record for record in caplog.records if record.name == "psycopg"]


def test_nothing_is_repeated_within_a_transaction(admin_connection: psycopg.Connection) -> None:
    with contextlib.suppress(OperationalError), transaction.atomic():
        admin_connection.execute("SELECT pg_terminate_backend(%s, 2000)", [backend()])
        with pytest.raises(OperationalError):
            backend()


def test_columns_are_read_as_django_reads_them(alice: Person) -> None:
    columns = Columns(CatalogModel, "row", without=("message",))
    row = Statement(
        f"SELECT {columns.sql} FROM generation_catalogmodel row WHERE name = %(name)s::varchar"
    ).one({"name": "veo3"})
    assert row is not None
    assert len(columns) == len(row) == len(CatalogModel._meta.concrete_fields) - 1
    read, django = columns.read(row), CatalogModel.objects.get(name="veo3")
    for field in CatalogModel._meta.concrete_fields:
        assert getattr(read, field.attname) == getattr(django, field.attname)
    assert read.get_deferred_fields() == set()  # the last one was loaded when it was asked for


def test_a_key_is_found_with_all_that_it_is_read_with(alice: Person) -> None:
    found, row = keys.find(alice.key), ApiKey.objects.get()
    assert found is not None
    for field in ApiKey._meta.concrete_fields:
        assert getattr(found, field.attname) == getattr(row, field.attname)
    assert (found.account, found.created_by) == (alice.account, alice.user)
    assert found.created_by.email == alice.user.email


def test_the_catalog_is_read_once_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    assert [model.price for model in catalog.on_sale("video")] == [240, 500]
    CatalogModel.objects.filter(name="veo3").update(price=600)
    assert catalog.on_sale("video")[1].price == 500, "it is read once a second"
    monkeypatch.setattr(catalog.sold, "seconds", 0.0)
    assert catalog.on_sale("video")[1].price == 600


def test_parts_are_put_in_by_name_and_other_braces_stay() -> None:
    assert Statement("SELECT {what}, '{}'", what="1").sql == "SELECT 1, '{}'"
    with pytest.raises(ValueError, match=r"has no \{what\}"):
        Statement("SELECT 1", what="1")
