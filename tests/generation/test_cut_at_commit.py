"""The connection to PostgreSQL dies exactly at a COMMIT: committed or not, nobody is told.

Rows 20 and 21 of the fault table. Whoever asked must find out by asking again, never by assuming:
a customer by the Idempotency-Key, a worker by the state and the lease of the row.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import httpx
import pytest
from django.db import connection, connections

from credits.books import check_ledger
from generation.books import check_generations
from generation.models import Attempt, Generation, GenerationEvent
from generation.models.states import State
from tests.contract.answers import error
from tests.support.cutting_proxy import CuttingProxy, Moment
from tests.support.people import Person
from tests.support.works import Emulator, Works

Api = Callable[..., httpx.Client]
VIDEO = "/api/v1/generate/video/"
BODY = {"prompt": "a red fox"}
KEY = {"Idempotency-Key": "k"}
MOMENTS = pytest.mark.parametrize("moment", ["before", "after"])


@pytest.fixture
def proxy(monkeypatch: pytest.MonkeyPatch) -> Iterator[CuttingProxy]:
    """From now on every thread of this process reaches PostgreSQL through it."""
    settings = connections.settings["default"]
    with CuttingProxy(f"{settings['HOST']}/.s.PGSQL.5432") as running:
        with monkeypatch.context() as patch:
            patch.setitem(settings, "HOST", "127.0.0.1")
            patch.setitem(settings, "PORT", str(running.port))
            patch.setitem(settings, "OPTIONS", settings["OPTIONS"] | CuttingProxy.OPTIONS)
            connections.close_all()
            yield running
        connections.close_all()


def kinds(person: Person) -> list[str]:
    return [entry.kind for entry in person.entries]


def nothing_wrong() -> bool:
    return check_ledger().differences == check_generations().differences == []


@MOMENTS
def test_an_order_with_a_key_is_repeated_safely(
    moment: Moment, api: Api, alice: Person, proxy: CuttingProxy
) -> None:
    client = api(alice.key)
    proxy.arm(moment, "INSERT INTO generation_generation")
    lost = client.post(VIDEO, json=BODY, headers=KEY)
    error(lost, 503, "service_unavailable")
    assert int(lost.headers["Retry-After"]) >= 1
    assert proxy.cuts == 1
    assert Generation.objects.count() == (moment == "after")
    assert kinds(alice) == ["grant", "charge"][: 2 if moment == "after" else 1]
    again = client.post(VIDEO, json=BODY, headers=KEY)
    assert again.status_code == 201
    assert ("Idempotent-Replayed" in again.headers) == (moment == "after")
    assert again.json()["data"]["credits_remaining"] == alice.balance == 760
    assert str(Generation.objects.get().pk) == again.json()["data"]["generation_id"]
    assert kinds(alice) == ["grant", "charge"]
    assert nothing_wrong()


@MOMENTS
def test_a_cancel_is_repeated_safely(
    moment: Moment, api: Api, alice: Person, start: Callable[..., str], proxy: CuttingProxy
) -> None:
    cancel = f"/api/v1/generate/{start(alice)}/cancel/"
    proxy.arm(moment, "\"state\" = 'canceled'")
    error(api(alice.key).post(cancel), 503, "service_unavailable")
    assert proxy.cuts == 1
    assert Generation.objects.get().state == ("canceled" if moment == "after" else "queued")
    again = api(alice.key).post(cancel)
    assert (again.status_code, again.json()["status"]) == (200, "canceled")
    assert kinds(alice) == ["grant", "charge", "refund"]
    assert alice.balance == 1000
    assert nothing_wrong()


@pytest.mark.parametrize(
    ("cut_at", "prompt", "ends"),
    [
        ("submitting", "a red fox", State.COMPLETED),  # the intent
        ("running", "a red fox", State.COMPLETED),  # accepted
        ("storing", "a red fox", State.COMPLETED),  # found
        ("completed", "a red fox", State.COMPLETED),
        ("failed", "a red fox [emulator:filtered]", State.FAILED),
    ],
)
@MOMENTS
def test_a_workers_write_back_is_never_made_twice(
    cut_at: str,
    prompt: str,
    ends: State,
    moment: Moment,
    alice: Person,
    start: Callable[..., str],
    works: Works,
    emulator: Emulator,
    proxy: CuttingProxy,
) -> None:
    """The same process goes on; whether it had been committed, the row itself says."""
    generation_id = start(alice, prompt=prompt)
    proxy.arm(moment, f"\"state\" = '{cut_at}'")
    assert works.finish(generation_id).state == ends
    assert proxy.cuts == 1
    assert emulator.bought(generation_id) == 1
    assert [attempt.outcome for attempt in Attempt.objects.all()] == ["accepted"]
    states = [event.state for event in GenerationEvent.objects.all()]
    assert len(states) == len(set(states))
    assert states[-1] == ends
    refunded = ends == State.FAILED
    assert kinds(alice) == ["grant", "charge", "refund"][: 2 + refunded]
    assert alice.balance == (1000 if refunded else 760)
    assert nothing_wrong()


def test_the_next_request_of_the_same_process_works_after_a_restart(
    api: Api, alice: Person, proxy: CuttingProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A kept connection that died shows at the first statement, which goes to a new one."""
    settings = connections.settings["default"]
    monkeypatch.setitem(settings, "CONN_MAX_AGE", 600)
    # in the proxy's own options, which go with it: put in their place, they would be put back later
    monkeypatch.setitem(settings["OPTIONS"], "application_name", "kept")
    client = api(alice.key)  # its requests are all served by one thread

    def backend() -> list[tuple[int]]:
        """The server processes behind the web's connections, after one more request."""
        answer = client.get("/api/v1/credits/")
        assert (answer.status_code, answer.json()["credits_balance"]) == (200, 1000)
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pid FROM pg_stat_activity WHERE application_name = 'kept'"
                " AND pid <> pg_backend_pid() AND datname = current_database()"
            )
            return list(cursor.fetchall())

    before = backend()
    assert len(before) == 1
    assert backend() == before, "it is not kept, so this would show nothing"
    assert proxy.cut_all() >= 1
    connection.close()  # this thread's own
    assert set(backend()) - set(before)
