"""GET /api/v1/events/: what has ended, oldest first, from where the caller had come to."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import httpx
import psycopg
import pytest

from common import ids
from events.models import Event
from generation import lifecycle
from generation.models import Generation
from generation.models.states import OPEN, State
from generation.outputs import links
from tests.contract.answers import error
from tests.support.aged_ids import days_ago
from tests.support.bring_to import claimed, created, reached
from tests.support.event_reader import PATH
from tests.support.people import Person
from tests.webhooks.conftest import Ask

Api = Callable[..., httpx.Client]
AFTER = "Must be the id of an event, or latest"
NOTHING = {"success": True, "results": [], "cursor": None, "has_more": False, "next": None}
LINKS = {"video_url", "image_url", "expires_at"}


def shown(generation: Generation) -> str:
    return f"evt_{Event.objects.get(generation_id=generation.pk).pk.hex}"


def ends(person: Person, count: int) -> list[str]:
    """So many ends; the ids of their events."""
    return [shown(reached(person, State.CANCELED, model="image")) for _ in range(count)]


def ids_of(body: dict[str, Any]) -> list[str]:
    return [event["id"] for event in body["results"]]


@pytest.mark.parametrize("model", ["veo3_fast", "image"])
@pytest.mark.parametrize("state", [State.COMPLETED, State.FAILED, State.CANCELED])
def test_an_event_is_the_end_with_the_body_of_the_status(
    state: State, model: str, api: Api, asked: Ask, alice: Person
) -> None:
    generation = reached(alice, state, model=model)
    (event,) = asked(alice)["results"]
    row = Event.objects.get()
    assert list(event) == ["id", "object", "type", "timestamp", "created_at", "data"]
    assert (event["id"], event["object"]) == (f"evt_{row.pk.hex}", "event")
    assert event["type"] == f"generation.{state}"
    moment = row.created_at.replace(microsecond=0)
    assert event["timestamp"] == moment.isoformat().replace("+00:00", "Z")
    assert event["created_at"] == int(moment.timestamp())
    status = api(alice.key).get(f"/api/v1/generate/{generation.pk}/").json()
    assert event["data"] | dict.fromkeys(LINKS) == status | dict.fromkeys(LINKS)
    assert (event["data"]["video_url"] or event["data"]["image_url"] or "").startswith(
        "http" if state == State.COMPLETED else ""
    )


def test_only_links_and_what_retention_takes_change(
    asked: Ask, alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    reached(alice, State.COMPLETED)
    (first,) = asked(alice)["results"]
    monkeypatch.setattr(links.LinkPeriod, "of", lambda now: links.LinkPeriod(10**6))
    (second,) = asked(alice)["results"]
    changed = {name for name in first["data"] if first["data"][name] != second["data"][name]}
    assert changed == {"video_url", "expires_at"}
    assert first | {"data": None} == second | {"data": None}


def test_nothing_before_the_end(asked: Ask, alice: Person) -> None:
    for state in OPEN:
        reached(alice, state, model="image")
    assert asked(alice) == NOTHING
    assert asked(alice, after="latest") == NOTHING


def test_pages_follow_each_other_and_the_cursor_goes_on(
    api: Api, asked: Ask, alice: Person
) -> None:
    made = ends(alice, 5)
    first = asked(alice, limit=2)
    assert ids_of(first) == made[:2]
    assert (first["cursor"], first["has_more"]) == (made[1], True)
    assert first["next"].endswith(f"{PATH}?after={made[1]}&limit=2")
    second = api(alice.key).get(first["next"])
    assert ids_of(second.json()) == made[2:4]
    assert "Retry-After" not in second.headers
    third = api(alice.key).get(second.json()["next"])
    assert third.headers["Retry-After"] == "5"
    assert ids_of(third.json()) == made[4:]
    assert (third.json()["cursor"], third.json()["next"]) == (made[4], None)
    empty = asked(alice, after=made[4])
    assert empty == NOTHING | {"cursor": made[4]}
    later = ends(alice, 1)
    assert ids_of(asked(alice, after=empty["cursor"])) == later
    assert ids_of(asked(alice, limit=100)) == [*made, *later]
    assert ids_of(asked(alice)) == [*made, *later]


def test_a_full_last_page_has_no_next(asked: Ask, alice: Person) -> None:
    made = ends(alice, 2)
    assert asked(alice, limit=2) | {"results": []} == NOTHING | {"cursor": made[1]}


def test_latest_says_where_to_begin(api: Api, asked: Ask, alice: Person, bob: Person) -> None:
    made = ends(alice, 2)
    ends(bob, 1)
    answer = api(alice.key).get(PATH, params={"after": "latest"})
    assert answer.json() == NOTHING | {"cursor": made[-1]}
    assert answer.headers["Retry-After"] == "5"
    assert asked(alice, after=made[-1])["results"] == []
    assert asked(alice, after="latest", type="generation.completed")["cursor"] == made[-1]
    later = ends(alice, 1)
    assert ids_of(asked(alice, after=made[-1])) == later


def test_one_type(api: Api, asked: Ask, alice: Person) -> None:
    states = [State.CANCELED, State.FAILED, State.COMPLETED] * 3
    made = [shown(reached(alice, state, model="image")) for state in states]
    for at, state in enumerate(states[:3]):
        query = {"type": f"generation.{state}", "limit": 2}
        wanted = made[at::3]
        first = asked(alice, **query)
        assert ids_of(first) == wanted[:2]
        assert {event["type"] for event in first["results"]} == {query["type"]}
        assert f"type=generation.{state}" in first["next"]
        assert ids_of(api(alice.key).get(first["next"]).json()) == wanted[2:]
        assert (
            ids_of(asked(alice, after=made[3], **query))
            == [each for each in wanted if each in made[4:]][:2]
        )
    nothing = asked(alice, after=made[-1], type="generation.failed")
    assert nothing == NOTHING | {"cursor": made[-1]}


@pytest.mark.parametrize(
    "after",
    [
        *("", "Latest", "latest ", "evt_", "evt_" + "0" * 31, "evt_" + "0" * 33, "0" * 32),
        *("evt_" + "G" * 32, "evt_" + "0" * 32 + "\n", "é" * 3000, "we_" + "0" * 32),
    ],
)
def test_what_is_no_id_is_refused(after: str, api: Api, alice: Person) -> None:
    body = error(api(alice.key).get(PATH, params={"after": after}), 400, "invalid_request")
    assert body["details"] == {"after": AFTER}
    assert body["error"] == "After must be the id of an event, or latest"


def test_what_is_none_of_the_account_s_is_refused(api: Api, alice: Person, bob: Person) -> None:
    (theirs,) = ends(alice, 1)
    unknown = [f"evt_{ids.new().hex}", f"evt_{uuid.uuid4().hex}", f"evt_{uuid.UUID(int=0).hex}"]
    a_generation = f"evt_{Generation.objects.get().pk.hex}"
    told = []
    for after in [theirs, a_generation, *unknown]:
        body = error(api(bob.key).get(PATH, params={"after": after}), 400, "invalid_request")
        assert body["details"] == {"after": AFTER}
        told.append(body | {"request_id": ""})
    assert all(each == told[0] for each in told)


def test_what_is_too_old_has_expired_whether_it_is_there_or_not(
    api: Api, asked: Ask, alice: Person, settings: Any, admin_connection: psycopg.Connection
) -> None:
    old, young = days_ago(30.001), days_ago(29.99)
    made = ends(alice, 3)
    admin_connection.execute("SET session_replication_role = replica")
    for new, shown_id in ((old, made[0]), (young, made[1])):
        values = [new, uuid.UUID(shown_id[4:])]
        admin_connection.execute("UPDATE events_event SET id = %s WHERE id = %s", values)
    admin_connection.execute("SET session_replication_role = DEFAULT")
    body = error(
        api(alice.key).get(PATH, params={"after": f"evt_{old.hex}"}), 410, "events_expired"
    )
    assert "details" not in body
    assert ids_of(asked(alice, after=f"evt_{young.hex}")) == made[2:]
    settings.EVENT_RETENTION_DAYS = 0
    assert len(asked(alice, after=f"evt_{old.hex}")["results"]) == 2
    settings.EVENT_RETENTION_DAYS = 30
    admin_connection.execute("SET session_replication_role = replica")
    admin_connection.execute("DELETE FROM events_event WHERE id = %s", [old])
    admin_connection.execute("SET session_replication_role = DEFAULT")
    error(api(alice.key).get(PATH, params={"after": f"evt_{old.hex}"}), 410, "events_expired")


@pytest.mark.parametrize("limit", ["0", "101", "-1", "x", "", "1.5", "٣"])
def test_limits(limit: str, api: Api, alice: Person) -> None:
    body = error(api(alice.key).get(PATH, params={"limit": limit}), 400, "invalid_request")
    assert body["details"] == {"limit": "Must be a whole number from 1 to 100"}


@pytest.mark.parametrize("what", ["", "generation", "webhook_endpoint.test", "generation.failed "])
def test_unknown_types(what: str, api: Api, alice: Person) -> None:
    body = error(api(alice.key).get(PATH, params={"type": what}), 400, "invalid_request")
    sentence = "generation.completed, generation.failed, generation.canceled"
    assert body["details"] == {"type": f"Invalid type. Must be one of: {sentence}"}


def test_it_counts_as_a_read_and_is_kept_by_nobody(api: Api, alice: Person) -> None:
    answer = api(alice.key).get(PATH)
    assert answer.headers["RateLimit-Policy"].startswith('"reads"')
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert api(alice.key).head(PATH).status_code == 200
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        error(api(alice.key).request(method, PATH), 405, "method_not_allowed")


def test_others_see_nothing(asked: Ask, alice: Person, bob: Person) -> None:
    reached(alice, State.COMPLETED)
    assert asked(bob) == NOTHING
    assert asked(bob, after="latest") == NOTHING


def test_what_a_worker_ends_is_told(asked: Ask, alice: Person) -> None:
    generation = created(alice)
    assert lifecycle.fail(claimed(generation), "content_filtered", "Hate")
    (event,) = asked(alice)["results"]
    assert event["data"]["error"]["code"] == "content_filtered"
    assert event["data"]["credits_refunded"] == 240
