"""The operators' page of packs: what is sold from now on, and who changed it why."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.admin.utils import quote
from django.test import Client

from payments.models import CreditPack
from staff.models import AuditEntry
from tests.support.people import Person, inside, make_staff
from tests.support.purchases import PACK, a_payment

PACKS = "/admin/payments/creditpack/"
PAGE = f"{PACKS}{quote(PACK)}/change/"


@pytest.fixture
def browser() -> Client:
    return inside(make_staff("operator"))


def filled(**changes: str) -> dict[str, str]:
    """The form of the pack ``PACK`` as it is, but for ``changes``; an empty one is not ticked."""
    form = {"credits": "2500", "amount_minor": "2500", "enabled": "on", "position": "2"}
    found = form | {"reason": "the spring sale"} | changes
    return {name: value for name, value in found.items() if value}


def row() -> dict[str, Any]:
    return dict(CreditPack.objects.filter(pk=PACK).values().get())


def test_the_packs_are_listed_as_customers_see_them(browser: Client) -> None:
    page = browser.get(PACKS)
    names = [pack.pk for pack in page.context["cl"].result_list]
    assert names == ["credits_500", "credits_2500", "credits_10000", "credits_50000"]
    for shown in ("450.00 USD", "50,000", "0.95 USD", "0.90 USD", "1.00 USD"):
        assert shown in page.text


def test_a_change_keeps_what_was_sold_and_is_written_down(browser: Client, alice: Person) -> None:
    sold = a_payment(alice)
    changes = {"credits": "2600", "enabled": "", "position": "7"}
    assert browser.post(PAGE, filled(**changes)).status_code == 302
    assert row() == {
        "name": PACK,
        "credits": 2600,
        "amount_minor": 2500,
        "currency": "usd",
        "enabled": False,
        "position": 7,
    }
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.reason) == ("change_creditpack", "the spring sale")
    assert entry.changes == {"credits": [2500, 2600], "enabled": [True, False], "position": [2, 7]}
    sold.refresh_from_db()
    assert (sold.credits, sold.amount_minor) == (2500, 2500)


@pytest.mark.parametrize(
    "changes",
    [
        {"reason": ""},
        {"credits": "0"},
        {"credits": "-5"},
        {"credits": "1000001"},
        {"credits": "2.5"},
        {"amount_minor": "49"},
        {"amount_minor": "10000001"},
        {"amount_minor": "25.00"},
        {"amount_minor": "2500.00"},
        {"position": "-1"},
        {"position": "1001"},
        {"credits": "2778", "amount_minor": "2500"},  # more than 10 % off
        {"credits": "2499"},  # dearer than a cent
        {"amount_minor": "99999", "confirmed": ""},
    ],
)
def test_what_is_refused(changes: dict[str, str], browser: Client) -> None:
    before = row()
    answer = browser.post(PAGE, filled(**changes))
    assert answer.status_code == 200
    assert answer.context["errors"]
    assert row() == before
    assert not AuditEntry.objects.exists()


def test_a_price_unlike_the_others_has_to_be_meant(browser: Client) -> None:
    strange = filled(amount_minor="250000")
    asked = browser.post(PAGE, strange)
    assert "2,500 credits for 2,500.00 USD: tick this if you mean it" in asked.text
    assert browser.post(PAGE, strange | {"confirmed": "on"}).status_code == 302
    assert row()["amount_minor"] == 250_000
    assert AuditEntry.objects.get().changes == {"amount_minor": [2500, 250_000]}


def test_a_pack_is_added_and_neither_renamed_nor_deleted(browser: Client, alice: Person) -> None:
    new = filled(name="credits_1000", credits="1000", amount_minor="1000")
    assert browser.post(f"{PACKS}add/", new).status_code == 302
    added = CreditPack.objects.get(pk="credits_1000")
    assert (added.credits, added.currency, added.enabled) == (1000, "usd", True)
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.target_id) == ("add_creditpack", "credits_1000")
    assert browser.post(f"{PACKS}add/", new).status_code == 200  # the same name
    assert browser.post(f"{PACKS}add/", new | {"name": "a pack"}).status_code == 200
    assert browser.post(PAGE, filled(name="credits_9")).status_code == 302
    assert row()["name"] == PACK
    for path in (PAGE, f"{PACKS}{quote('credits_1000')}/change/"):
        assert (
            browser.post(path.replace("/change/", "/delete/"), {"post": "yes"}).status_code == 403
        )
    assert CreditPack.objects.count() == 5


def test_who_may_only_look_is_shown_no_form(alice: Person) -> None:
    page = inside(make_staff("billing")).get(PAGE)
    assert page.status_code == 200
    assert "25.00 USD" in page.text
    assert 'name="reason"' not in page.text
    assert 'name="amount_minor"' not in page.text
