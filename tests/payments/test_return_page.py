"""Where Stripe's page leads back to: the same for everybody, and a reason to ask Stripe."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest
from django.utils import timezone

from payments.models import Payment
from payments.models.states import State
from payments.stripe.orders import return_page as address_of
from tests.contract.test_our_faults import database_away
from tests.support.people import Person, make_token
from tests.support.purchases import a_payment

Api = Callable[..., httpx.Client]
WAY_IN = rb'href="/log-in/[^"]*"'
IN_EACH = ("content-length", "date", "x-request-id")  # headers that may differ


def path_of(account_id: object, payment_id: object) -> str:
    return f"/c/{account_id}/billing/payments/{payment_id}/"


def due(payment: Payment) -> datetime | None:
    payment.refresh_from_db()
    return payment.next_attempt_at


def test_it_is_where_stripe_leads_back_to(api: Api, alice: Person, settings: Any) -> None:
    settings.PUBLIC_BASE_URL = ""
    row = a_payment(alice, State.OPEN)
    path = address_of(alice.account.pk, row.pk)
    assert path == path_of(alice.account.pk, row.pk)
    answer = api().get(path)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert "If you paid, the credits are on their way." in answer.text


def test_it_is_the_same_for_every_address_and_visitor(api: Api, alice: Person, bob: Person) -> None:
    rows = [a_payment(alice, state) for state in State]
    paths = [path_of(alice.account.pk, row.pk) for row in rows]
    paths += [path_of(bob.account.pk, rows[0].pk), path_of(uuid.uuid4(), uuid.uuid4())]
    paths += [path_of("x", "y"), path_of("me", "%3Cscript%3E"), path_of("a" * 2000, "b" * 2000)]
    paths += [f"{paths[0]}?session_id=cs_1&x=<b>"]
    clients = [api(), api(alice.key), api(make_token(bob)), api("nonsense")]
    answers = [client.get(path) for path in paths for client in clients]
    assert {answer.status_code for answer in answers} == {200}
    # the way in leads back to the address, which the visitor knows already
    assert len({re.sub(WAY_IN, b"", answer.content) for answer in answers}) == 1
    assert all(b"script" not in answer.content for answer in answers)
    kept = [{k: v for k, v in answer.headers.items() if k not in IN_EACH} for answer in answers]
    assert all(headers == kept[0] for headers in kept)


def test_what_it_lets_a_browser_do(api: Api) -> None:
    answer = api().get(path_of(uuid.uuid4(), uuid.uuid4()))
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    for word in ("unsafe", "script-src", "http"):
        assert word not in policy
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert answer.headers["X-Robots-Tag"] == "noindex, nofollow"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["X-Frame-Options"] == "DENY"
    assert "Set-Cookie" not in answer.headers
    for word in ("<script", "style=", "http:", "https:"):
        assert word not in answer.text
    sheet, way_in = [part.split('"')[0] for part in answer.text.split('href="')[1:]]
    assert way_in.startswith("/log-in/")
    assert api().get(sheet).headers["Content-Type"].startswith("text/css")


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_it_can_only_be_looked_at(method: str, api: Api, alice: Person) -> None:
    row = a_payment(alice, State.OPEN)
    before = due(row)
    answer = api().request(method, path_of(alice.account.pk, row.pk))
    assert (answer.status_code, answer.headers["Allow"]) == (405, "GET, HEAD")
    assert due(row) == before


@pytest.mark.parametrize("state", list(State))
def test_a_visit_has_stripe_asked_until_it_is_paid(state: State, api: Api, alice: Person) -> None:
    """Money that comes after the end counts, too; nothing else changes by a visit."""
    row = a_payment(alice, state)
    before = Payment.objects.filter(pk=row.pk).values().get()
    assert api().get(path_of(alice.account.pk, row.pk)).status_code == 200
    moment = due(row)
    if state == State.PAID:
        assert moment is None
    else:
        assert moment is not None
        assert moment <= timezone.now()
    after = Payment.objects.filter(pk=row.pk).values().get()
    assert after == before | {"next_attempt_at": moment}


def test_at_most_once_in_five_seconds(api: Api, alice: Person) -> None:
    row, other = a_payment(alice, State.OPEN), a_payment(alice, State.OPEN)
    client, later = api(), timezone.now() + timedelta(hours=1)
    path = path_of(alice.account.pk, row.pk)
    assert client.get(path).status_code == 200
    Payment.objects.update(next_attempt_at=later)
    for _ in range(3):
        assert client.get(path).status_code == 200
    assert due(row) == later
    client.get(path_of(alice.account.pk, other.pk))
    assert due(other) != later


def test_another_accounts_path_asks_nobody(api: Api, alice: Person, bob: Person) -> None:
    row = a_payment(alice, State.OPEN)
    before = due(row)
    for account in (bob.account.pk, uuid.uuid4(), "x"):
        assert api().get(path_of(account, row.pk)).status_code == 200
    assert api().head(path_of(alice.account.pk, row.pk)).content == b""
    assert due(row) == before
    # and it used up nothing: its own path works at once
    api().get(path_of(alice.account.pk, row.pk))
    assert due(row) != before


def test_an_address_that_asks_too_much_sees_the_page_and_no_more(
    api: Api, alice: Person, settings: Any
) -> None:
    settings.RATE_LIMIT_ANONYMOUS = 2
    row = a_payment(alice, State.OPEN)
    before = due(row)
    for _ in range(2):
        api().get(path_of(alice.account.pk, uuid.uuid4()))
    assert api().get(path_of(alice.account.pk, row.pk)).status_code == 200
    assert due(row) == before


def test_whoever_has_paid_is_thanked_while_the_database_is_away(api: Api, alice: Person) -> None:
    path = path_of(alice.account.pk, a_payment(alice, State.OPEN).pk)
    page = api().get(path).content
    with database_away():
        answer = api().get(path)
    assert (answer.status_code, answer.content) == (200, page)


def test_what_is_no_page_of_the_console_is_no_json(api: Api) -> None:
    answer = api().get("/c/nothing/at/all/")
    assert answer.status_code == 404
    assert answer.headers["Content-Type"].startswith("text/html")
