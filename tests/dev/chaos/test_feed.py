"""Chaos' customers follow the log of ends, and notice what must not be in it."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest

from dev.chaos import feed
from dev.chaos.book import Book
from dev.chaos.feed import Feed, untold
from generation.models import Generation
from generation.models.states import State
from tests.support.bring_to import reached
from tests.support.people import Person

Api = Callable[..., httpx.Client]


def rows() -> list[dict[str, str]]:
    return [{"id": str(each.pk), "state": each.state} for each in Generation.objects.all()]


def test_all_that_ended_is_read_once(
    api: Api, alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed, "LIMIT", 2)
    http, book = api(), Book()
    follower = Feed(book)
    for state in (State.COMPLETED, State.CANCELED, State.FAILED):
        reached(alice, state, model="image")
        follower.follow(alice.key, lambda path, headers: http.get(path, headers=headers))
    assert (len(book.told), book.tally["events"]) == (3, 3)
    reached(alice, State.CANCELED, model="image")
    assert list(untold(http, book, rows(), [alice.key])) == []
    assert (len(book.told), book.wrong) == (4, [])


def test_a_lost_connection_is_no_page(alice: Person) -> None:
    book = Book()
    Feed(book).follow(alice.key, lambda path, headers: None)
    Feed(book).follow(alice.key, lambda path, headers: httpx.Response(503))
    assert (book.told, book.cursors, book.wrong) == ({}, {}, [])
    Feed(book).follow(alice.key, lambda path, headers: httpx.Response(410, text="gone"))
    assert book.wrong == ["events: 410 gone"]


def test_what_is_wrong_is_written_down(api: Api, alice: Person) -> None:
    generation = reached(alice, State.CANCELED, model="image")
    book = Book()
    event = {"id": "evt_1", "type": "generation.failed"}
    for _ in range(2):
        book.event(event | {"data": {"id": str(generation.pk), "status": "canceled"}})
    assert len(book.wrong) == 3
    open_row = reached(alice, State.RUNNING, model="image")
    told = {text.split()[0] for text in untold(api(), Book(), rows(), [])}
    assert told == {str(generation.pk), str(open_row.pk)}
