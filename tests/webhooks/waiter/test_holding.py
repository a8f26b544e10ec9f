"""What ends a wait or a stream besides the end: keys, the database, time, slow readers."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator

import psycopg
import pytest
from django.db import connection, connections

from accounts import keys, secrets
from accounts.models import ApiKey
from dev.embedded.postgres import APP
from generation import lifecycle
from generation.models import Generation
from tests.support.bring_to import created
from tests.support.people import Person, make_key
from tests.webhooks.waiter.driver import House, lived
from tests.webhooks.waiter.reading import parsed
from webhooks.waiter import holding, hub, sending

WAIT, STREAM = "/api/v1/generate/{}/?wait={}", "/api/v1/generate/{}/events/"
Postgres = psycopg.Connection


def cancel(generation: Generation) -> None:
    lifecycle.cancel(generation.pk)
    connections.close_all()


def revoke(secret: str) -> None:
    keys.revoke(ApiKey.objects.filter(digest=secrets.digest(secret)))
    connections.close_all()


@pytest.fixture
def away(admin_connection: Postgres) -> Iterator[None]:
    """Afterwards the database is there again."""
    yield
    bring_back(admin_connection)


def take_away(postgres: Postgres) -> None:
    """This database alone: others of the server are those of tests that run beside this one."""
    postgres.execute(f'ALTER DATABASE "{postgres.info.dbname}" CONNECTION LIMIT 0')
    postgres.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE usename = %s AND datname = current_database()",
        (APP,),
    )


def bring_back(postgres: Postgres) -> None:
    postgres.execute(f'ALTER DATABASE "{postgres.info.dbname}" CONNECTION LIMIT -1')


def error_of(frames: list[dict[str, str]]) -> str:
    assert frames[-1]["event"] == "error"
    return str(json.loads(frames[-1]["data"])["code"])


def test_a_key_that_is_revoked_loses_what_it_holds(
    alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub, "SECRETS", 1.0)
    generation, other = created(alice), make_key(alice.user, alice.account)

    async def scene(house: House) -> None:
        stream = house.call(STREAM.format(generation.pk), alice.key)
        wait = house.call(WAIT.format(generation.pk, 20), alice.key)
        kept = house.call(STREAM.format(generation.pk), other)
        await stream.until("event: status")
        await kept.until("event: status")
        await house.holds(3)
        await asyncio.to_thread(revoke, alice.key)
        await stream.over()
        await wait.over()
        assert error_of(parsed(stream.text)) == "invalid_credentials"
        assert (wait.status, json.loads(wait.text)["code"]) == (401, "invalid_credentials")
        assert wait.headers["www-authenticate"] == "Bearer"
        assert json.loads(wait.text)["request_id"] == wait.headers["x-request-id"]
        await asyncio.to_thread(cancel, generation)
        await kept.over()
        assert "event: done" in kept.text

    lived(scene)


def test_a_suspended_account_loses_what_it_holds(
    alice: Person, bob: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub, "SECRETS", 1.0)
    mine, theirs = created(alice), created(bob)

    def suspend() -> None:
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE accounts_account SET suspended_at = now() WHERE id = %s", [alice.account.pk]
            )
        connections.close_all()

    async def scene(house: House) -> None:
        stream = house.call(STREAM.format(mine.pk), alice.key)
        other = house.call(STREAM.format(theirs.pk), bob.key)
        await stream.until("event: status")
        await other.until("event: status")
        await asyncio.to_thread(suspend)
        await stream.over()
        assert error_of(parsed(stream.text)) == "account_suspended"
        assert not other.task.done()
        other.left.set()
        await other.over()

    lived(scene)


def test_without_the_database_it_holds_on_and_then_says_so(
    alice: Person, away: None, admin_connection: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub, "BLIND", 4.0)
    monkeypatch.setattr(holding, "BLIND", 4.0)
    monkeypatch.setattr(holding, "BLIND_AT_THE_END", 2.0)
    generation = created(alice)
    connections.close_all()

    async def scene(house: House) -> None:
        stream = house.call(STREAM.format(generation.pk), alice.key)
        short = house.call(WAIT.format(generation.pk, 4), alice.key)
        long = house.call(WAIT.format(generation.pk, 20), alice.key)
        await stream.until("event: status")
        await house.holds(3)
        await asyncio.sleep(1.5)
        take_away(admin_connection)
        await short.over()
        assert (short.status, json.loads(short.text)["code"]) == (503, "service_unavailable")
        assert short.headers["retry-after"] == "2"
        await stream.over()
        assert error_of(parsed(stream.text)) == "service_unavailable"
        assert not long.task.done()  # there is still time
        bring_back(admin_connection)
        await asyncio.to_thread(cancel, generation)
        await long.over()
        assert (long.status, json.loads(long.text)["status"]) == (200, "canceled")
        assert house.hub.is_alive

    lived(scene)


def test_a_full_process_answers_waits_at_once_and_refuses_streams(
    alice: Person, bob: Person
) -> None:
    mine, theirs = created(alice), created(bob)

    async def scene(house: House) -> None:
        held = [house.call(STREAM.format(mine.pk), alice.key) for _ in range(3)]
        for each in held:
            await each.until("event: status")
        stream = house.call(STREAM.format(theirs.pk), bob.key)
        wait = house.call(WAIT.format(theirs.pk, 20), bob.key)
        await stream.over()
        await wait.over()
        assert (stream.status, json.loads(stream.text)["code"]) == (429, "too_many_streams")
        assert stream.headers["retry-after"] == "5"
        assert (wait.status, "preference-applied" in wait.headers) == (200, False)
        held[0].left.set()
        await held[0].over()
        again = house.call(STREAM.format(theirs.pk), bob.key)
        await again.until("event: status")
        for each in (*held[1:], again):
            each.left.set()
            await each.over()

    lived(scene, most=3)


def test_a_silent_stream_is_kept_alive_and_ends_in_time(
    alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(holding, "KEEP_ALIVE", 0.5)
    monkeypatch.setattr(holding, "LONGEST", 2.2)
    generation = created(alice)

    async def scene(house: House) -> None:
        stream = house.call(STREAM.format(generation.pk), alice.key)
        await stream.over()
        assert 2 <= stream.text.count(": keep-alive\n\n") <= 5
        assert "event: done" not in stream.text

    lived(scene)


def test_who_does_not_read_is_cut_off(alice: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "SECONDS", 0.5)
    generation = created(alice)

    async def scene(house: House) -> None:
        slow = house.call(STREAM.format(generation.pk), alice.key)
        good = house.call(STREAM.format(generation.pk), alice.key)
        await slow.until("event: status")
        await good.until("event: status")
        slow.takes.clear()
        await asyncio.to_thread(cancel, generation)
        await good.over()
        assert "event: done" in good.text
        await slow.over()
        assert "event: done" not in slow.text

    lived(scene)


def test_a_process_that_ends_lets_go_and_holds_nothing_new(alice: Person) -> None:
    generation = created(alice)

    async def scene(house: House) -> None:
        stream = house.call(STREAM.format(generation.pk), alice.key)
        wait = house.call(WAIT.format(generation.pk, 20), alice.key)
        await house.holds(2)
        house.worker.alive = False
        for late in (STREAM.format(generation.pk), WAIT.format(generation.pk, 20)):
            call = house.call(late, alice.key)
            await call.over()
            assert call.status == 200
        await stream.over()
        await wait.over()
        assert json.loads(wait.text)["status"] == "processing"
        assert wait.headers["preference-applied"] == "wait=20"

    lived(scene)


def test_progress_of_a_row_that_does_not_change_is_told(alice: Person) -> None:
    generation = created(alice)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE generation_generation SET expected_seconds = 6 WHERE id = %s", [generation.pk]
        )
    connections.close_all()

    async def scene(house: House) -> None:
        stream = house.call(STREAM.format(generation.pk), alice.key)
        await asyncio.sleep(6.5)
        stream.left.set()
        await stream.over()
        told = [
            json.loads(each["data"])["progress"]
            for each in parsed(stream.text)
            if each.get("event") == "status"
        ]
        assert told == sorted(set(told))
        assert len(told) >= 2

    lived(scene)
