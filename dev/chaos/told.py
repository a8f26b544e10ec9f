"""What must be true of what customers were told: events, deliveries, and what receivers got.

Pure functions of what was read when all is over; each is given a violation in its test.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import psycopg
from psycopg.rows import dict_row

from dev.chaos.book import Book, without_links
from dev.chaos.hooks import HEALS, WORDS, Hooks, box_of, words_met
from dev.chaos.invariants import Finding, Row, finding

SUCCEEDS = ("fine", "slow", "endless")  # what a receiver may have played to a delivery it took
# Endpoints are read when the statement of an end begins, which may then wait for its turn.
IN_BETWEEN = 30.0  # seconds; within them of being switched off, both is right
# Times of commits are in the log of PostgreSQL (track_commit_timestamp), in the order of the rows.
EVENTS = """
SELECT 'evt_' || replace(id::text, '-', '') AS id, account_id::text AS account, type,
       sequence IS NULL AS is_test, generation_id::text AS generation,
       extract(epoch FROM created_at)::float8 AS created,
       extract(epoch FROM now() - created_at)::float8 AS age,
       extract(epoch FROM pg_xact_commit_timestamp(xmin))::float8 AS committed
  FROM events_event
"""
DELIVERIES = """
SELECT 'evt_' || replace(event_id::text, '-', '') AS event, endpoint_id::text AS endpoint, url,
       state, failed_reason, next_attempt_at < now() - interval '10 s' AS is_overdue
  FROM events_webhookdelivery
"""
ENDPOINTS = """
SELECT id::text, account_id::text AS account, url, event_types, description, enabled,
       disabled_reason, extract(epoch FROM created_at)::float8 AS created,
       extract(epoch FROM disabled_at)::float8 AS disabled
  FROM events_webhookendpoint
"""
ONE_EACH = "each event has one delivery to each endpoint that was on"
ITS_OWN_URL = "the webhook_url of an order got its event, and no other one"
TAKEN = "each delivery that succeeded was received, and taken"
KNOWN = "nothing was received that is not in the table"
COMMITTED = "nothing was received before its end was committed"
SIGNED = "the standard's library and OpenAI's client verify each delivery"
RIGHT = "each delivery tells the right end, the same at every repeat"
ON_TIME = "when all is calm no delivery is overdue"
DELIVERED = "what a receiver would take was delivered"
SWITCHED_OFF = "who answers 410 is switched off, and nobody else"
SAME = "poll, wait, stream, list and webhook tell the same end"
WAYS = {"poll", "wait", "stream", "list", "webhook"}
PLAYED = "each fault of receivers was met"


@dataclass(slots=True)
class Told:
    """Everything that was to be told, and what arrived."""

    events: list[Row] = field(default_factory=list)
    deliveries: list[Row] = field(default_factory=list)
    endpoints: list[Row] = field(default_factory=list)
    received: list[dict[str, Any]] = field(default_factory=list)

    def url(self, delivery: Row) -> str:
        """Where a delivery goes: the endpoint's URL, or its own."""
        return str(delivery["url"] or self.by_id[delivery["endpoint"]]["url"])

    @property
    def by_id(self) -> dict[str, Row]:
        return {row["id"]: row for row in self.endpoints}

    def description(self, delivery: Row) -> str:
        """Whether its receiver takes it in the end."""
        if delivery["endpoint"] is None:
            return HEALS
        return str(self.by_id[delivery["endpoint"]]["description"])


def read(owner_url: str, received: list[dict[str, Any]]) -> Told:
    with psycopg.connect(owner_url, row_factory=dict_row) as connection:
        events, deliveries, endpoints = (
            connection.execute(query.encode()).fetchall()
            for query in (EVENTS, DELIVERIES, ENDPOINTS)
        )
    return Told(events, deliveries, endpoints, received)


def meanwhile(owner_url: str, hooks: Hooks) -> list[Finding]:
    """The rules that hold at every moment, asked while all is under way.

    What was received before the tables are read is in them; what they say of success was received
    before they are left; what has just ended may be on its way into them.
    """
    before = hooks.received()
    told = read(owner_url, before)
    succeeded = [row for row in told.deliveries if row["state"] == "succeeded"]
    old = [each for each in told.events if each["age"] > IN_BETWEEN / 2]
    known = [
        finding(KNOWN, len(before), _unknown(told)),
        finding(COMMITTED, len(before), _too_early(told)),
        finding(ONE_EACH, len(old), _not_one_each(replace(told, events=old))),
    ]
    told.received = hooks.received()
    return [*known, finding(TAKEN, len(succeeded), _not_taken(told, succeeded))]


def kept(told: Told, states: dict[str, str], asked: dict[str, str | None]) -> list[Finding]:
    """``states`` has the end of each generation, ``asked`` the webhook_url of each order's."""
    succeeded = [row for row in told.deliveries if row["state"] == "succeeded"]
    heal = [row for row in told.deliveries if told.description(row) == HEALS]
    read_whole = [each for each in told.received if each["body"] is not None]
    return [
        finding(ONE_EACH, len(told.events) * len(told.endpoints), _not_one_each(told)),
        finding(ITS_OWN_URL, len(asked), _not_its_own(told, asked)),
        finding(TAKEN, len(succeeded), _not_taken(told, succeeded)),
        finding(KNOWN, len(told.received), _unknown(told)),
        finding(COMMITTED, len(told.received), _too_early(told)),
        finding(
            SIGNED,
            len(read_whole),
            (_name(each) for each in read_whole if not each["verified"] or not each["unwrapped"]),
        ),
        finding(RIGHT, len(read_whole), _not_right(told, read_whole, states)),
        finding(
            ON_TIME,
            len(told.deliveries),
            (row["event"] for row in told.deliveries if row["is_overdue"]),
        ),
        finding(
            DELIVERED, len(heal), (row["event"] for row in heal if row["state"] != "succeeded")
        ),
        finding(SWITCHED_OFF, len(told.endpoints), _wrongly_switched(told)),
        finding(PLAYED, len(WORDS), sorted(WORDS - set(words_met(told.received)))),
    ]


def add_ends(book: Book, received: list[dict[str, Any]]) -> None:
    """Let the customers compare what their receivers were told with what they saw."""
    for each in received:
        data = json.loads(each["body"] or "{}").get("data", {})
        if "generation_id" in data:
            book.end("webhook", data)


def agreed(book: Book) -> list[Finding]:
    """Whatever a customer uses, the end is the same but for links."""
    return [
        finding(SAME, len(book.ends), book.differ),
        finding("each way told of ends", len(WAYS), sorted(WAYS - set(book.ways))),
    ]


def _not_one_each(told: Told) -> Iterator[str]:
    """A test goes to the one endpoint that it was asked for."""
    counts = Counter((row["event"], row["endpoint"]) for row in told.deliveries)
    of_event = Counter(row["event"] for row in told.deliveries)
    for event in told.events:
        if event["is_test"]:
            if of_event[event["id"]] != 1:
                yield f"the test {event['id']} {of_event[event['id']]} times"
            continue
        for endpoint in told.endpoints:
            found = counts[event["id"], endpoint["id"]]
            if found not in _right(event, endpoint):
                yield f"{event['id']} for {endpoint['url']} {found} times"


def _right(event: Row, endpoint: Row) -> tuple[int, ...]:
    """How many deliveries of an event to an endpoint there may be."""
    is_wanted = event["type"] in endpoint["event_types"]
    if endpoint["account"] != event["account"] or not is_wanted:
        return (0,)
    if endpoint["disabled"] is None:
        return (1,)
    if abs(event["created"] - endpoint["disabled"]) < IN_BETWEEN:
        return (0, 1)
    return (int(event["created"] < endpoint["disabled"]),)


def _not_its_own(told: Told, asked: dict[str, str | None]) -> Iterator[str]:
    generations = {event["id"]: event["generation"] for event in told.events}
    urls = defaultdict(list)
    for row in told.deliveries:
        if row["endpoint"] is None:
            urls[generations[row["event"]]].append(row["url"])
    for generation, url in asked.items():
        if urls[generation] != ([] if url is None else [url]):
            yield f"{generation} asked for {url}, told was {urls[generation]}"


def _not_taken(told: Told, succeeded: list[Row]) -> Iterator[str]:
    taken = {
        (each["box"], each["id"])
        for each in told.received
        if each["played"] in SUCCEEDS and each["verified"]
    }
    for row in succeeded:
        if (box_of(told.url(row)), row["event"]) not in taken:
            yield f"{row['event']} at {told.url(row)}"


def _unknown(told: Told) -> Iterator[str]:
    known = {(box_of(told.url(row)), row["event"]) for row in told.deliveries}
    return (_name(each) for each in told.received if (each["box"], each["id"]) not in known)


def _too_early(told: Told) -> Iterator[str]:
    committed = {event["id"]: event["committed"] for event in told.events}
    for each in told.received:
        moment = committed.get(each["id"])
        if moment is not None and each["at"] < moment:
            yield f"{_name(each)} {moment - each['at']:.3f} s before"


def _not_right(told: Told, received: Iterable[Row], states: dict[str, str]) -> Iterator[str]:
    events = {event["id"]: event for event in told.events}
    first: dict[str, Any] = {}
    for each in received:
        body = json.loads(each["body"])
        event = events.get(body.get("id"))
        if event is None or body["id"] != each["id"] or body["type"] != event["type"]:
            yield f"{_name(each)} said {each['body'][:200]}"
            continue
        said = without_links(body["data"])
        if not event["is_test"] and (
            said["generation_id"] != event["generation"]
            or said["status"] != states.get(event["generation"])
        ):
            yield f"{_name(each)} told {said['status']} of {said['generation_id']}"
        same = {**body, "data": said}
        if first.setdefault(each["id"], same) != same:
            yield f"{_name(each)} said {same}, before that {first[each['id']]}"


def _wrongly_switched(told: Told) -> Iterator[str]:
    for endpoint in told.endpoints:
        reason = "gone" if endpoint["url"].endswith("/410") else ""
        if endpoint["disabled_reason"] != reason or endpoint["enabled"] is bool(reason):
            yield f"{endpoint['url']} is {'on' if endpoint['enabled'] else 'off'}"


def _name(each: dict[str, Any]) -> str:
    return f"{each['id'] or 'something without an id'} at {each['box']}"
