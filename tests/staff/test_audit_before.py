"""What an audit entry tells of before is what the verb saw under its lock, and no page's copy."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest
from django.db import connections, transaction
from django.db.models import QuerySet

from accounts.models import Account, User
from credits import ledger
from events.models import DeliveryState, DisabledReason, WebhookDelivery, WebhookEndpoint
from generation import lifecycle
from generation.models import CatalogModel, Generation
from generation.models.states import State
from payments.models import CreditPack
from staff import catalog, customers, generations, payments, roles, webhooks
from staff.models import AuditEntry
from staff.results import Result
from tests.staff.pages import test_packs
from tests.support.bring_to import (
    ROUTE,
    attempt_of,
    claimed,
    created,
    reached,
)
from tests.support.people import Person, inside, make_staff
from tests.support.purchases import PACK
from tests.support.racing import wait_until_blocked
from tests.support.webhook_rows import a_delivery, an_endpoint

WHY = {"reason": "it was asked for"}
THEN, SINCE = datetime(2026, 5, 1, tzinfo=UTC), datetime(2026, 5, 2, tzinfo=UTC)
SAID = "2026-05-02T00:00:00Z"  # SINCE in the log


def by_staff(verb: Callable[..., Result], stale: Generation) -> dict[str, object]:
    """Do it with the row as the page had read it; what the entry says has changed."""
    verb(make_staff(), stale, {"reason": "stuck"})
    changes: dict[str, object] = AuditEntry.objects.get().changes
    return changes


def test_a_row_that_went_on_since_the_page_was_read(alice: Person) -> None:
    stale = claimed(created(alice))
    assert lifecycle.begin_attempt(stale, ROUTE) is not None
    assert stale.state == State.QUEUED
    assert by_staff(generations.fail, stale) == {"state": ["submitting", "failed"]}


def test_a_row_that_came_back_since_the_page_was_read(alice: Person) -> None:
    stale = reached(alice, State.SUBMITTING)
    held = claimed(Generation.objects.get(pk=stale.pk))
    assert lifecycle.requeue(held, attempt_of(held), 5, "HTTP 429")
    assert by_staff(generations.cancel, stale) == {"state": ["queued", "canceled"]}


@pytest.mark.parametrize("before", [None, 7])
def test_limits(alice: Person, before: int | None) -> None:
    ledger.limit_open_charges(alice.account.pk, before)
    values = {"creates_per_minute": None, "reads_per_minute": None, "max_open_charges": 9}
    customers.limit(make_staff(), alice.account, values | {"reason": "trusted"})
    assert AuditEntry.objects.get().changes == {"max_open_charges": [before, 9]}


def resume(alice: Person) -> None:
    rows = Account.objects.filter(pk=alice.account.pk)
    rows.update(suspended_at=THEN)
    stale = rows.get()
    rows.update(suspended_at=SINCE)
    customers.resume(make_staff(), stale, WHY)


def suspend(alice: Person) -> None:
    rows = Account.objects.filter(pk=alice.account.pk)
    rows.update(suspended_at=THEN)
    stale = rows.get()
    rows.update(suspended_at=None)
    customers.suspend(make_staff(), stale, WHY)


def release_hold(alice: Person) -> None:
    rows = Account.objects.filter(pk=alice.account.pk)
    rows.update(payment_hold_at=THEN, payment_hold_reason="the first")
    stale = rows.get()
    rows.update(payment_hold_at=SINCE, payment_hold_reason="the second")
    payments.release_hold(make_staff(), stale, WHY)


def switch_off(alice: Person) -> None:
    stale = an_endpoint(alice, enabled=False, disabled_at=THEN)
    WebhookEndpoint.objects.update(enabled=True, disabled_at=None)
    webhooks.switch_off(make_staff(), stale, WHY)


def switch_on(alice: Person) -> None:
    stale = an_endpoint(alice)
    off = {"enabled": False, "disabled_at": THEN, "disabled_reason": DisabledReason.OPERATOR}
    WebhookEndpoint.objects.update(**off)
    webhooks.switch_on(make_staff(), stale, WHY)


def send_again(alice: Person) -> None:
    done = a_delivery(alice)
    stale = WebhookDelivery.objects.get(pk=done.pk)
    stale.state, stale.attempts_made = DeliveryState.PENDING, done.attempts_made + 5
    webhooks.send_again(make_staff(), stale, WHY)


BEFORE: dict[Callable[[Person], None], dict[str, object]] = {
    resume: {"suspended_at": SAID},
    suspend: {"suspended_at": None},
    release_hold: {"payment_hold_at": SAID, "payment_hold_reason": "the second"},
    switch_off: {"state": "on"},
    switch_on: {"state": "off: operator"},
    send_again: {"state": "succeeded"},
}


@pytest.mark.parametrize("verb", BEFORE, ids=lambda verb: verb.__name__)
def test_a_row_that_is_another_than_the_one_in_hand(
    verb: Callable[[Person], None], alice: Person
) -> None:
    verb(alice)
    changes = AuditEntry.objects.get().changes
    assert {name: changes[name][0] for name in BEFORE[verb]} == BEFORE[verb]


def meanwhile(
    observer: psycopg.Connection,
    rows: QuerySet[Any],
    send: Callable[[], object],
    change: Callable[[], object],
) -> None:
    """Do ``change`` while ``send`` waits in another thread for the lock of ``rows``."""

    def run() -> None:
        try:
            send()
        finally:
            connections.close_all()

    thread = threading.Thread(target=run)
    with transaction.atomic():
        assert list(rows.select_for_update())
        thread.start()
        wait_until_blocked(observer, rows.model._meta.db_table)
        change()
    thread.join(20)


@pytest.mark.parametrize(("to", "now"), [(True, None), (False, SINCE)])
def test_an_address_that_somebody_else_marks_meanwhile(
    to: bool, now: datetime | None, alice: Person, admin_connection: psycopg.Connection
) -> None:
    boss, rows = make_staff(), User.objects.filter(pk=alice.user.pk)
    rows.update(email_verified_at=THEN)
    verb = customers.verify_email if to else customers.unverify_email
    values = WHY | {"email": alice.user.email}
    meanwhile(
        admin_connection,
        rows,
        lambda: verb(boss, alice.account, values),
        lambda: rows.update(email_verified_at=now),
    )
    assert AuditEntry.objects.get().changes["email_verified_at"][0] == (now and SAID)


def test_a_model_that_somebody_else_changes_meanwhile(admin_connection: psycopg.Connection) -> None:
    """By the page and by the command, which end in the same verb."""
    rows = CatalogModel.objects.filter(pk="veo3")
    stale = rows.get()
    stale.price, stale.position = 500, 42
    columns, why = ["price", "position"], "a new list"
    meanwhile(
        admin_connection,
        rows,
        lambda: catalog.change_by("manage.py catalog", stale, columns, why),
        lambda: rows.update(price=507, position=41),
    )
    changes = AuditEntry.objects.get().changes
    assert (changes["price"], changes["position"]) == ([507, 500], [41, 42])


def test_a_pack_that_somebody_else_changes_meanwhile(admin_connection: psycopg.Connection) -> None:
    browser, rows = inside(make_staff("operator")), CreditPack.objects.filter(pk=PACK)
    sent = test_packs.filled(position="7", credits="2600")
    meanwhile(
        admin_connection,
        rows,
        lambda: browser.post(test_packs.PAGE, sent),
        lambda: rows.update(position=5, credits=2550),
    )
    assert AuditEntry.objects.get().changes == {"position": [5, 7], "credits": [2550, 2600]}


def test_a_role_that_somebody_else_gives_meanwhile(admin_connection: psycopg.Connection) -> None:
    """The form was filled in for who was of support; the lock is had by who makes it billing."""
    boss, carol = make_staff(), make_staff("support", "carol")
    change = {"username": "carol", "email": carol.email, "role": "operator", "is_active": "on"}
    answers: list[int] = []
    browser, path = inside(boss), f"/admin/accounts/user/{carol.pk}/change/"
    meanwhile(
        admin_connection,
        User.objects.filter(pk=carol.pk),
        lambda: answers.append(browser.post(path, change).status_code),
        lambda: roles.assign(User.objects.get(pk=carol.pk), "billing"),
    )
    assert answers == [302]
    assert AuditEntry.objects.get().changes["role"] == ["billing", "operator"]
    assert roles.role_of(User.objects.get(pk=carol.pk)) == "operator"


def test_assigning_tells_the_role_before() -> None:
    carol = make_staff("support", "carol")
    stale = User.objects.get(pk=carol.pk)
    assert roles.assign(carol, "superuser") == "support"
    assert not stale.is_superuser
    with transaction.atomic():
        roles.assign_by("manage.py create_staff", stale, "billing")
    assert AuditEntry.objects.get().changes["role"] == ["superuser", "billing"]
