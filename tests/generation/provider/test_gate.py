"""The provider's gate: rate, open operations, turns between accounts, breaker."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.db.models.functions import Now
from django.test.utils import CaptureQueriesContext

from generation.backends import base
from generation.models import CatalogModel, Generation, ProviderGate
from generation.models.states import State
from generation.provider import gate
from tests.support.bring_to import created
from tests.support.people import Person, make_person
from tests.support.racing import race
from tests.support.works import Emulator, Works, make_due


def quota(submits_per_minute: int = 50, max_open_operations: int = 1000) -> None:
    CatalogModel.objects.filter(pk="veo3_fast").update(
        submits_per_minute=submits_per_minute, max_open_operations=max_open_operations
    )


def later(seconds: float) -> None:
    """Let the gate's clock run ahead."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE generation_providergate SET next_submit_at = next_submit_at - %s * interval "
            "'1 second', window_ends_at = window_ends_at - %s * interval '1 second', "
            "open_until = open_until - %s * interval '1 second'",
            [seconds] * 3,
        )


@pytest.fixture
def rich() -> Person:
    return make_person("rich", 100_000)


def waiting(person: Person, count: int) -> list[Generation]:
    person.account.wallet.max_open_charges = 10_000
    person.account.wallet.save(update_fields=["max_open_charges"])
    return [created(person) for _ in range(count)]


def test_a_tenth_of_the_quota_may_come_at_once_and_the_rest_evenly(rich: Person) -> None:
    quota(50)
    waiting(rich, 60)
    began = time.monotonic()
    asked = [len(gate.claim(100))]
    for _ in range(59):
        later(1)
        asked.append(len(gate.claim(100)))
    took = time.monotonic() - began  # on a slow machine the test's own time counts
    assert asked[0] == 5
    assert 45 <= sum(asked) <= 50 + took * 50 / 60


def test_a_claim_takes_no_more_than_the_limit(rich: Person) -> None:
    quota(600)
    waiting(rich, 5)
    assert len(gate.claim(2)) == 2
    assert gate.claim(0) == []
    assert len(gate.claim(10)) == 3
    assert gate.claim(10) == []


def test_open_operations_are_bounded(rich: Person) -> None:
    quota(600, max_open_operations=3)
    rows = waiting(rich, 5)
    Generation.objects.filter(pk__in=[row.pk for row in rows[:2]]).update(state=State.SUBMITTING)
    assert len(gate.claim(10)) == 1


def test_one_customers_thousand_do_not_starve_anothers_one(rich: Person, bob: Person) -> None:
    quota(50)
    waiting(rich, 30)
    assert len(gate.claim(2)) == 2  # rich was here first
    one = created(bob)
    later(60)
    assert one.pk in [row.pk for row in gate.claim(5)]


def test_turns_are_taken_in_rounds_and_by_what_is_under_way(rich: Person, bob: Person) -> None:
    quota(600)
    first = waiting(rich, 4)
    second = waiting(bob, 2)
    Generation.objects.filter(pk=first[0].pk).update(state=State.SUBMITTING)
    chosen = {row.pk for row in gate.claim(3)}
    assert chosen == {second[0].pk, second[1].pk, first[1].pk}


def test_racing_workers_share_the_rate(rich: Person) -> None:
    quota(50)
    waiting(rich, 40)
    claims = race([lambda: gate.claim(40)] * 8, at_once=8)
    assert not any(isinstance(rows, BaseException) for rows in claims), claims
    found = [row.pk for rows in claims if isinstance(rows, list) for row in rows]
    assert len(found) == len(set(found)) <= 5
    assert found


def test_five_quota_errors_in_a_row_open_the_breaker_and_a_probe_closes_it(rich: Person) -> None:
    quota(600)
    waiting(rich, 20)
    assert len(gate.claim(2)) == 2
    for _ in range(4):
        gate.record("veo3_fast", "quota")
    assert gate.claim(1)
    gate.record("veo3_fast", "quota")
    assert gate.claim(10) == []
    later(13)
    assert len(gate.claim(10)) == 1  # one probe
    assert gate.claim(10) == []  # and nobody else before it is answered
    gate.record("veo3_fast", "quota")
    later(13)
    assert gate.claim(10) == []  # twice as long
    later(13)
    assert len(gate.claim(10)) == 1
    gate.record("veo3_fast", "works")
    assert len(gate.claim(10)) > 1
    assert ProviderGate.objects.get().trips == 0


def test_half_of_twenty_calls_failing_opens_the_breaker(rich: Person) -> None:
    quota(600)
    waiting(rich, 3)
    assert gate.claim(1)
    for number in range(19):
        gate.record("veo3_fast", "fails" if number % 2 else "works")
    assert ProviderGate.objects.get().open_until is None
    gate.record("veo3_fast", "fails")
    assert ProviderGate.objects.get().open_until is not None
    assert gate.claim(1) == []


def test_old_calls_are_forgotten(rich: Person) -> None:
    waiting(rich, 1)
    gate.claim(1)
    for _ in range(19):
        gate.record("veo3_fast", "fails")
    later(61)
    gate.record("veo3_fast", "fails")
    assert ProviderGate.objects.get().open_until is None


def test_the_providers_own_wish_is_honoured(rich: Person) -> None:
    quota(600)
    waiting(rich, 3)
    gate.claim(1)
    for _ in range(5):
        gate.record("veo3_fast", "quota", retry_after=120.0)
    later(100)
    assert gate.claim(1) == []
    later(21)
    assert len(gate.claim(1)) == 1


def test_a_record_before_any_claim_is_nobodys() -> None:
    gate.record("veo3_fast", "quota")
    assert not ProviderGate.objects.exists()


@pytest.mark.parametrize(
    ("outcome", "result"),
    [
        (base.Accepted("operations/1"), "works"),
        (base.NotAccepted("HTTP 429", is_quota=True), "quota"),
        (base.NotAccepted("not sent"), "fails"),
        (base.Unknown("HTTP 503"), "fails"),
        (base.Rejected("content_filtered", "no"), "works"),
        (base.Rejected("provider_error", "gone", operator_fault=True), "fails"),
        (ValueError("of our own"), "fails"),
    ],
)
def test_what_an_answer_says_about_the_provider(outcome: object, result: str) -> None:
    assert gate.judge(outcome) == result


def test_while_the_breaker_is_open_rows_wait_and_the_deadline_still_ends_them(
    alice: Person, start: Callable[..., str], works: Works, emulator: Emulator
) -> None:
    waits = start(alice)
    gate.claim(0)
    works.run("submit")
    assert Generation.objects.get(pk=waits).state == State.RUNNING
    for _ in range(5):
        gate.record("veo3_fast", "quota")
    late = start(alice)
    make_due(late)
    works.run("submit")
    assert Generation.objects.get(pk=late).state == State.QUEUED
    with connection.cursor() as cursor:
        cursor.execute("UPDATE generation_generation SET deadline_at = now() WHERE id = %s", [late])
    works.run("submit")
    assert Generation.objects.get(pk=late).error_code == "timeout"
    assert emulator.bought(late) == 0
    assert alice.balance == 760


def test_nothing_is_bought_while_nothing_can_be_stored(rich: Person) -> None:
    waiting(rich, 3)
    assert len(gate.claim(1)) == 1
    gate.hold()
    gate.record("veo3_fast", "works")  # what was asked for before changes nothing
    assert gate.claim(10) == []
    ProviderGate.objects.update(held_until=Now())
    assert len(gate.claim(10)) == 2


def test_old_versions_of_what_is_under_way_are_not_counted_again_and_again() -> None:
    """Each poll leaves an entry behind; those that share one with the living cannot be skipped."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT reloptions FROM pg_class WHERE relname = 'generation_open_of_model'")
        assert cursor.fetchone() == (["deduplicate_items=off"],)


def test_a_good_answer_of_a_healthy_model_is_one_statement(rich: Person) -> None:
    """Every submit has one: four more statements were a sixth of the submit stage's time."""
    waiting(rich, 1)
    gate.claim(1)  # makes the row
    gate.record("veo3_fast", "works")  # begins a minute
    for number in (2, 3):
        with CaptureQueriesContext(connection) as asked:
            gate.record("veo3_fast", "works")
        assert len(asked) == 1
        row = ProviderGate.objects.get(pk="veo3_fast")
        assert (row.calls, row.failures, row.quota_errors, row.trips) == (number, 0, 0, 0)


@pytest.mark.parametrize(
    "wrong",
    [
        {"trips": 1},
        {"quota_errors": 2},
        {"gone": 1},
        {"pauses": 1},
        {"first_gone": 1},
        {"open_until": Now()},
        {"probe_until": Now()},
        {"paused_until": Now()},
        {"fallback_until": Now()},
    ],
)
def test_a_good_answer_clears_whatever_was_wrong(rich: Person, wrong: dict[str, Any]) -> None:
    waiting(rich, 1)
    gate.claim(1)
    CatalogModel.objects.filter(pk="veo3_fast").update(provider_model="veo-a")
    ProviderGate.objects.filter(pk="veo3_fast").update(**wrong)
    gate.record("veo3_fast", "works", asked="veo-a")
    healthy = ProviderGate.objects.filter(pk="veo3_fast", **gate.NOTHING_WRONG)
    assert healthy.get().calls == 1
