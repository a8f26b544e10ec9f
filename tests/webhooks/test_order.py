"""Many ends of one account at once: who reads along misses none, and sees none twice."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import httpx
import pytest
from django.db import connections

from credits import ledger
from events.models import Event, Feed
from generation import interventions, lifecycle
from generation.creation import create
from generation.interventions import NotAllowed
from generation.lifecycle import NotCancelable
from generation.models import Generation
from generation.models.states import State
from generation.order import CreateResult
from tests.support.bring_to import claimed, created, kept, order, reached
from tests.support.event_reader import Reader, wealthy
from tests.support.people import Person, make_person
from tests.support.racing import race

Api = Callable[..., httpx.Client]
LOST = (NotAllowed, NotCancelable)  # by whom somebody else was faster than


def ways(person: Person, staff: Person, count: int) -> list[Callable[[], Any]]:
    """``count`` generations, each about to end by somebody."""
    calls: list[Callable[[], Any]] = []
    for number in range(count):
        if number % 4 == 0:
            generation = reached(person, State.STORING, model="image")
            calls.append(partial(lifecycle.complete, generation, **kept(generation)))
            continue
        generation = created(person, model="image")
        if number % 4 == 1:
            calls.append(partial(lifecycle.fail, claimed(generation), "timeout", "Too late"))
        elif number % 4 == 2:
            calls.append(partial(lifecycle.cancel, generation.pk))
        else:
            by_hand = partial(interventions.fail_and_refund, actor=staff.user, reason="stuck")
            calls.append(partial(by_hand, generation))
    return calls


@pytest.mark.parametrize("together", [24])
def test_readers_miss_none_and_see_none_twice(together: int, api: Api) -> None:
    alice, staff = wealthy("alice"), make_person("olga", 0)
    calls = ways(alice, staff, 360)
    over = threading.Event()
    readers = [
        *(Reader(api(alice.key), 360, limit, None) for limit in (1, 7, 100)),
        Reader(api(alice.key), 90, 3, "generation.canceled"),
    ]
    with ThreadPoolExecutor(len(readers)) as pool:
        reading = [pool.submit(reader.read, over) for reader in readers]
        results = race(calls, together)
        over.set()
        for each in reading:
            each.result(120)
    assert not [result for result in results if isinstance(result, BaseException)]
    rows = list(Event.objects.order_by("sequence"))
    assert [row.sequence for row in rows] == list(range(1, 361))
    assert Feed.objects.get().last_sequence == 360
    moments = [row.created_at for row in rows]
    assert moments == sorted(moments)
    in_order = [str(row.generation_id) for row in rows]
    assert set(in_order) == {str(pk) for pk in Generation.objects.values_list("pk", flat=True)}
    for reader in readers[:3]:
        assert reader.seen == in_order
    canceled = [str(row.generation_id) for row in rows if row.type == "generation.canceled"]
    assert readers[3].seen == canceled
    assert len(canceled) == 90


def test_who_races_for_the_same_end_does_not_deadlock(api: Api) -> None:
    """Ends, replays, orders and money of two accounts at once, in any order of locks."""
    alice, bob, staff = wealthy("alice"), wealthy("bob"), make_person("olga", 0)
    calls: list[Callable[[], Any]] = []
    for number in range(60):
        person = (alice, bob)[number % 2]
        key = f"key-{number}"
        generation = claimed(created(person, key, model="image"))
        calls += [
            partial(lifecycle.fail, generation, "timeout", "Too late"),
            partial(lifecycle.cancel, generation.pk),
            partial(interventions.cancel, generation, actor=staff.user, reason="stuck"),
            partial(create, order(person, key, model="image")),
            partial(create, order(person, model="image")),
            partial(ledger.grant, person.account.pk, 1, description="more"),
        ]
    results = race(calls, 30)
    wrong = [each for each in results if isinstance(each, BaseException)]
    assert [each for each in wrong if not isinstance(each, LOST)] == []
    assert sum(isinstance(each, CreateResult) for each in results) == 120
    for person in (alice, bob):
        events = Event.objects.filter(account=person.account).order_by("sequence")
        assert [event.sequence for event in events] == list(range(1, 31))
        ended = Generation.objects.filter(account=person.account, finished_at__isnull=False)
        assert {event.generation_id for event in events} == {each.pk for each in ended}
    connections.close_all()
