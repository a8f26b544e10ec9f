"""The same guess at each door that looks at a password: the same answer, and the same entry."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from accounts.models import ApiKey, ConsoleSession
from staff.models import AuditEntry
from tests.support.console import browser
from tests.support.people import PASSWORD, Person, inside, make_staff, make_token

Door = Callable[[str, str], tuple[int, str]]


def api(name: str, password: str) -> tuple[int, str]:
    body = {"username": name, "password": password}
    answer = Client().post("/api/login/", body, "application/json")
    said = answer.json()
    return answer.status_code, said.get("error", "in")


def pages(name: str, password: str) -> tuple[int, str]:
    page = Client().post("/admin/login/", {"username": name, "password": password})
    if page.status_code == 302:
        return 302, "in"
    return page.status_code, page.context["form"].non_field_errors()[0]


def console(name: str, password: str) -> tuple[int, str]:
    page = Client().post("/log-in/", {"identity": name, "password": password})
    if page.status_code == 303:
        return 303, "in"
    return page.status_code, str(page.context["form"].non_field_errors())


DOORS = {"api": api, "operators": pages, "console": console}


@pytest.fixture
def people(alice: Person) -> dict[str, Any]:
    return {"alice": alice.user, "superuser": make_staff(), "nobody": None}


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("name", ["alice", "superuser", "nobody", "Superuser@staff.example.com"])
def test_a_wrong_password_is_noted_whatever_the_door(
    door: str, name: str, people: dict[str, Any]
) -> None:
    DOORS[door](name, "wrong")
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.reason) == ("refuse_log_in", "wrong name or password")
    assert entry.actor == people[name.lower().partition("@")[0]]
    assert entry.changes == {"address": "127.0.0.1", "door": door}
    assert "wrong'" not in str(entry.changes)
    assert name == "alice" or name.lower().startswith("super") or name not in str(vars(entry))


@pytest.mark.parametrize(
    ("door", "name", "reason"),
    [
        ("api", "superuser", "belongs to no account"),
        ("operators", "alice", "not one of the staff"),
        ("console", "superuser", "belongs to no account"),
    ],
)
def test_whom_a_door_is_not_for_learns_nothing_of_the_password(
    door: str, name: str, reason: str, people: dict[str, Any]
) -> None:
    """Not by the answer, not by the places left, and not by what comes of it."""
    wrong = [DOORS[door](name, "wrong") for _ in range(3)]
    right = DOORS[door](name, PASSWORD)
    assert {*wrong, right} == {right}
    reasons = list(AuditEntry.objects.order_by("id").values_list("reason", flat=True))
    assert reasons == ["wrong name or password"] * 3 + [reason]
    assert DOORS[door](name, "wrong") == right
    assert DOORS[door](name, PASSWORD)[0] == 429, "the right one gave no place back"
    assert AuditEntry.objects.count() == 5, "what was not looked at is not noted"
    assert not ApiKey.objects.filter(kind="token").exists()
    assert not ConsoleSession.objects.exists()


def test_the_doors_share_their_limits(people: dict[str, Any]) -> None:
    for door in ("api", "operators", "console", "console", "api"):
        assert DOORS[door]("superuser", "wrong")[0] in (401, 200)
    for door in DOORS:
        assert DOORS[door]("superuser", PASSWORD)[0] == 429
    assert AuditEntry.objects.count() == 5


def test_ones_own_password_is_guessed_no_faster_in_a_session_left_open() -> None:
    user = make_staff()
    client = inside(user)
    form = {"new_password1": "another-sentence-8", "new_password2": "another-sentence-8"}
    codes = []
    for _ in range(6):
        page = client.post("/admin/password_change/", form | {"old_password": "wrong"})
        codes.append(page.status_code)
    assert codes == [200] * 5 + [429]
    assert int(page.headers["Retry-After"]) > 0
    entries = AuditEntry.objects.all()
    assert [(entry.action, entry.actor) for entry in entries] == [("refuse_own_password", user)] * 5
    right = client.post("/admin/password_change/", form | {"old_password": PASSWORD})
    assert right.status_code == 429
    user.refresh_from_db()
    assert user.check_password(PASSWORD)


def test_a_customers_own_password_is_guessed_no_faster_by_changing_doors(alice: Person) -> None:
    client, headers = browser(alice.user), {"Authorization": f"Bearer {make_token(alice)}"}
    new = {"current_password": "wrong", "new_password": "another-sentence-8"}

    def status(door: str, password: str) -> int:
        body = new | {"current_password": password}
        if door == "api":
            path = "/api/password/"
            return Client().post(path, body, "application/json", headers=headers).status_code
        if door == "confirm":
            return client.post("/confirm/", {"password": password}).status_code
        return client.post("/me/password/", body).status_code

    doors = ("api", "confirm", "change", "change", "api")
    assert [status(door, "wrong") for door in doors] == [401, 200, 200, 200, 401]
    told = AuditEntry.objects.order_by("id").values_list("action", "actor", "changes__door")
    said = ["api", "console", "console", "console", "api"]
    assert list(told) == [("refuse_own_password", alice.user.pk, door) for door in said]
    for door in ("api", "confirm", "change"):
        assert status(door, PASSWORD) == 429
    assert AuditEntry.objects.count() == 5
    alice.user.refresh_from_db()
    assert alice.user.check_password(PASSWORD)


def test_ones_own_password_is_changed_with_an_entry() -> None:
    user = make_staff()
    client = inside(user)
    form = {"new_password1": "another-sentence-8", "new_password2": "another-sentence-8"}
    page = client.post("/admin/password_change/", form | {"old_password": PASSWORD})
    assert page.status_code == 302
    assert AuditEntry.objects.get().action == "change_own_password"
    user.refresh_from_db()
    assert user.check_password("another-sentence-8")
    assert client.get("/admin/").status_code == 200, "the session goes on"
