"""The operators' pages of endpoints and deliveries: what they show, find, and never show."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from events.models import DeliveryState, DisabledReason, FailedReason, Type
from generation.models.states import State
from staff.pages.webhook_lists import STATES
from tests.support.bring_to import created, reached
from tests.support.people import Person, inside, make_staff
from tests.support.webhook_rows import (
    HOST,
    SECRET_PATH,
    a_delivery,
    an_attempt,
    an_endpoint,
    an_event,
    deleted,
    switched_off,
)

ENDPOINTS = reverse("admin:events_webhookendpoint_changelist")
DELIVERIES = reverse("admin:events_webhookdelivery_changelist")


@pytest.fixture
def browser() -> Client:
    return inside(make_staff("support"))


def page_of(row: Any) -> str:
    return reverse(f"admin:{row._meta.label_lower.replace('.', '_')}_change", args=[row.pk])


def listed(browser: Client, path: str, **query: str) -> set[Any]:
    answer = browser.get(path, query)
    assert answer.status_code == 200
    return {row.pk for row in answer.context["cl"].result_list}


def test_never_more_of_a_url_than_its_host(browser: Client, alice: Person) -> None:
    """Its path or query may be a secret. The sealed secrets are not even read."""
    generation = reached(alice, State.COMPLETED)
    endpoint = an_endpoint(alice)
    sent, ordered = (a_delivery(to, of=generation) for to in (endpoint, alice))
    paths = [ENDPOINTS, DELIVERIES, *map(page_of, (endpoint, sent, ordered, generation))]
    paths += [f"{page_of(row).removesuffix('change/')}history/" for row in (endpoint, sent)]
    with CaptureQueriesContext(connection) as asked:
        pages = [browser.get(path) for path in paths]
    for path, page in zip(paths, pages, strict=True):
        assert page.status_code == 200
        assert "t0ken" not in page.text
        assert SECRET_PATH not in page.text
        assert endpoint.secret not in page.text
        assert HOST in page.text or "history" in path, path
    for query in asked.captured_queries:
        assert 'secret"' not in query["sql"].partition("FROM")[0]


def test_an_endpoints_page_tells_who_switched_it_off(browser: Client, alice: Person) -> None:
    for reason in DisabledReason:
        assert f"off: {reason}" in browser.get(page_of(switched_off(alice, reason))).text
    assert "off: its customer" in browser.get(page_of(switched_off(alice))).text
    gone = deleted(alice)
    assert browser.get(page_of(gone)).context["state"] == "deleted"
    for verb in ("switch-off", "switch-on", "recover"):
        assert f"{gone.pk}/{verb}/" not in browser.get(page_of(gone)).text


def test_a_deliverys_page_tells_each_attempt(browser: Client, alice: Person) -> None:
    generation = reached(alice, State.FAILED)
    delivery = a_delivery(an_endpoint(alice), DeliveryState.FAILED, of=generation)
    an_attempt(delivery, 1, status_code=None, error="timeout", duration_ms=15_000)
    an_attempt(delivery, 2, status_code=503, error="http_status")
    page = browser.get(page_of(delivery))
    said = [(one["number"], one["outcome"], one["took"]) for one in page.context["attempts"]]
    assert said == [(2, "503 http_status", "0.3 s"), (1, "timeout", "15.0 s")]
    assert "exhausted" in page.text
    assert reverse("admin:generation_generation_change", args=[generation.pk]) in page.text


def test_a_generations_page_lists_its_deliveries(browser: Client, alice: Person) -> None:
    generation, other = reached(alice, State.COMPLETED), created(alice)
    to_endpoint = a_delivery(an_endpoint(alice), of=generation)
    to_order = a_delivery(alice, DeliveryState.PENDING, of=generation)
    page = browser.get(page_of(generation)).text
    for delivery in (to_endpoint, to_order):
        assert page_of(delivery) in page
    assert "Its end was sent to nobody" in browser.get(page_of(other)).text


def test_deliveries_are_found_by_every_id(browser: Client, alice: Person, bob: Person) -> None:
    generation = reached(alice, State.COMPLETED)
    endpoint, ended = an_endpoint(alice), deleted(alice)
    one, two = a_delivery(endpoint, of=generation), a_delivery(alice, of=generation)
    old = a_delivery(ended)
    a_delivery(an_endpoint(bob))
    everything = {one.pk, two.pk, old.pk}
    found = {
        f"dlv_{one.pk.hex}": {one.pk},
        f" EVT_{one.event_id.hex.upper()} ": {one.pk, two.pk},
        f"we_{endpoint.pk.hex}": {one.pk},
        f"we_{ended.pk.hex}": {old.pk},
        str(generation.pk): {one.pk, two.pk},
        str(created(alice).pk): set(),
        str(alice.account.pk): everything,
        alice.user.email: everything,
        f"dlv_{endpoint.pk.hex}": set(),
        "we_x": set(),
    }
    for term, rows in found.items():
        assert listed(browser, DELIVERIES, q=term) == rows, term


def test_endpoints_are_found_by_every_id(browser: Client, alice: Person, bob: Person) -> None:
    endpoint, ended, other = an_endpoint(alice), deleted(alice), an_endpoint(bob)
    delivery = a_delivery(endpoint)
    found = {
        f"we_{endpoint.pk.hex}": {endpoint.pk},
        f"dlv_{delivery.pk.hex}": {endpoint.pk},
        f"evt_{delivery.event_id.hex}": {endpoint.pk},
        f"dlv_{a_delivery(alice).pk.hex}": set(),
        str(alice.account.pk): {endpoint.pk, ended.pk},
        "bob@example.com": {other.pk},
    }
    for term, rows in found.items():
        assert listed(browser, ENDPOINTS, q=term) == rows, term


def test_filters_of_deliveries(browser: Client, alice: Person) -> None:
    endpoint = an_endpoint(alice)
    rows = {state: a_delivery(endpoint, state).pk for state in DeliveryState}
    failed = {
        reason: a_delivery(endpoint, DeliveryState.FAILED, failed_reason=reason).pk
        for reason in FailedReason
        if reason != FailedReason.EXHAUSTED
    } | {FailedReason.EXHAUSTED: rows[DeliveryState.FAILED]}
    canceled = a_delivery(endpoint, of=an_event(alice, Type.CANCELED)).pk
    for query in ({}, {"q": f"we_{endpoint.pk.hex}"}):
        assert listed(browser, DELIVERIES, state="pending", **query) == {
            rows[DeliveryState.PENDING]
        }
        assert listed(browser, DELIVERIES, state="failed", **query) == set(failed.values())
        assert listed(browser, DELIVERIES, type=Type.CANCELED, **query) == {canceled}
        for reason, row in failed.items():
            assert listed(browser, DELIVERIES, reason=reason, **query) == {row}
    assert browser.get(DELIVERIES, {"state": "x", "reason": "y", "type": "z"}).status_code == 200
    for look_up in ("url__contains", "endpoint__secret__startswith", "endpoint__url__regex"):
        assert browser.get(DELIVERIES, {look_up: "a"}).status_code == 400


def test_filters_of_endpoints(browser: Client, alice: Person) -> None:
    failing = an_endpoint(alice, last_attempt_succeeded=False)
    rows = {
        "on": {an_endpoint(alice).pk, failing.pk},
        "failing": {failing.pk},
        "off": {switched_off(alice).pk},
        **{f"off_{reason}": {switched_off(alice, reason).pk} for reason in DisabledReason},
        "deleted": {deleted(alice).pk},
    }
    assert set(rows) == set(STATES)
    for state, found in rows.items():
        for query in ({}, {"q": alice.user.email}):
            assert listed(browser, ENDPOINTS, state=state, **query) == found, state
    for look_up in ("url__contains", "secret__startswith"):
        assert browser.get(ENDPOINTS, {look_up: "a"}).status_code == 400


def test_an_accounts_page_leads_to_both(browser: Client, alice: Person) -> None:
    page = browser.get(reverse("admin:accounts_account_change", args=[alice.account.pk])).text
    for path in (ENDPOINTS, DELIVERIES):
        assert f"{path}?q={alice.account.pk}" in page
