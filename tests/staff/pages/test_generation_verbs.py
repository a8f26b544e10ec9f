"""Retry, fail and cancel by an operator's hand: action × state × permission, and sent twice."""

from __future__ import annotations

import uuid

import pytest
from django.test import Client

from common.fresh import Fresh
from credits.models import LedgerEntry
from generation.models import CatalogModel, Generation
from generation.models.states import OPEN, TERMINAL, UNDELIVERED, State
from staff.models import AuditEntry
from tests.support.bring_to import claimed, created, reached
from tests.support.operators import ACT, GRANT, SEE, browser_of, make_operator, operator
from tests.support.people import Person, make_person

GENERATIONS = "/admin/generation/generation/"
VERBS = ("retry", "fail", "cancel")
ALLOWED: dict[str, tuple[State, ...]] = {
    "retry": UNDELIVERED,
    "fail": OPEN,
    "cancel": (State.QUEUED,),
}
CASES = [(verb, state) for verb in VERBS for state in (*OPEN, *TERMINAL)]


@pytest.fixture
def browser() -> Client:
    return operator(GRANT)


def path_of(verb: str, row: Generation) -> str:
    return f"{GENERATIONS}{row.pk}/{verb}/"


def sent(verb: str, **changes: str) -> dict[str, str]:
    """What the form of a verb sends."""
    values = {"reason": "was stuck"}
    if verb == "retry":
        values |= {"paid_by": "charge", "token": str(uuid.uuid4())}
    return values | changes


def everything() -> tuple[object, ...]:
    """What a refusal must leave as it is."""
    rows = Generation.objects.order_by("pk").values_list("pk", "state", "version")
    return list(rows), LedgerEntry.objects.count(), AuditEntry.objects.count()


@pytest.mark.parametrize(("verb", "state"), CASES)
def test_each_action_is_for_the_states_that_allow_it(
    browser: Client, alice: Person, verb: str, state: State
) -> None:
    row = reached(alice, state)
    allowed = state in ALLOWED[verb]
    page = browser.get(f"{GENERATIONS}{row.pk}/change/")
    assert (path_of(verb, row) in [each["url"] for each in page.context["actions"]]) == allowed
    before = everything()
    answer = browser.post(path_of(verb, row), sent(verb))
    if not allowed:
        assert answer.status_code == 409
        assert f"It is {state}" in answer.text or "may have accepted it" in answer.text
        assert everything() == before
        return
    assert answer.status_code == 302
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.reason) == (f"{verb}_generation", "was stuck")
    assert (entry.target_id, entry.account_id) == (str(row.pk), alice.account.pk)
    assert entry.actor is not None
    assert entry.actor.username == "olga"
    after = Generation.objects.get(pk=row.pk)
    assert after.state == {"retry": state, "fail": "failed", "cancel": "canceled"}[verb]
    shown = Generation.objects.filter(retry_of=row).first() if verb == "retry" else row
    assert shown is not None
    assert answer["Location"] == f"{GENERATIONS}{shown.pk}/change/"
    assert alice.balance == (760 if verb == "retry" else 1000)


@pytest.mark.parametrize("verb", VERBS)
def test_each_action_is_for_those_who_may(alice: Person, verb: str) -> None:
    row = reached(alice, State.FAILED) if verb == "retry" else claimed(created(alice))
    others = [each for each in ACT if each != f"{verb}_generation"]
    browser = browser_of(make_operator(*SEE, *others))
    page = browser.get(f"{GENERATIONS}{row.pk}/change/")
    assert path_of(verb, row) not in page.text
    before = everything()
    assert browser.get(path_of(verb, row)).status_code == 403
    assert browser.post(path_of(verb, row), sent(verb)).status_code == 403
    assert everything() == before
    blind = browser_of(make_operator(*ACT, name="blind"))
    assert blind.post(path_of(verb, row), sent(verb)).status_code == 403
    assert Client().post(path_of(verb, row), sent(verb)).status_code == 302  # to the log-in
    assert everything() == before


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("reason", ["", "   ", "x" * 201])
def test_each_action_wants_a_reason(browser: Client, alice: Person, verb: str, reason: str) -> None:
    row = reached(alice, State.FAILED) if verb == "retry" else created(alice)
    before = everything()
    answer = browser.post(path_of(verb, row), sent(verb, reason=reason))
    assert (answer.status_code, "reason" in answer.context["form"].errors) == (200, True)
    assert everything() == before


@pytest.mark.parametrize("changes", [{"paid_by": ""}, {"paid_by": "us"}, {"token": ""}])
def test_a_retry_wants_to_know_who_pays(
    browser: Client, alice: Person, changes: dict[str, str]
) -> None:
    row = reached(alice, State.FAILED)
    before = everything()
    assert browser.post(path_of("retry", row), sent("retry", **changes)).status_code == 200
    assert everything() == before


@pytest.mark.parametrize("paid_by", ["charge", "grant"])
def test_the_form_shows_the_price_and_sent_twice_it_orders_once(
    browser: Client, alice: Person, paid_by: str
) -> None:
    row = reached(alice, State.FAILED)
    CatalogModel.objects.filter(pk=row.model_id).update(price=250)
    page = browser.get(path_of("retry", row))
    assert "Charge the account 250 credits again (it has 1000)" in page.text
    assert "Grant 250 credits" in page.text
    assert page.context["form"]["paid_by"].value() is None  # nobody pays by default
    values = sent("retry", paid_by=paid_by, token=str(page.context["form"]["token"].value()))
    first, second = (browser.post(path_of("retry", row), values) for _ in range(2))
    assert first["Location"] == second["Location"]
    assert Generation.objects.filter(retry_of=row).count() == 1
    assert AuditEntry.objects.count() == 1
    assert alice.balance == (750 if paid_by == "charge" else 1000)
    other = browser.post(path_of("retry", row), sent("retry", paid_by=paid_by))
    assert (other.status_code, "tried again already" in other.text) == (409, True)


def test_a_retry_that_the_house_pays_for_is_for_those_who_may_give_credits(alice: Person) -> None:
    row = reached(alice, State.FAILED)
    browser = operator()
    page = browser.get(path_of("retry", row))
    assert [value for value, _ in page.context["form"].fields["paid_by"].choices] == ["charge"]
    before = everything()
    assert browser.post(path_of("retry", row), sent("retry", paid_by="grant")).status_code == 403
    assert everything() == before
    assert browser.post(path_of("retry", row), sent("retry")).status_code == 302
    assert alice.balance == 760


@pytest.mark.parametrize("verb", ["fail", "cancel"])
def test_sent_twice_it_refunds_once(browser: Client, alice: Person, verb: str) -> None:
    row = created(alice)
    assert browser.post(path_of(verb, row), sent(verb)).status_code == 302
    again = browser.post(path_of(verb, row), sent(verb))
    assert (again.status_code, alice.balance) == (409, 1000)
    assert [entry.kind for entry in alice.entries] == ["grant", "charge", "refund"]
    assert AuditEntry.objects.count() == 1


def test_a_refusal_says_why(browser: Client) -> None:
    poor = make_person("poor", 300)
    lost = reached(poor, State.FAILED)
    created(poor)
    answer = browser.post(path_of("retry", lost), sent("retry"))
    assert answer.status_code == 409
    assert "Insufficient credits. Need 240, have 60" in answer.text
    CatalogModel.objects.filter(pk=lost.model_id).update(enabled=False)
    Fresh.clear_all()
    assert "veo3_fast is no longer on sale" in browser.get(path_of("retry", lost)).text
    assert AuditEntry.objects.count() == 0
