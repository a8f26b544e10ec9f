"""An id that the provider does not know: the pause, and the fallback."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest
from django.conf import settings
from django.db import connection

from common.fresh import Fresh
from generation.backends import base
from generation.models import Attempt, CatalogModel, Generation, ProviderGate
from generation.models.states import State
from generation.provider import gate, model_ids
from tests.support.bring_to import created
from tests.support.people import Person, make_person
from tests.support.provider_models import FAST, OTHER, ProviderModels, models
from tests.support.works import Emulator, Works, age

Api = Callable[..., httpx.Client]
Start = Callable[..., str]
__all__ = ["models"]
PATH = "/api/v1/generate/video/"


def later(seconds: float) -> None:
    """Let the clock of pauses and fallbacks run ahead."""
    names = ("paused_until", "probe_until", "fallback_until", "next_submit_at")
    sets = ", ".join(f"{name} = {name} - %(s)s * interval '1 second'" for name in names)
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE generation_providergate SET {sets}", {"s": seconds})
    Fresh.clear_all()


def known() -> ProviderGate:
    return ProviderGate.objects.get(pk="veo3_fast")


def pause_left() -> float:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT extract(epoch FROM paused_until - now())::float8 FROM generation_providergate"
        )
        (left,) = cursor.fetchone()
    return float(left)


def with_fallback(fallback: str = OTHER) -> None:
    CatalogModel.objects.filter(pk="veo3_fast").update(provider_model_fallback=fallback)


def lose(start: Start, works: Works, person: Person, times: int = 1) -> None:
    """Orders that meet the unknown id; each fails and is refunded."""
    for _ in range(times):
        balance = person.balance
        generation = works.finish(start(person))
        assert (generation.state, generation.error_code) == (State.FAILED, "provider_error")
        assert generation.error_message.startswith("This model cannot be used at the moment")
        assert person.balance == balance
        Fresh.clear_all()


def test_the_third_in_a_row_pauses_the_model_and_creates_are_refused_for_free(
    api: Api, alice: Person, start: Start, works: Works, models: ProviderModels
) -> None:
    models.retire()
    lose(start, works, alice, 2)
    assert known().paused_until is None
    lose(start, works, alice)
    assert 890 <= pause_left() <= 900
    answer = api(alice.key).post(PATH, json={"prompt": "a fox"})
    assert answer.status_code == 503
    assert answer.json()["code"] == "model_unavailable"
    assert answer.json()["error"] == (
        "veo3_fast is not available at the moment, try another model or try again later"
    )
    assert 880 <= int(answer.headers["Retry-After"]) <= 900
    assert alice.balance == 1000
    assert Generation.objects.count() == 3
    assert start(alice, video_model="veo3")  # the others are sold on


def test_a_paused_model_is_shown_and_quoted(api: Api, alice: Person) -> None:
    pause()
    listed = {each["name"]: each for each in api().get("/api/v1/models/").json()["models"]}
    assert {name: each["available"] for name, each in listed.items()} == {
        "veo3_fast": False,
        "veo3": True,
        "image": True,
    }
    assert api(alice.key).post("/api/v1/quote/", json={"prompt": "a fox"}).status_code == 200


def test_the_pause_is_judged_after_what_is_wrong_and_too_dear_and_before_the_balance(
    api: Api, alice: Person, poor: Person
) -> None:
    first = api(alice.key).post(PATH, json={"prompt": "a"}, headers={"Idempotency-Key": "1"})
    pause()
    client = api(alice.key)
    bodies = {400: {}, 409: {"prompt": "a", "max_credits": 1}, 503: {"prompt": "a"}}
    for status, body in bodies.items():
        assert client.post(PATH, json=body).status_code == status, body
    assert api(poor.key).post(PATH, json={"prompt": "a"}).status_code == 503
    again = client.post(PATH, json={"prompt": "a"}, headers={"Idempotency-Key": "1"})
    assert again.json() == first.json()
    assert again.status_code == 201


@pytest.fixture
def poor() -> Person:
    return make_person("poor", 0)


def pause(seconds: float = 900.0) -> None:
    """As three orders in a row leave it."""
    ProviderGate.objects.filter(pk="veo3_fast").delete()
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO generation_providergate (model_id, next_submit_at, window_ends_at, calls,"
            " failures, quota_errors, trips, lasted, gone, pauses, paused_until) VALUES"
            " ('veo3_fast', now(), now(), 0, 0, 0, 0, '[]', 3, 1, now() + %s * interval '1 s')",
            [seconds],
        )
    Fresh.clear_all()


def test_what_is_queued_waits_for_the_end_of_the_pause_and_then_one_order_probes(
    alice: Person,
) -> None:
    CatalogModel.objects.filter(pk="veo3_fast").update(submits_per_minute=600)
    for _ in range(3):
        created(alice)
    pause()
    assert gate.claim(10) == []
    later(901)
    assert len(gate.claim(10)) == 1
    assert gate.claim(10) == []  # nobody else before it is answered
    gate.record("veo3_fast", "gone", asked=FAST)
    assert 1790 <= pause_left() <= 1800
    later(1801)
    assert len(gate.claim(10)) == 1
    gate.record("veo3_fast", "works", asked=FAST)
    assert (known().gone, known().pauses, known().paused_until) == (0, 0, None)
    assert len(gate.claim(10)) == 1


def test_what_waits_longer_than_its_deadline_is_refunded(
    alice: Person, works: Works, start: Start
) -> None:
    generation_id = start(alice)
    pause(14_400)
    works.run("submit")
    assert Generation.objects.get(pk=generation_id).state == State.QUEUED
    age(generation_id, deadline_at="-1 second", next_attempt_at="-1 second")
    works.run("submit")
    generation = Generation.objects.get(pk=generation_id)
    assert (generation.state, generation.error_code) == (State.FAILED, "timeout")
    assert alice.balance == 1000


def test_a_probe_that_is_not_answered_holds_the_others_for_a_lease(alice: Person) -> None:
    created(alice)
    created(alice)
    pause(-1)
    assert len(gate.claim(10)) == 1
    later(settings.LEASE + 1)
    assert len(gate.claim(10)) == 1


def test_pauses_grow_to_four_hours(alice: Person) -> None:
    pause(-1)
    lengths = []
    for _ in range(6):
        gate.record("veo3_fast", "gone", asked=FAST)
        lengths.append(round(pause_left() / 60))
        later(14_401)
    assert lengths == [30, 60, 120, 240, 240, 240]


def test_answers_of_before_the_pause_do_not_lengthen_it(alice: Person) -> None:
    created(alice)
    gate.claim(1)
    for _ in range(10):
        gate.record("veo3_fast", "gone", asked=FAST)
    assert 890 <= pause_left() <= 900
    assert known().pauses == 1


def test_a_success_in_between_begins_the_count_anew(alice: Person) -> None:
    created(alice)
    gate.claim(1)
    for result in ("gone", "gone", "works", "gone", "gone"):
        gate.record("veo3_fast", result, asked=FAST)
    assert known().paused_until is None
    gate.record("veo3_fast", "fails", asked=FAST)  # which says nothing about the id
    gate.record("veo3_fast", "gone", asked=FAST)
    assert known().paused_until is not None


def test_an_unknown_id_is_nothing_to_the_breaker(alice: Person) -> None:
    created(alice)
    gate.claim(1)
    for _ in range(gate.MIN_CALLS + 5):
        gate.record("veo3_fast", "gone", asked=FAST)
    assert (known().calls, known().failures, known().open_until) == (0, 0, None)
    assert gate.judge(base.ModelGone("HTTP 404")) == "gone"


def test_an_id_that_the_row_does_not_name_any_more_says_nothing(alice: Person) -> None:
    created(alice)
    gate.claim(1)
    CatalogModel.objects.filter(pk="veo3_fast").update(provider_model="veo-4")
    for _ in range(5):
        gate.record("veo3_fast", "gone", asked=FAST)
    assert known().paused_until is None


def test_times_follow_the_scale(alice: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "TIME_SCALE", 0.1)
    pause(-1)
    gate.record("veo3_fast", "gone", asked=FAST)
    assert 170 <= pause_left() <= 180


def outcomes(generation_id: str) -> list[tuple[str, str]]:
    rows = Attempt.objects.filter(generation_id=generation_id).order_by("number")
    return list(rows.values_list("provider_model", "outcome"))


def test_with_a_fallback_the_same_order_asks_for_that(
    alice: Person, start: Start, works: Works, models: ProviderModels, emulator: Emulator
) -> None:
    with_fallback()
    models.retire()
    generation_id = start(alice)
    assert works.finish(generation_id).state == State.COMPLETED
    assert outcomes(generation_id) == [(FAST, "not_accepted"), (OTHER, "accepted")]
    assert emulator.bought(generation_id) == 1
    assert alice.balance == 760
    assert Generation.objects.get(pk=generation_id).provider_model == OTHER


def test_after_three_in_a_row_the_first_id_is_asked_for_once_in_a_quarter_of_an_hour(
    alice: Person, bob: Person, start: Start, works: Works, models: ProviderModels
) -> None:
    with_fallback()
    models.retire()
    for _ in range(3):
        assert works.finish(start(alice)).state == State.COMPLETED
    straight = start(alice)
    assert works.finish(straight).state == State.COMPLETED
    assert outcomes(straight) == [(OTHER, "accepted")]
    assert known().paused_until is None

    later(901)
    two = [start(bob), start(bob)]
    assert all(works.finish(each).state == State.COMPLETED for each in two)
    both = sorted(map(outcomes, two), key=len)
    assert both == [[(OTHER, "accepted")], [(FAST, "not_accepted"), (OTHER, "accepted")]]

    models.revive()
    later(901)
    ProviderGate.objects.update(next_submit_at="2001-01-01T00:00Z")
    first, second = start(bob), start(bob)
    assert works.finish(first).state == works.finish(second).state == State.COMPLETED
    found = outcomes(first) + outcomes(second)
    assert (FAST, "accepted") in found
    assert known().fallback_until is None


def test_when_the_fallback_is_gone_as_well_orders_fail_and_the_model_is_paused(
    alice: Person, start: Start, works: Works, models: ProviderModels
) -> None:
    with_fallback()
    models.retire()
    models.retire(OTHER)
    lose(start, works, alice, 3)
    assert known().paused_until is not None

    later(901)  # the one that probes asks for both
    generation_id = start(alice)
    assert works.finish(generation_id).state == State.FAILED
    assert outcomes(generation_id) == [(FAST, "not_accepted"), (OTHER, "rejected")]
    assert 1790 <= pause_left() <= 1800
    assert alice.balance == 1000


def test_five_at_once_are_all_completed_by_the_fallback_and_billed_once_each(
    rich: Person, start: Start, works: Works, models: ProviderModels, emulator: Emulator
) -> None:
    CatalogModel.objects.filter(pk="veo3_fast").update(submits_per_minute=600)
    with_fallback()
    models.retire()
    five = [start(rich) for _ in range(5)]
    assert {works.finish(each).state for each in five} == {State.COMPLETED}
    assert [emulator.bought(each) for each in five] == [1] * 5
    assert "refund" not in [entry.kind for entry in rich.entries]


@pytest.fixture
def rich() -> Person:
    return make_person("rich", 10_000)


def test_a_new_start_forgets_pause_and_fallback(alice: Person) -> None:
    pause()
    ProviderGate.objects.update(first_gone=3, known={FAST: False})
    model_ids.start_again("veo3_fast")
    row = known()
    assert {name: getattr(row, name) for name in model_ids.CLEAN} == model_ids.CLEAN
