"""Each rule about what customers were told is broken once by hand; then exactly it is named."""

from __future__ import annotations

import copy
import json
import os
from typing import Any

import psycopg
import pytest

from dev.chaos import hooks, told
from dev.chaos.book import Book
from dev.chaos.hooks import KINDS, WORDS, box_of
from dev.chaos.told import Told
from dev.receiver.scenarios import parse
from events.models import WebhookDelivery
from tests.support.people import Person

HERE = "http://127.0.0.1:9200/hooks"
TYPES = [*hooks.ALL]


def endpoint(name: str, scenario: str, **changed: Any) -> dict[str, Any]:
    known: dict[str, Any] = {"id": name, "account": "alice", "url": f"{HERE}/{name}/{scenario}"}
    known |= {"event_types": TYPES, "description": "heals", "enabled": True}
    return known | {"disabled_reason": "", "created": 0.0, "disabled": None} | changed


def event(name: str, **changed: Any) -> dict[str, Any]:
    known = {"id": name, "account": "alice", "type": "generation.completed", "is_test": False}
    return known | {"generation": f"g-{name}", "created": 100.0, "committed": 100.1} | changed


def delivery(event_id: str, endpoint_id: str | None, **changed: Any) -> dict[str, Any]:
    known = {"event": event_id, "endpoint": endpoint_id, "url": None, "state": "succeeded"}
    return known | {"failed_reason": "", "is_overdue": False} | changed


def received(event_id: str, box: str, **changed: Any) -> dict[str, Any]:
    data = {"generation_id": f"g-{event_id}", "status": "completed", "video_url": "https://a/1"}
    body = {"id": event_id, "type": "generation.completed", "created_at": 100, "data": data}
    known = {"id": event_id, "box": box, "at": 101.0, "verified": True, "played": "fine"}
    return known | {"unwrapped": True, "body": json.dumps(body)} | changed


def all_is_well() -> Told:
    """Two receivers, one of which is gone; a test; an order with a URL of its own; all faults."""
    gone = endpoint("b", "410", description="never", enabled=False, disabled_reason="gone")
    gone["disabled"] = 50.0
    everything = Told(
        [event("1"), event("2", type="webhook_endpoint.test", is_test=True, generation=None)],
        [delivery("1", "a"), delivery("2", "b", state="failed", failed_reason="gone")],
        [endpoint("a", "500=1"), gone],
    )
    everything.deliveries.append(delivery("1", None, url=f"{HERE}/orders/500=1"))
    test = {"id": "2", "type": "webhook_endpoint.test", "data": {"message": "a test"}}
    everything.received = [
        received("1", "a", played="500"),
        received("1", "a"),
        received("1", "orders"),
        received("2", "b", body=json.dumps(test), played="410"),
    ]
    for word in sorted(WORDS - {"410", "500"}):
        more = {"body": None, "verified": None} if word == "close-unread" else {}
        everything.received.append(received("1", "a", played=word, **more))
    return everything


STATES = {"g-1": "completed"}
ASKED = {"g-1": f"{HERE}/orders/500=1", "g-9": None}


def broken(everything: Told) -> set[str]:
    return {each.sentence for each in told.kept(everything, STATES, ASKED) if each.problem}


def test_nothing_is_said_of_what_is_well() -> None:
    assert broken(all_is_well()) == set()


def said(**changed: Any) -> str:
    body = json.loads(received("1", "a")["body"])
    return json.dumps(body | changed)


DATA = json.loads(received("1", "a")["body"])["data"]
VIOLATIONS: list[tuple[str, str, int, dict[str, Any], set[str]]] = [
    # the list, what is done to the row of that number, and what breaks
    ("deliveries", "remove", 0, {}, {told.ONE_EACH, told.KNOWN}),
    ("deliveries", "add", 0, {}, {told.ONE_EACH}),
    ("deliveries", "add", 0, delivery("1", "b"), {told.ONE_EACH, told.TAKEN}),
    ("deliveries", "remove", 1, {}, {told.ONE_EACH, told.KNOWN}),
    ("deliveries", "remove", 2, {}, {told.ITS_OWN_URL, told.KNOWN}),
    ("deliveries", "add", 2, {}, {told.ITS_OWN_URL}),
    ("deliveries", "change", 2, {"url": f"{HERE}/orders/fine"}, {told.ITS_OWN_URL}),
    ("deliveries", "change", 0, {"state": "pending"}, {told.DELIVERED}),
    ("deliveries", "change", 1, {"state": "succeeded"}, {told.TAKEN}),
    ("deliveries", "change", 0, {"is_overdue": True}, {told.ON_TIME}),
    ("received", "remove", 2, {}, {told.TAKEN}),
    ("received", "change", 2, {"verified": None}, {told.TAKEN, told.SIGNED}),
    ("received", "add", 0, {"verified": False}, {told.SIGNED}),
    ("received", "add", 0, {"unwrapped": False}, {told.SIGNED}),
    ("received", "add", 0, {"id": "3"}, {told.KNOWN, told.RIGHT}),
    ("received", "add", 0, {"box": "elsewhere"}, {told.KNOWN}),
    ("received", "change", 0, {"at": 100.05}, {told.COMMITTED}),
    ("received", "change", 1, {"body": said(id="9")}, {told.RIGHT}),
    ("received", "change", 1, {"body": said(type="generation.failed")}, {told.RIGHT}),
    ("received", "change", 1, {"body": said(created_at=101)}, {told.RIGHT}),
    ("received", "change", 1, {"body": said(data=DATA | {"status": "failed"})}, {told.RIGHT}),
    ("received", "change", 1, {"body": said(data=DATA | {"generation_id": "x"})}, {told.RIGHT}),
    ("received", "change", 1, {"body": said(data=DATA | {"video_url": "https://a/2"})}, set()),
    ("received", "remove", 3, {}, {told.PLAYED}),
    ("endpoints", "change", 1, {"enabled": True}, {told.SWITCHED_OFF}),
    ("endpoints", "change", 0, {"disabled_reason": "gone"}, {told.SWITCHED_OFF}),
    ("endpoints", "change", 1, {"disabled": 150.0}, {told.ONE_EACH}),
    ("endpoints", "change", 1, {"disabled": 110.0}, set()),
    ("events", "change", 0, {"account": "bob"}, {told.ONE_EACH}),
    ("events", "change", 0, {"type": "generation.failed"}, {told.RIGHT}),
]


@pytest.mark.parametrize(("table", "how", "number", "changed", "sentences"), VIOLATIONS)
def test_a_violation_is_noticed(
    table: str, how: str, number: int, changed: dict[str, Any], sentences: set[str]
) -> None:
    everything = copy.deepcopy(all_is_well())
    rows: list[dict[str, Any]] = getattr(everything, table)
    if how == "remove":
        del rows[number]
    elif how == "add":
        rows.append(rows[number] | changed)
    else:
        rows[number] |= changed
    assert broken(everything) == sentences


def test_ways_that_differ_are_written_down() -> None:
    book = Book()
    end = {"id": "g", "status": "completed", "credits_used": 240, "video_url": "https://a/1"}
    for way in ("poll", "wait", "stream", "list"):
        book.end(way, end | {"video_url": f"https://a/{way}"})
    book.end("poll", end | {"status": "processing"})
    body = {"data": end | {"generation_id": "g", "credits_used": 0}}
    told.add_ends(book, [{"body": json.dumps(body)}, {"body": None}])
    assert book.differ == [
        "g: by webhook credits_used was 0, before that 240",
        "g: by webhook generation_id was 'g', before that None",
    ]
    assert [each.wrong for each in told.agreed(book)] == [book.differ, []]
    assert [each.wrong for each in told.agreed(Book())] == [[], sorted(told.WAYS)]


def test_the_tables_are_read(alice: Person) -> None:
    """The queries name columns that exist; the time of a commit takes a setting of chaos' own."""
    url = os.environ["TEST_ADMIN_URL"]
    with psycopg.connect(url) as connection:
        for query in (told.DELIVERIES, told.ENDPOINTS, hooks.TIME_PASSES):
            connection.execute(query.encode())
        with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState):
            connection.execute(b"SELECT pg_xact_commit_timestamp(pg_current_xact_id()::xid)")
        connection.rollback()
    assert WebhookDelivery.objects.count() == 0


def test_every_box_is_known_by_its_url() -> None:
    assert box_of(f"{HERE}/0-1/500=2") == "0-1"
    for kind in (each for pair in KINDS for each in pair):
        assert box_of(f"{HERE}/x/{kind.scenario}") == "x"
        assert parse(kind.scenario).acts
