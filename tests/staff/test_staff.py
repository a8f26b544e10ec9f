"""Who lets the staff in: a command, and superusers on their page."""

from __future__ import annotations

import io
import json
from typing import Any

import httpx
import pytest
from django.core.management import CommandError, call_command

from accounts.models import User
from staff import roles
from staff.models import AuditEntry
from tests.support.people import PASSWORD, Person, inside, make_staff

USERS = "/admin/accounts/user/"


def create(*arguments: str) -> dict[str, Any]:
    out = io.StringIO()
    call_command("create_staff", *arguments, stdout=out)
    found: dict[str, Any] = json.loads(out.getvalue())
    return found


def test_a_newcomer_gets_in_and_another_role_later() -> None:
    made = create("ops@example.com", "--role", "operator")
    user = User.objects.get(pk=made["user"])
    assert user.check_password(made["password"])
    assert (roles.role_of(user), user.is_staff, user.is_superuser) == ("operator", True, False)
    again = create("OPS@example.com", "--role", "superuser")
    assert "password" not in again
    user.refresh_from_db()
    assert (roles.role_of(user), user.is_superuser) == ("superuser", True)
    assert user.check_password(made["password"])
    down = create("ops@example.com", "--role", "support", "--password", PASSWORD)
    user = User.objects.get(pk=down["user"])
    assert (roles.role_of(user), user.is_superuser) == ("support", False)
    assert user.check_password(PASSWORD)
    noted = [entry.changes["role"] for entry in AuditEntry.objects.order_by("id")]
    assert noted == [["", "operator"], ["operator", "superuser"], ["superuser", "support"]]


@pytest.mark.parametrize(
    "arguments",
    [
        ("no-address", "--role", "support"),
        ("ops@example.com", "--role", "king"),
        ("ops@example.com", "--role", "support", "--password", "12345678"),
        ("ops@example.com", "--role", "support", "--username", "alice"),
    ],
)
def test_what_the_command_refuses(arguments: tuple[str, ...], alice: Person) -> None:
    with pytest.raises(CommandError):
        create(*arguments)
    assert User.objects.count() == 1
    assert not AuditEntry.objects.exists()


def test_superusers_add_change_and_let_go() -> None:
    browser = inside(make_staff())
    sent = {"username": "carol", "email": "carol@example.com", "role": "billing"}
    sent |= {"password1": PASSWORD, "password2": PASSWORD, "usable_password": "true"}
    assert browser.post(f"{USERS}add/", sent).status_code == 302
    carol = User.objects.get(username="carol")
    assert (roles.role_of(carol), carol.is_staff) == ("billing", True)
    change = {"username": "carol", "email": "carol@example.com", "role": "operator"}
    assert (
        browser.post(f"{USERS}{carol.pk}/change/", change | {"is_active": "on"}).status_code == 302
    )
    assert roles.role_of(User.objects.get(pk=carol.pk)) == "operator"
    assert browser.post(f"{USERS}{carol.pk}/change/", change).status_code == 302
    assert not User.objects.get(pk=carol.pk).is_active
    again = {"password1": PASSWORD + "x", "password2": PASSWORD + "x", "usable_password": "true"}
    assert browser.post(f"{USERS}{carol.pk}/password/", again).status_code == 302
    assert User.objects.get(pk=carol.pk).check_password(PASSWORD + "x")
    entries = list(AuditEntry.objects.order_by("id"))
    assert [entry.action for entry in entries] == ["add_user"] + ["change_user"] * 3
    assert entries[0].changes["role"] == ["", "billing"]
    assert entries[1].changes == {"role": ["billing", "operator"]}
    assert entries[2].changes == {"is_active": [True, False]}
    assert PASSWORD not in str([entry.changes for entry in entries])
    assert "pbkdf2" not in str([entry.changes for entry in entries])


def test_ones_own_password() -> None:
    browser = inside(make_staff("support"))
    sent = {"old_password": PASSWORD, "new_password1": "another-one-77"}
    path = "/admin/password_change/"
    assert browser.post(path, sent | {"new_password2": "other"}).status_code == 200
    assert not AuditEntry.objects.exists()
    assert browser.post(path, sent | {"new_password2": "another-one-77"}).status_code == 302
    assert AuditEntry.objects.get().action == "change_own_password"
    assert browser.get("/admin/").status_code == 200


def test_somebody_has_to_stay_who_lets_others_in(alice: Person) -> None:
    boss = make_staff()
    browser = inside(boss)
    change = {"username": boss.username, "email": boss.email, "is_active": "on", "role": "support"}
    for sent in (change, change | {"role": "superuser", "is_active": ""}):
        answer = browser.post(f"{USERS}{boss.pk}/change/", sent)
        assert "last superuser" in answer.text
    assert browser.get(f"{USERS}{alice.user.pk}/change/").status_code == 302, "no customer is here"
    taken = {"username": "carol", "email": "ALICE@example.com", "role": "support"}
    answer = browser.post(f"{USERS}add/", taken | {"password1": PASSWORD, "password2": PASSWORD})
    assert "Somebody has this e-mail address" in answer.text
    make_staff("superuser", "second")
    assert browser.post(f"{USERS}{boss.pk}/change/", change).status_code == 302


def test_two_policies(base_url: str) -> None:
    """Alpine evaluates on the operators' pages; nothing else of ours runs but what we serve."""
    with httpx.Client(base_url=base_url) as client:
        for path in ("/api/docs/", "/api/v1/models/", "/livez", "/nowhere"):
            policy = client.get(path).headers["Content-Security-Policy"]
            assert "default-src 'none'" in policy
            assert "unsafe" not in policy
        policy = client.get("/admin/login/").headers["Content-Security-Policy"]
        assert "script-src 'self' 'unsafe-eval'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "https:" not in policy
        lost = client.get("/admin/accounts/nothing/", follow_redirects=True)
        assert lost.headers["Content-Type"].startswith("text/html")
