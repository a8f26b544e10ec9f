"""Home: the balance and its worth, the first steps, the newest, and what everybody has to know."""

from __future__ import annotations

import re
import uuid
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Account, ApiKey, User
from console.pages.home import worth
from credits import ledger
from generation.models import CatalogModel
from generation.models.states import State
from tests.credits.test_constraints import charge
from tests.support.bring_to import created, reached
from tests.support.console import browser
from tests.support.forms import filled
from tests.support.people import Person, make_person
from tests.support.works import Works


def shown(person: Person) -> str:
    answer = browser(person.user).get(f"/c/{person.account.pk}/")
    assert answer.status_code == 200
    return answer.text


def steps_of(person: Person) -> dict[str, bool]:
    answer = browser(person.user).get(f"/c/{person.account.pk}/")
    return {step.title: step.is_done for step in answer.context["steps"]}


@pytest.mark.parametrize(
    ("balance", "words"),
    [
        (-760, "A video takes 240 credits"),
        (0, "A video takes 240 credits"),
        (239, "A video takes 240 credits"),
        (240, "≈ 1 fast video"),
        (1199, "≈ 4 fast videos"),
        (2_400_000, "≈ 10,000 fast videos"),
    ],
)
def test_what_a_balance_is_worth(balance: int, words: str) -> None:
    assert worth(balance) == words


def test_it_is_worth_what_the_catalog_sells() -> None:
    CatalogModel.objects.filter(name="veo3_fast").update(price=100)
    assert worth(1199) == "≈ 11 fast videos"


def test_another_first_model_is_not_called_fast() -> None:
    CatalogModel.objects.filter(name__contains="fast").update(enabled=False)
    assert "fast" not in worth(10_000)
    assert worth(10_000).startswith("≈ ")


def test_without_a_model_on_sale_it_says_nothing() -> None:
    CatalogModel.objects.update(enabled=False)
    assert worth(1000) == ""


def test_a_new_account_gets_the_playground_with_a_prompt() -> None:
    new = make_person("new")
    text = shown(new)
    assert "1,000 credits" in text
    assert "≈ 4 fast videos" in text
    fields = filled(text, "create")
    assert fields["prompt"][0].startswith("A red fox")
    client = browser(new.user)
    answer = client.post(f"/c/{new.account.pk}/create/", fields)
    assert (answer.status_code, new.balance) == (303, 760)
    assert '<form method="post" action="/c/' not in shown(new).partition("<main")[2]


def test_with_nothing_on_sale_it_says_so() -> None:
    CatalogModel.objects.update(enabled=False)
    assert "Nothing is on sale at the moment" in shown(make_person("new"))


def test_the_newest_three_with_links(alice: Person, works: Works) -> None:
    made = [reached(alice, State.COMPLETED, prompt=f"prompt <{number}>") for number in range(2)]
    made += [reached(alice, State.CANCELED, prompt="thrice"), created(alice, prompt="newest")]
    text = shown(alice)
    found = re.findall(r'gallery/([0-9a-f-]{36})/"', text)
    assert found == [str(each.pk) for each in reversed(made[1:])]
    assert "prompt &lt;1&gt;" in text
    assert "prompt &lt;0&gt;" not in text
    assert 'src="/media/' in text
    assert 'name="prompt"' not in text


def test_the_steps_go_away_one_by_one(works: Works) -> None:
    person = make_person("new")
    ApiKey.objects.all().update(kind="token", last_used_at=timezone.now())
    titles = ["Verify your e-mail address", "Make a video", "Make an API key"]
    titles += ["Call the API with it"]
    assert steps_of(person) == dict.fromkeys(titles, False)
    User.objects.update(email_verified_at=timezone.now())
    ApiKey.objects.all().update(kind="key", last_used_at=None)
    reached(person, State.FAILED)
    assert list(steps_of(person).values()) == [True, False, True, False]
    reached(person, State.COMPLETED)
    assert list(steps_of(person).values()) == [True, True, True, False]
    ApiKey.objects.update(last_used_at=timezone.now(), revoked_at=timezone.now())
    assert steps_of(person) == {}
    assert "First steps" not in shown(person)


def test_somebody_elses_steps_do_not_count(alice: Person, bob: Person, works: Works) -> None:
    reached(bob, State.COMPLETED)
    ApiKey.objects.filter(account=alice.account).delete()
    ApiKey.objects.update(last_used_at=timezone.now())
    assert not any(steps_of(alice).values())


def banners_of(person: Person) -> list[tuple[str, str]]:
    """The sentences, and where each one's button leads."""
    text = shown(person)
    return re.findall(
        r'<div class="banner [a-z]+">\s*<p>([^<]*)</p>\s*<a class="button[^"]*" href="([^"]*)"',
        text,
    )


def test_whoever_is_well_sees_no_banner(alice: Person) -> None:
    User.objects.update(email_verified_at=timezone.now())
    assert 'class="banner' not in shown(alice)


def test_each_banner_has_one_button(alice: Person) -> None:
    path = f"/c/{alice.account.pk}/"
    assert banners_of(alice) == [
        ("Your e-mail address is not verified yet. Buying credits needs it.", "/verify/")
    ]
    User.objects.update(email_verified_at=timezone.now())
    ledger.reverse(alice.account.pk, 1760, reversal_id=uuid.uuid4(), description="d")
    (negative,) = banners_of(alice)
    assert negative == (
        "−760: a payment was taken back. Buy credits to go on.",
        f"{path}billing/",
    )
    Account.objects.update(payment_hold_at=timezone.now())
    negative, hold = banners_of(alice)
    assert "on hold" in hold[0]
    assert hold[1] == f"{path}billing/"
    assert negative[0] == "−760: a payment was taken back."
    Account.objects.update(suspended_at=timezone.now(), suspended_reason="<fraud>")
    suspended, *others = banners_of(alice)
    assert "suspended" in suspended[0]
    assert suspended[1] == f"{path}ledger/"
    assert len(others) == 2
    text = shown(alice)
    assert "fraud" not in text
    assert "First steps" not in text
    assert f'href="{path}create/"' not in text.partition("<main")[2]
    assert "Nothing was made yet" in text


@pytest.mark.parametrize("page", ["", "ledger/"])
def test_few_statements(alice: Person, works: Works, page: str) -> None:
    for _ in range(4):
        reached(alice, State.COMPLETED)
    charge(alice)
    client = browser(alice.user)
    path = f"/c/{alice.account.pk}/{page}"
    client.get(path)
    with CaptureQueriesContext(connection) as asked:
        client.get(path)
    found: list[Any] = [query["sql"] for query in asked.captured_queries]
    assert len(found) <= 12, found
