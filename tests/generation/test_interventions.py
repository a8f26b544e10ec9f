"""What an operator does to one generation by hand: allowed by its state, once, and written down."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import pytest

from accounts.models import Account
from common.fresh import Fresh
from credits import ledger
from credits.books import check_ledger
from credits.models import LedgerEntry, Wallet
from generation import interventions, lifecycle, waiting
from generation.books import check_generations
from generation.interventions import NotAllowed
from generation.models import Attempt, CatalogModel, Generation, Orphan
from generation.models.states import OPEN, TERMINAL, UNDELIVERED, State
from generation.order import CreateResult
from generation.refusals import InsufficientCredits, TooManyOpenGenerations
from tests.credits.test_ledger import sums_up
from tests.support.bring_to import (
    ROUTE,
    attempt_of,
    claimed,
    created,
    kept,
    reached,
)
from tests.support.orphan_looks import make_looks_due, sweep, upload
from tests.support.people import Person, make_person
from tests.support.racing import race
from tests.support.works import Emulator, Works

PICTURES = ["https://example.com/a.png"]


@pytest.fixture
def staff() -> Person:
    """Somebody of ours."""
    return make_person("olga", 0)


def again(lost: Generation, staff: Person, paid_by: Any = "charge", **changes: Any) -> CreateResult:
    values: dict[str, Any] = {"reason": "sorry", "token": uuid.uuid4()} | changes
    return interventions.order_again(lost, actor=staff.user, paid_by=paid_by, **values)


def end(row: Generation, staff: Person) -> None:
    interventions.fail_and_refund(row, actor=staff.user, reason="stuck")


def rows() -> tuple[int, int]:
    """What must not grow when something was refused."""
    return Generation.objects.count(), LedgerEntry.objects.count()


def refused(person: Person, lost: Generation, staff: Person, paid_by: str = "charge") -> str:
    """The sentence; nothing was written."""
    before = (rows(), person.balance)
    with pytest.raises(NotAllowed) as caught:
        again(lost, staff, paid_by)
    assert (rows(), person.balance) == before
    return str(caught.value.detail)


@pytest.mark.parametrize("state", [State.FAILED, State.CANCELED])
def test_a_retry_is_a_new_generation_of_the_same_request_at_today_s_price(
    alice: Person, staff: Person, state: State
) -> None:
    lost = reached(alice, state, prompt="a red fox", source_image_urls=PICTURES)
    CatalogModel.objects.filter(pk="veo3_fast").update(price=300)
    answer = again(lost, staff)
    new = Generation.objects.get(pk=answer.generation_id)
    assert (new.prompt, new.parameters) == (lost.prompt, lost.parameters)
    assert (new.price, answer.price, new.state) == (300, 300, State.QUEUED)
    assert (new.retry_of_id, new.account_id) == (lost.pk, lost.account_id)
    assert (new.created_by, new.api_key) == (staff.user, None)
    assert new.events.get().data == {
        "retry_of": str(lost.pk),
        "paid_by": "charge",
        "staff": "olga",
        "reason": "sorry",
    }
    assert alice.balance == 1000 - 300
    unchanged = Generation.objects.get(pk=lost.pk)
    assert (unchanged.state, unchanged.version) == (lost.state, lost.version)


def test_all_that_was_asked_is_asked_again_at_its_own_price(alice: Person, staff: Person) -> None:
    asked: dict[str, Any] = {
        "duration": 4,
        "generate_audio": False,
        "seed": 7,
        "negative_prompt": "rain",
    }
    lost = reached(alice, State.FAILED, **asked)
    assert (lost.price, interventions.price_today(lost)) == (96, 96)
    CatalogModel.objects.filter(pk="veo3_fast").update(
        prices=lost.model.prices | {"720p": {"silent": 200}}
    )
    lost = Generation.objects.get(pk=lost.pk)
    assert interventions.price_today(lost) == 100
    new = Generation.objects.get(pk=again(lost, staff, "grant").generation_id)
    assert (new.parameters, new.price) == (lost.parameters, 100)
    assert alice.balance == 1000


def test_a_grant_pays_for_it_and_says_why(alice: Person, staff: Person) -> None:
    lost = reached(alice, State.FAILED)
    answer = again(lost, staff, "grant")
    assert alice.balance == 1000
    grant, charge = alice.entries[-2:]
    assert (grant.kind, grant.amount, grant.created_by) == ("grant", 240, staff.user)
    assert grant.description == f"To try {lost.pk} again"
    assert (charge.kind, charge.generation_id) == ("charge", answer.generation_id)
    assert sums_up(alice)


def fenced_in(pk: uuid.UUID) -> Generation:
    """The row as the worker that asks the provider holds it."""
    held = claimed(Generation.objects.get(pk=pk))
    assert lifecycle.begin_attempt(held, ROUTE) is not None
    return claimed(held)


def rejected(row: Generation, staff: Person) -> None:
    held = fenced_in(row.pk)
    assert lifecycle.fail(held, "provider_rejected", "No", attempt=attempt_of(held))


def lost(row: Generation, staff: Person) -> None:
    for _ in range(2):
        held = fenced_in(row.pk)
        assert lifecycle.doubt(held, attempt_of(held), "no answer", 0)
        assert lifecycle.give_up_waiting(claimed(held))


def overdue(row: Generation, staff: Person) -> None:
    assert lifecycle.fail(claimed(row), "timeout", "Too late")


WAYS_TO_END: dict[str, Callable[[Generation, Person], object]] = {
    "rejected": rejected,
    "lost": lost,
    "by the deadline": overdue,
    "canceled by the customer": lambda row, staff: lifecycle.cancel(row.pk),
    "canceled by staff": lambda row, staff: interventions.cancel(
        row, actor=staff.user, reason="asked"
    ),
    "failed by staff": end,
}


@pytest.mark.parametrize("rest", [0, 760], ids=["no credits", "credits"])
@pytest.mark.parametrize("way", WAYS_TO_END)
def test_what_the_house_paid_for_goes_back_to_the_house(staff: Person, way: str, rest: int) -> None:
    """However it ends, and however often it is tried again, nobody has gained a credit."""
    person = make_person("carol", 240 + rest)
    first = reached(person, State.FAILED)
    if rest == 0:  # all of them are in use, so the balance has no room to dip into
        created(person)
    retried, before = first, person.balance
    for tries in (1, 2, 3):
        answer = again(retried, staff, "grant")
        assert person.balance == before
        new = Generation.objects.get(pk=answer.generation_id)
        assert new.grant == person.entries[-2]
        WAYS_TO_END[way](new, staff)
        retried = Generation.objects.get(pk=new.pk)
        assert (retried.state in UNDELIVERED, person.balance) == (True, before)
        grant, charge, refund, adjustment = person.entries[-4:]
        assert [grant.kind, charge.kind, refund.kind] == ["grant", "charge", "refund"]
        assert (adjustment.kind, adjustment.amount) == ("adjustment", -240)
        assert (adjustment.created_by, adjustment.generation_id) == (staff.user, new.pk)
        assert adjustment.description == f"Taken back: granted to try {new.retry_of_id} again"
        assert (retried.grant, retried.adjustment) == (grant, adjustment)
        assert Wallet.objects.get(pk=person.account.pk).open_charges == (rest == 0), tries
    assert sums_up(person)
    assert check_ledger().differences == check_generations().differences == []


def test_what_was_delivered_keeps_its_grant(alice: Person, staff: Person) -> None:
    answer = again(reached(alice, State.FAILED), staff, "grant")
    row = bring_to_storing(answer.generation_id)
    assert lifecycle.complete(row, **kept(row))
    done = Generation.objects.get(pk=row.pk)
    assert (done.grant is not None, done.adjustment, done.refund) == (True, None, None)
    assert alice.balance == 1000
    assert check_ledger().differences == check_generations().differences == []


def bring_to_storing(pk: uuid.UUID) -> Generation:
    held = fenced_in(pk)
    assert lifecycle.adopt(held, "gs://outputs/x.mp4", attempt_of(held))
    return claimed(held)


def test_who_pays_himself_keeps_his_refund(alice: Person, staff: Person) -> None:
    answer = again(reached(alice, State.FAILED), staff, "charge")
    assert (alice.balance, lifecycle.cancel(answer.generation_id), alice.balance) == (
        760,
        True,
        1000,
    )
    assert [entry.kind for entry in alice.entries[-2:]] == ["charge", "refund"]


@pytest.mark.parametrize("racers", [2, 8])
def test_whoever_ends_it_first_takes_the_grant_back_once(
    alice: Person, staff: Person, racers: int
) -> None:
    row = Generation.objects.get(
        pk=again(reached(alice, State.FAILED), staff, "grant").generation_id
    )

    def end_it() -> bool:
        try:
            end(row, staff)
        except NotAllowed:
            return False
        return True

    answers = race([end_it] * racers, racers)
    assert sorted(map(repr, answers)) == [*["False"] * (racers - 1), "True"]
    assert alice.balance == 1000
    assert [entry.kind for entry in alice.entries].count("adjustment") == 1
    assert sums_up(alice)


def test_it_is_made_and_delivered(
    alice: Person, staff: Person, works: Works, emulator: Emulator
) -> None:
    answer = again(reached(alice, State.FAILED), staff)
    assert works.finish(str(answer.generation_id)).state == State.COMPLETED
    assert emulator.bought(str(answer.generation_id)) == 1


@pytest.mark.parametrize("paid_by", ["charge", "grant"])
def test_the_same_form_sent_twice_orders_once(alice: Person, staff: Person, paid_by: str) -> None:
    lost, token = reached(alice, State.FAILED), uuid.uuid4()
    first = again(lost, staff, paid_by, token=token)
    before = (rows(), alice.balance)
    second = again(lost, staff, paid_by, token=token)
    assert (second.generation_id, second.replayed) == (first.generation_id, True)
    assert (rows(), alice.balance) == before


@pytest.mark.parametrize("paid_by", ["charge", "grant"])
def test_the_same_form_sent_by_many_at_once_orders_once(
    alice: Person, staff: Person, paid_by: str
) -> None:
    lost, token = reached(alice, State.FAILED), uuid.uuid4()
    answers = race([lambda: again(lost, staff, paid_by, token=token)] * 8, 8)
    found = [answer for answer in answers if isinstance(answer, CreateResult)]
    assert len(found) == 8, answers
    assert len({answer.generation_id for answer in found}) == 1
    assert sum(not answer.replayed for answer in found) == 1
    assert alice.balance == (760 if paid_by == "charge" else 1000)
    assert Generation.objects.count() == 2
    assert sums_up(alice)


def test_two_operators_at_once_order_once(alice: Person, staff: Person) -> None:
    lost = reached(alice, State.FAILED)

    def try_it() -> str:
        try:
            return str(again(lost, staff).generation_id)
        except NotAllowed as refusal:
            return str(refusal.detail)

    answers = race([try_it] * 8, 8)
    [new] = Generation.objects.exclude(pk=lost.pk)
    assert set(answers) == {str(new.pk), f"It was tried again already: {new.pk} is queued"}
    assert answers.count(str(new.pk)) == 1
    assert alice.balance == 760


def test_what_failed_again_may_be_tried_once_more(alice: Person, staff: Person) -> None:
    lost = reached(alice, State.FAILED)
    first = again(lost, staff)
    lifecycle.cancel(first.generation_id)
    second = again(lost, staff)
    assert lost.retried_by.count() == 2
    assert refused(alice, lost, staff).endswith(f"{second.generation_id} is queued")


@pytest.mark.parametrize("state", [*OPEN, State.COMPLETED])
def test_only_what_was_not_delivered_is_tried_again(
    alice: Person, staff: Person, state: State
) -> None:
    lost = reached(alice, state)
    assert refused(alice, lost, staff, "grant") == (
        f"It is {state}: only what failed or was canceled can be tried again"
    )


def test_reasons_to_refuse_a_retry(alice: Person, staff: Person) -> None:
    lost = reached(alice, State.FAILED)
    assert refused_with(alice, lost, staff, enabled=False) == "veo3_fast is no longer on sale"
    assert refused_with(alice, lost, staff, shapes=["1:1"]) == (
        "veo3_fast is no longer sold in 16:9"
    )
    able = lost.model.abilities
    shorter = able | {"durations": [4, 6], "default_duration": 4}
    assert refused_with(alice, lost, staff, abilities=shorter) == (
        "veo3_fast is no longer sold with 8 seconds"
    )
    Account.objects.filter(pk=alice.account.pk).update(suspended_at=lost.created_at)
    assert refused(alice, lost, staff) == "The account is suspended"
    Account.objects.filter(pk=alice.account.pk).update(suspended_at=None)
    Generation.objects.filter(pk=lost.pk).update(prompt="")
    assert refused(alice, lost, staff) == (
        "Its prompt was erased when its retention ended: it cannot be made again"
    )


def refused_with(person: Person, lost: Generation, staff: Person, **model: Any) -> str:
    """The same while the catalog says something else."""
    before = CatalogModel.objects.filter(pk=lost.model_id).values(*model).get()
    CatalogModel.objects.filter(pk=lost.model_id).update(**model)
    Fresh.clear_all()
    try:
        return refused(person, lost, staff)
    finally:
        CatalogModel.objects.filter(pk=lost.model_id).update(**before)
        Fresh.clear_all()


def test_a_refused_retry_leaves_no_grant(alice: Person, staff: Person) -> None:
    lost = reached(alice, State.FAILED)
    alice.account.wallet.max_open_charges = 1
    alice.account.wallet.save(update_fields=["max_open_charges"])
    created(alice)
    before = (rows(), alice.balance)
    with pytest.raises(TooManyOpenGenerations):
        again(lost, staff, "grant")
    assert (rows(), alice.balance) == before


def test_without_credits_only_a_grant_helps(staff: Person) -> None:
    poor = make_person("poor", 300)
    lost = reached(poor, State.FAILED)
    created(poor)
    with pytest.raises(InsufficientCredits, match="Need 240, have 60"):
        again(lost, staff)
    assert Generation.objects.count() == 2
    again(lost, staff, "grant")
    assert poor.balance == 60


def test_a_grant_goes_back_below_zero_too(alice: Person, staff: Person) -> None:
    """Meanwhile a payment was taken back: the generation ends, and the debt is what it was."""
    answer = again(reached(alice, State.FAILED), staff, "grant")
    ledger.reverse(alice.account.pk, 1760, reversal_id=uuid.uuid4(), description="d")
    assert lifecycle.cancel(answer.generation_id)
    assert alice.balance == -760
    assert [entry.kind for entry in alice.entries[-2:]] == ["refund", "adjustment"]
    assert sums_up(alice)
    assert check_ledger().differences == check_generations().differences == []


def test_who_owes_credits_gets_no_retry_and_no_grant(alice: Person, staff: Person) -> None:
    lost = reached(alice, State.FAILED)
    ledger.reverse(alice.account.pk, 1760, reversal_id=uuid.uuid4(), description="d")
    before = (rows(), alice.balance)
    with pytest.raises(InsufficientCredits, match="Need 240, have -520"):
        again(lost, staff, "grant")
    assert (rows(), alice.balance) == before


@pytest.mark.parametrize("state", OPEN)
def test_what_is_open_is_ended_and_refunded_and_its_worker_fenced_off(
    alice: Person, staff: Person, state: State
) -> None:
    held = reached(alice, state)
    end(held, staff)
    row = Generation.objects.get(pk=held.pk)
    assert (row.state, row.error_code, row.error_retryable) == ("failed", "provider_error", True)
    assert row.error_message == f"{interventions.ENDED_BY_HAND}. Try again later."
    assert row.last_error == "Ended by olga: stuck; before that: -" or state == "submit_unknown"
    event = row.events.get(is_terminal=True)
    assert event.data == {"code": "provider_error", "staff": "olga", "reason": "stuck"}
    assert alice.balance == 1000
    assert alice.entries[-1].description == "Refund: provider_error, by staff"
    for write in worker_verbs(held):
        assert not write
    assert Generation.objects.get(pk=held.pk).version == row.version
    assert sums_up(alice)


def worker_verbs(held: Generation) -> list[Any]:
    """Everything that the worker might still say about the row that it held."""
    attempt = held.attempts.first() or Attempt(pk=0)
    return [
        lifecycle.begin_attempt(held, ROUTE),
        lifecycle.accept(held, attempt, "operations/late", 1),
        lifecycle.adopt(held, "gs://bucket/late.mp4"),
        lifecycle.complete(held, output_key="outputs/late.mp4"),
        lifecycle.fail(held, "timeout", "Too late"),
        waiting.postpone(held, 1),
    ]


@pytest.mark.parametrize("state", TERMINAL)
def test_what_is_over_cannot_be_ended_or_canceled(
    alice: Person, staff: Person, state: State
) -> None:
    row = reached(alice, state)
    before = (rows(), alice.balance)
    with pytest.raises(NotAllowed, match=f"It is {state} already"):
        end(row, staff)
    with pytest.raises(NotAllowed, match=f"It is {state} already"):
        interventions.cancel(row, actor=staff.user, reason="asked")
    assert (rows(), alice.balance) == before


def test_what_the_provider_delivers_after_that_is_an_orphan(
    alice: Person, staff: Person, works: Works, emulator: Emulator
) -> None:
    row = reached(alice, State.RUNNING)
    end(row, staff)
    upload(emulator, attempt_of(row).prefix)
    make_looks_due()
    assert sweep(works) == 1
    orphan = Orphan.objects.get()
    assert orphan.attempt.generation_id == row.pk
    assert orphan.note == "refunded before it was found (provider_error)"
    assert (Generation.objects.get(pk=row.pk).state, alice.balance) == (State.FAILED, 1000)


def test_an_operator_cancels_as_a_customer_can(alice: Person, staff: Person) -> None:
    held = claimed(created(alice))
    interventions.cancel(held, actor=staff.user, reason="asked on the phone")
    row = Generation.objects.get(pk=held.pk)
    assert row.state == State.CANCELED
    event = row.events.get(is_terminal=True)
    assert event.data == {"staff": "olga", "reason": "asked on the phone"}
    assert alice.balance == 1000
    assert lifecycle.begin_attempt(held, ROUTE) is None


@pytest.mark.parametrize("state", [state for state in OPEN if state != State.QUEUED])
def test_what_may_have_been_bought_cannot_be_canceled(
    alice: Person, staff: Person, state: State
) -> None:
    row = reached(alice, state)
    with pytest.raises(NotAllowed, match="The provider may have accepted it"):
        interventions.cancel(row, actor=staff.user, reason="asked")
    assert alice.balance == 760


@pytest.mark.parametrize("reason", ["", "  "])
def test_nothing_is_done_without_a_reason(alice: Person, staff: Person, reason: str) -> None:
    lost, row = reached(alice, State.FAILED), created(alice)
    calls = [
        lambda: again(lost, staff, reason=reason),
        lambda: interventions.fail_and_refund(row, actor=staff.user, reason=reason),
        lambda: interventions.cancel(row, actor=staff.user, reason=reason),
    ]
    before = (rows(), alice.balance)
    for call in calls:
        with pytest.raises(NotAllowed, match="A reason is required"):
            call()
    assert (rows(), alice.balance) == before
