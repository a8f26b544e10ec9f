"""The list of actions and what is done: neither has what the other lacks."""

from __future__ import annotations

import ast

import pytest
from django.contrib import admin
from django.db import transaction
from django.test import Client

from staff import audit
from staff.models import AuditEntry
from staff.pages import filters
from staff.pages.base import StaffAdmin
from tests.support.packages import ROOT, packages
from tests.support.people import Person, inside, make_staff

PRODUCT = set(packages()) - {"dev"}


def written() -> set[str]:
    """Every text in the product but in the list itself, and the names that are put together."""
    texts = set()
    for model, pages in admin.site._registry.items():
        if isinstance(pages, StaffAdmin):
            texts |= {f"{verb}_{model._meta.model_name}" for verb in ("add", "change")}
    paths = [path for package in PRODUCT for path in (ROOT / package).rglob("*.py")]
    for path in paths:
        if path != ROOT / "staff" / "audit.py":
            nodes = ast.walk(ast.parse(path.read_text()))
            texts |= {str(node.value) for node in nodes if isinstance(node, ast.Constant)}
    return texts


def test_every_action_of_the_list_is_done_somewhere() -> None:
    assert len(set(audit.ACTIONS)) == len(audit.ACTIONS)
    assert set(audit.ACTIONS) - written() == set()


def test_what_is_not_in_the_list_cannot_be_written_down(alice: Person) -> None:
    with pytest.raises(ValueError, match="dance"), transaction.atomic():
        audit.record(alice.user, "dance", alice.account)
    with pytest.raises(ValueError, match="add_account"), transaction.atomic():
        audit.record_bare(None, "add_account")
    assert not AuditEntry.objects.exists()


def test_the_filter_offers_every_action(client: Client) -> None:
    page = inside(make_staff()).get("/admin/staff/auditentry/").text
    assert [name for name in audit.ACTIONS if f"action={name}" not in page] == []
    assert not hasattr(filters, "ACTIONS")
