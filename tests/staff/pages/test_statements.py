"""How many statements a page costs: the same for one row and for many, and no count of all."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from credits import ledger
from mail import outbox
from mail.kinds import Kind
from staff import audit
from staff.pages.base import COUNT_CAP
from tests.support.people import inside, make_key, make_person, make_staff
from tests.support.purchases import a_dispute, a_payment
from tests.support.webhook_rows import a_delivery, an_endpoint

EVERY_PAGE = 6  # session, user, second factor; BEGIN, the session, COMMIT
# path: statements beside those, a capped count among them
PAGES = {
    "/admin/accounts/account/": 3,
    "/admin/accounts/account/?q=person-0": 5,
    "/admin/accounts/account/?state=suspended": 2,
    "/admin/accounts/apikey/": 2,
    "/admin/accounts/apikey/?q=person-0": 4,
    "/admin/accounts/user/": 3,
    "/admin/credits/ledgerentry/": 2,
    "/admin/credits/ledgerentry/?q=person-0": 4,
    "/admin/credits/ledgerentry/?kind__exact=grant&days=1": 2,
    "/admin/generation/catalogmodel/": 2,
    "/admin/payments/payment/": 2,
    "/admin/payments/payment/?q=person-0": 4,
    "/admin/payments/payment/?look=stuck": 2,
    "/admin/payments/payment/?look=disputed&state=paid": 2,
    "/admin/payments/reversal/": 2,
    "/admin/payments/reversal/?kind=answer&days=7": 2,
    "/admin/payments/reversal/?q=person-0": 5,
    "/admin/payments/creditpack/": 2,
    "/admin/mail/mail/": 2,
    "/admin/mail/mail/?q=person-0@example.com": 2,
    "/admin/mail/mail/?state=sent&kind=verify&days=1": 2,
    "/admin/events/webhookendpoint/": 2,
    "/admin/events/webhookendpoint/?q=person-0": 4,
    "/admin/events/webhookendpoint/?state=failing&days=1": 2,
    "/admin/events/webhookdelivery/": 2,
    "/admin/events/webhookdelivery/?q=person-0": 5,
    "/admin/events/webhookdelivery/?state=failed&reason=gone&type=generation.failed": 2,
    "/admin/staff/auditentry/": 3,
    "/admin/staff/auditentry/?action=suspend_account": 3,
}


@pytest.fixture
def browser(settings: Any) -> Client:
    settings.STRIPE_SECRET_KEY = "rk_test_x"  # without a key no payment is stuck
    return inside(make_staff())


def fill(number: int) -> None:
    for each in range(number):
        person = make_person(f"person-{each}")
        make_key(person.user, person.account)
        make_staff("support", f"colleague-{each}")
        ledger.grant(person.account.pk, 5, description="more")
        a_dispute(a_payment(person))
        outbox.queue(Kind.VERIFY, person.user.email, {"code": "1"}, user=person.user)
        a_delivery(an_endpoint(person))
        with transaction.atomic():
            audit.record(person.user, "suspend_account", person.account)


def statements(browser: Client, path: str) -> list[str]:
    with CaptureQueriesContext(connection) as asked:
        assert browser.get(path).status_code == 200, path
    return [query["sql"] for query in asked.captured_queries]


def test_no_page_costs_more_with_more_rows(browser: Client) -> None:
    fill(2)
    # the first request of a process reads content types and the like
    for path in PAGES:
        statements(browser, path)
    few = {path: statements(browser, path) for path in PAGES}
    for each in range(2, 12):
        person = make_person(f"person-{each}")
        a_dispute(a_payment(person))
        outbox.queue(Kind.VERIFY, person.user.email, {"code": "1"}, user=person.user)
        a_delivery(an_endpoint(person))
        make_staff("operator", f"colleague-{each}")
        with transaction.atomic():
            audit.record(person.user, "suspend_account", person.account)
    many = {path: statements(browser, path) for path in PAGES}
    for path, limit in PAGES.items():
        assert len(many[path]) == len(few[path]), path
        found = [sql for sql in many[path] if "SAVEPOINT" not in sql]
        assert len(found) == limit + EVERY_PAGE, (path, found)


def test_no_page_counts_a_whole_table(browser: Client) -> None:
    fill(1)
    for path in PAGES:
        counts = [sql for sql in statements(browser, path) if "COUNT(" in sql]
        assert counts, path
        for sql in counts:
            assert f"LIMIT {COUNT_CAP}" in sql, (path, sql)


def test_no_column_can_be_sorted_by(browser: Client) -> None:
    fill(1)
    for path in PAGES:
        page = browser.get(path)
        assert "?o=" not in page.text, path
