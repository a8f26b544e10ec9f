"""What clients see when it is our fault: the database away, a crash in a view."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import psycopg
import pytest
from django.db import connection

from credits.api.views import BalanceView
from tests.contract.answers import error
from tests.support.people import Person

Api = Callable[..., httpx.Client]
VIDEO = "/api/v1/generate/video/"


@pytest.fixture
def client(api: Api, alice: Person) -> httpx.Client:
    """Alice's."""
    return api(alice.key)


@contextmanager
def database_away() -> Iterator[None]:
    """Nobody gets in any more, and who was in is thrown out."""
    name = connection.settings_dict["NAME"]
    statement = f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS '
    with psycopg.connect(os.environ["TEST_SUPERUSER_URL"], autocommit=True) as outside:
        outside.execute(statement + "false")
        try:
            outside.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = %s AND usename <> current_user",
                [name],
            )
            yield
        finally:
            outside.execute(statement + "true")
            connection.close()


def test_the_database_is_away(client: httpx.Client, api: Api) -> None:
    generation = "/api/v1/generate/00000000-0000-0000-0000-000000000000/"
    body = {"prompt": "p", "username": "alice", "password": "x"}
    with database_away():
        for method, path in (
            *(("POST", VIDEO), ("GET", generation), ("GET", "/api/v1/credits/")),
            *(("POST", f"{generation}cancel/"), ("GET", "/api/v1/models/")),
            ("POST", "/api/login/"),
        ):
            began = time.monotonic()
            answer = client.request(method, path, json=body)
            error(answer, 503, "service_unavailable")
            assert int(answer.headers["Retry-After"]) >= 1
            assert time.monotonic() - began < 4
        assert api().get("/livez").status_code == 200
        assert api().get("/readyz").status_code == 503
    assert client.post(VIDEO, json=body).status_code == 201


def test_a_fault_of_ours(client: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> None:
        raise RuntimeError("password=hunter2 in /srv/app.py")

    monkeypatch.setattr(BalanceView, "get", broken)
    body = error(client.get("/api/v1/credits/"), 500, "internal_error")
    assert body["error"] == "Something went wrong on our side"
    assert "hunter2" not in str(body)
