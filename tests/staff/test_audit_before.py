"""What an audit entry tells of before is what the verb saw under its lock, and no page's copy."""

from __future__ import annotations

import threading
from collections.abc import Callable

import psycopg
import pytest
from django.db import connections, transaction

from accounts.models import User
from credits import ledger
from generation import lifecycle
from generation.models import Generation
from generation.models.states import State
from staff import customers, generations, roles
from staff.models import AuditEntry
from staff.results import Result
from tests.support.bring_to import (
    ROUTE,
    attempt_of,
    claimed,
    created,
    reached,
)
from tests.support.people import Person, inside, make_staff
from tests.support.racing import wait_until_blocked


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


def test_a_role_that_somebody_else_gives_meanwhile(admin_connection: psycopg.Connection) -> None:
    """The form was filled in for who was of support; the lock is had by who makes it billing."""
    boss, carol = make_staff(), make_staff("support", "carol")
    change = {"username": "carol", "email": carol.email, "role": "operator", "is_active": "on"}
    answers: list[int] = []
    browser = inside(boss)

    def send() -> None:
        try:
            path = f"/admin/accounts/user/{carol.pk}/change/"
            answers.append(browser.post(path, change).status_code)
        finally:
            connections.close_all()

    thread = threading.Thread(target=send)
    with transaction.atomic():
        other = User.objects.select_for_update().get(pk=carol.pk)
        thread.start()
        wait_until_blocked(admin_connection, "accounts_user")
        roles.assign(other, "billing")
    thread.join(20)
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
