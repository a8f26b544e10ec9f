"""What the dashboard tells of payments, and to whom."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

from django.test import Client
from django.utils import timezone

from payments.models.states import State
from tests.support.operators import browser_of, make_operator
from tests.support.people import Person
from tests.support.purchases import a_dispute, a_payment

LINK = re.compile(r'href="(/admin/payments/[^"]+)">')


def tiles(browser: Client) -> dict[str, str]:
    """What each tile shows, by the page that it leads to."""
    page = browser.get("/admin/").text
    part = page[page.index('id="payments"') :].partition("</div>")[0]
    shown = {}
    for tile in part.split("<a ")[1:]:
        link = LINK.search(tile)
        assert link is not None
        shown[link[1].replace("&amp;", "&")] = tile.partition("<strong")[2].partition("<")[0]
    return shown


def test_what_waits_for_a_person(alice: Person, settings: Any) -> None:
    settings.STRIPE_SECRET_KEY = "rk_test_x"
    permissions = ("view_payment", "view_reversal", "view_ledgerentry")
    nothing = tiles(browser_of(make_operator(*permissions)))
    assert list(nothing.values()) == [">0"] * 4
    a_payment(alice, State.OPEN, next_attempt_at=timezone.now() - timedelta(hours=1))
    a_payment(alice, State.MISMATCH)
    due_by = timezone.now() + timedelta(days=2)
    a_dispute(a_payment(alice), due_by=due_by + timedelta(days=2))
    a_dispute(a_payment(alice), due_by=due_by)
    a_dispute(a_payment(alice), status="under_review", due_by=due_by - timedelta(days=1))
    browser = browser_of(make_operator(*permissions, name="other"))
    shown = tiles(browser)
    payments, reversals = "/admin/payments/payment/", "/admin/payments/reversal/"
    bad = ' class="ops-bad">'
    assert shown[f"{payments}?look=stuck"] == f"{bad}1"
    assert shown[f"{payments}?look=mismatched"] == f"{bad}1"
    assert shown[f"{reversals}?kind=answer"] == f"{bad}2"
    assert f"the first by {due_by:%Y-%m-%d %H:%M}" in browser.get("/admin/").text
    for path, told in shown.items():
        found = browser.get(path).context["cl"].result_count
        assert "state=paid" in path or told.endswith(f">{found}")


def test_who_may_not_see_payments_is_shown_none(alice: Person) -> None:
    browser = browser_of(make_operator("view_generation", "view_ledgerentry"))
    page = browser.get("/admin/")
    assert 'id="payments"' not in page.text
    assert "payments" not in page.context
