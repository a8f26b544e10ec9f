"""What the longest and worst text costs in any field of the operators' pages, seen by walking them.

The way in is open to everybody, and a role that may only look must not stop the others either.
"""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import reverse

from accounts.models import User
from staff.models import AuditEntry
from tests.staff.test_roles import APART, NOBODY, PAGES, Things, things
from tests.support.people import PASSWORD, inside, make_staff
from tests.support.walked_forms import cookies, walk
from tests.support.worst_texts import BOUND, cost, marks, texts

__all__ = ["things"]

# A letter takes six bytes in a form, of which there may be 128 KiB.
FORM = (20_000, 4096)
LINE = (600,)  # of a request's first line gunicorn takes 4094 bytes
KINDS = ("an address of marks",)
WORST = texts(FORM, KINDS)


@pytest.fixture(autouse=True)
def _limits_aside(settings: Any) -> None:
    settings.RATE_LIMIT_LOGINS = 1_000_000


def test_the_way_in() -> None:
    client = Client()
    assert walk(client, "/admin/login/", WORST) >= 2  # name, password
    assert not AuditEntry.objects.exclude(action="refuse_log_in").exists()
    user = make_staff()
    client.post("/admin/login/", {"username": user.username, "password": PASSWORD})
    assert walk(client, reverse("admin:enroll"), WORST) >= 2  # code, next
    inside(user)
    assert walk(client, reverse("admin:second_factor"), WORST) >= 2
    for path in ("/admin/login/", "/admin/second-factor/", "/admin/enroll/", "/admin/leave/"):
        for text in (*texts(LINE, KINDS), "//" + marks(600), "http://" + marks(600)):
            for method in ("GET", "POST"):
                form = {"next": text} if method == "POST" else None
                status, took = cost(method, path, query={"next": text}, form=form)
                assert (took < BOUND, status < 500) == (True, True), (path, text[:3])


def test_a_name_that_is_too_long_is_not_looked_for(client: Client) -> None:
    make_staff()
    for length, looked in ((254, True), (255, False)):
        before = AuditEntry.objects.count()
        page = client.post("/admin/login/", {"username": "x" * length, "password": "y"})
        assert page.status_code == 200
        assert AuditEntry.objects.count() - before == looked
    page = client.post("/admin/login/", {"username": "x", "password": "y" * 4097})
    assert "at most 4096" in page.text
    assert AuditEntry.objects.count() == 1


def test_every_form(things: Things) -> None:
    client = inside(make_staff())
    seen = 0
    for name, need in PAGES.items():
        if need != NOBODY and name not in APART and not name.endswith(("_changelist", "_csv")):
            seen += walk(client, things.path(name), WORST)
    assert seen > 60
    assert User.objects.filter(is_staff=True).count() == 2


def test_every_list_and_the_search(things: Things) -> None:
    client = inside(make_staff())
    lists = {
        reverse(f"admin:{model._meta.label_lower.replace('.', '_')}_changelist"): [
            *("q", "o", "p", "all", "unknown__x"),
            *(getattr(one, "parameter_name", one) for one in pages.list_filter),
        ]
        for model, pages in admin.site._registry.items()
    }
    lists[reverse("admin:search")] = ["s", "extended"]
    for path, names in lists.items():
        for name in names:
            for text in texts(LINE, KINDS):
                query = {str(name): text, "s": text}
                status, took = cost("GET", path, query=query, head=cookies(client))
                assert took < BOUND, (path, name, text[:3])
                assert status < 500, (path, name, text[:3])
