"""The audit log: written with the change or not at all, and never changed again."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest
from django.db import transaction
from django.db.transaction import TransactionManagementError

from accounts.models import Account
from staff import audit
from staff.models import AuditEntry
from tests.support.people import Person
from tests.support.provoke import Breach

BREACHES = [
    Breach("audit_is_append_only", "UPDATE staff_auditentry SET reason = 'another'"),
    Breach("audit_is_append_only", "DELETE FROM staff_auditentry"),
    Breach(
        "audit_is_not_truncated",
        "TRUNCATE staff_auditentry",
        raised="audit_is_append_only",
        as_owner=True,
    ),
]


def suspended(person: Person, **more: Any) -> None:
    audit.record(
        person.user, "suspend_account", person.account, account_id=person.account.pk, **more
    )


def test_every_rule_refuses(alice: Person, admin_connection: psycopg.Connection) -> None:
    with transaction.atomic():
        suspended(alice, reason="fraud")
    for breach in BREACHES:
        assert breach.provoke({}, admin_connection) == (breach.raised or breach.rule), breach
    assert AuditEntry.objects.get().reason == "fraud"


def test_an_entry_is_the_changes_own(alice: Person) -> None:
    with pytest.raises(TransactionManagementError):
        suspended(alice)
    with transaction.atomic():
        Account.objects.update(suspended_reason="fraud")
        suspended(alice)
        transaction.set_rollback(True)
    assert not AuditEntry.objects.exists()
    assert Account.objects.get().suspended_reason == ""


def test_what_an_entry_says(alice: Person) -> None:
    with transaction.atomic():
        changes = {"reads_per_minute": [None, 9], "password": ["a", "b"]}
        suspended(alice, reason="x" * 600, changes=changes)
    entry = AuditEntry.objects.get()
    assert (entry.actor, entry.action) == (alice.user, "suspend_account")
    assert (entry.target_type, entry.target_id) == ("accounts.account", str(alice.account.pk))
    assert entry.account_id == alice.account.pk
    assert entry.reason == "x" * 500
    assert entry.changes == {"reads_per_minute": [None, 9], "password": audit.HIDDEN}
