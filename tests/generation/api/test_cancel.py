"""POST /api/v1/generate/{id}/cancel/."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest

from generation.models import Attempt, Generation
from generation.models.states import State
from tests.support.bring_to import created, reached
from tests.support.people import Person
from tests.support.works import Emulator, Works

Api = Callable[..., httpx.Client]
PATH = "/api/v1/generate/{}/cancel/"


def test_canceling_gives_the_credits_back_and_shows_the_flat_body(api: Api, alice: Person) -> None:
    generation = created(alice)
    answer = api(alice.key).post(PATH.format(generation.pk))
    assert answer.status_code == 200
    body = answer.json()
    assert body == api(alice.key).get(f"/api/v1/generate/{generation.pk}/").json()
    assert body["status"] == "canceled"
    assert (body["credits_used"], body["credits_refunded"]) == (0, 240)
    assert body["canceled_at"] is not None
    assert (body["failed_at"], body["completed_at"], body["error"]) == (None, None, None)
    assert body["cancelable"] is False
    assert alice.balance == 1000


def test_again_is_fine_and_refunds_once(api: Api, alice: Person) -> None:
    generation = created(alice)
    client = api(alice.key)
    first = client.post(PATH.format(generation.pk))
    second = client.post(PATH.format(generation.pk))
    assert second.status_code == 200
    assert second.json() == first.json()
    assert [entry.kind for entry in alice.entries] == ["grant", "charge", "refund"]


@pytest.mark.parametrize(
    "state",
    [
        State.SUBMITTING,
        State.SUBMIT_UNKNOWN,
        State.RUNNING,
        State.STORING,
        State.COMPLETED,
        State.FAILED,
    ],
)
def test_what_may_be_bought_or_is_over_is_not_cancelable(
    state: State, api: Api, alice: Person
) -> None:
    generation = reached(alice, state)
    balance = alice.balance
    body = api(alice.key).get(f"/api/v1/generate/{generation.pk}/").json()
    assert body["cancelable"] is False
    answer = api(alice.key).post(PATH.format(generation.pk))
    assert answer.status_code == 409
    assert answer.json()["code"] == "not_cancelable"
    assert answer.json()["request_id"] == answer.headers["X-Request-ID"]
    assert Generation.objects.get().state == state
    assert alice.balance == balance


def test_what_was_asked_for_a_second_time_is_not_cancelable(api: Api, alice: Person) -> None:
    generation = created(alice)
    Generation.objects.filter(pk=generation.pk).update(unknown_attempts=1)
    assert api(alice.key).get(f"/api/v1/generate/{generation.pk}/").json()["cancelable"] is False
    assert api(alice.key).post(PATH.format(generation.pk)).status_code == 409


def test_while_the_provider_is_busy_it_can_be_canceled(
    api: Api, alice: Person, works: Works, emulator: Emulator
) -> None:
    generation = created(alice, prompt="a red fox [emulator:busy]")
    works.run("submit")
    assert Generation.objects.get().attempts.get().outcome == Attempt.Outcome.NOT_ACCEPTED
    assert api(alice.key).get(f"/api/v1/generate/{generation.pk}/").json()["cancelable"] is True
    assert api(alice.key).post(PATH.format(generation.pk)).json()["status"] == "canceled"
    assert works.run("submit") == 0
    assert emulator.bought(str(generation.pk)) == 0
    assert alice.balance == 1000
