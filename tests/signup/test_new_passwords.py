"""A new password ends what the old one let in, at every door where one is set."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable
from typing import Any

import httpx
import psycopg
import pytest
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.core.management import call_command
from django.db import connection, transaction
from django.utils import timezone

from accounts import keys, login
from accounts.models import Account, ApiKey, User
from common.errors import InvalidCredentials
from mail.models import Mail
from staff import customers, roles
from tests.support.people import PASSWORD, Person, inside, make_staff, make_token
from tests.support.racing import wait_until_blocked

Api = Callable[..., httpx.Client]

NEW = "another-sentence-77"
ACCOUNT = "/api/account/"


def by_the_api(api: Api, person: Person) -> str | None:
    """The answer has a token to go on with."""
    body = {"current_password": PASSWORD, "new_password": NEW}
    answer = api(make_token(person)).post("/api/password/", json=body)
    assert answer.status_code == 200, answer.text
    assert answer.headers["Cache-Control"].endswith("no-store")
    assert answer.json()["user"]["email"] == person.user.email
    return str(answer.json()["token"])


def command(name: str, person: Person, *arguments: str) -> None:
    call_command(name, person.user.email, *arguments, stdout=io.StringIO())


def by_create_account(api: Api, person: Person) -> None:
    command("create_account", person, "--password", NEW, "--account", str(person.account.pk))


def by_create_account_for_staff(api: Api, person: Person) -> None:
    named = ("--account", str(person.account.pk))
    command("create_account", person, "--password", NEW, "--staff", *named)


def by_create_staff(api: Api, person: Person) -> None:
    named = ("--existing-user", str(person.user.pk))
    command("create_staff", person, "--role", "support", "--password", NEW, *named)


def by_a_superuser(api: Api, person: Person) -> None:
    roles.assign(person.user, "support")
    sent = {"password1": NEW, "password2": NEW, "usable_password": "true"}
    path = f"/admin/accounts/user/{person.user.pk}/password/"
    assert inside(make_staff()).post(path, sent).status_code == 302


def by_a_superuser_who_takes_it_away(api: Api, person: Person) -> None:
    sent = {"usable_password": "false", "unset-password": "1"}
    roles.assign(person.user, "support")
    path = f"/admin/accounts/user/{person.user.pk}/password/"
    assert inside(make_staff()).post(path, sent).status_code == 302


def by_oneself_on_the_pages(api: Api, person: Person) -> None:
    roles.assign(person.user, "support")
    sent = {"old_password": PASSWORD, "new_password1": NEW, "new_password2": NEW}
    assert inside(person.user).post("/admin/password_change/", sent).status_code == 302


def by_the_model(api: Api, person: Person) -> None:
    user = User.objects.get(pk=person.user.pk)
    user.set_password(NEW)
    user.save()


DOORS = [
    by_the_api,
    by_create_account,
    by_create_account_for_staff,
    by_create_staff,
    by_a_superuser,
    by_a_superuser_who_takes_it_away,
    by_oneself_on_the_pages,
    by_the_model,
]


@pytest.mark.parametrize("door", DOORS)
def test_tokens_and_sessions_of_before_end(
    door: Callable[..., str | None], api: Api, alice: Person, bob: Person
) -> None:
    tokens = [make_token(alice) for _ in range(3)]
    foreign = make_token(bob)
    session = inside(alice.user)
    fresh = door(api, alice)
    assert [api(secret).get(ACCOUNT).status_code for secret in tokens] == [401] * 3
    assert api(foreign).get(ACCOUNT).status_code == 200
    assert session.get("/admin/").status_code in (302, 403)
    assert api().post("/api/login/", json=logging_in(PASSWORD)).status_code == 401
    if door is not by_a_superuser_who_takes_it_away:
        assert api().post("/api/login/", json=logging_in(NEW)).status_code == 200
    if fresh is not None:
        assert api(fresh).get(ACCOUNT).status_code == 200


def logging_in(password: str) -> dict[str, str]:
    return {"username": "alice", "password": password}


def test_a_hash_that_is_made_anew_ends_nothing(
    api: Api, alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Django stores a stronger one at a log-in, when there is one."""
    token, before = make_token(alice), User.objects.get().password
    monkeypatch.setattr(PBKDF2PasswordHasher, "iterations", 1001)
    assert api().post("/api/login/", json=logging_in(PASSWORD)).status_code == 200
    assert User.objects.get().password != before
    assert api(token).get(ACCOUNT).status_code == 200


def test_a_hash_that_is_made_anew_undoes_no_change(
    alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A log-in read the old hash before the change, and stores a stronger one behind it."""
    read_before = User.objects.get()
    by_change = User.objects.get()
    by_change.set_password(NEW)
    by_change.save()
    monkeypatch.setattr(PBKDF2PasswordHasher, "iterations", 1001)
    assert read_before.check_password(PASSWORD)
    assert User.objects.get().check_password(NEW)
    with pytest.raises(InvalidCredentials), transaction.atomic():
        login.hold(read_before, read_before.password)


def test_what_else_is_saved_undoes_no_change(alice: Person) -> None:
    for fields in ((), ("first_name",)):
        read_before = User.objects.defer(*fields).get()
        by_change = User.objects.get()
        by_change.set_password(NEW)
        by_change.save()
        read_before.last_name = "A."
        read_before.save()
        assert User.objects.get().last_name == "A."
        assert User.objects.get().check_password(NEW)


def test_what_else_is_saved_ends_nothing(api: Api, alice: Person) -> None:
    token = make_token(alice)
    user = User.objects.get()
    user.first_name = "Alice"
    user.save()
    assert api(token).get(ACCOUNT).status_code == 200


@pytest.mark.parametrize(
    ("change", "status", "details"),
    [
        ({"current_password": "wrong"}, 401, None),
        ({"current_password": None}, 400, {"current_password": "This field is required"}),
        ({"new_password": None}, 400, {"new_password": "This field is required"}),
        ({"new_password": 7}, 400, {"new_password": "Must be a string"}),
        ({"new_password": "password1"}, 400, {"new_password": "This password is too common"}),
        (
            {"new_password": "alice@example.com"},
            *(400, {"new_password": "The password is too similar to the e-mail"}),
        ),
        ({"new_password": "x" * 4097}, 400, {"new_password": "Must be at most 4096 characters"}),
    ],
)
def test_refused_and_nothing_changed(
    change: dict[str, Any], status: int, details: Any, api: Api, alice: Person
) -> None:
    token, other = make_token(alice), make_token(alice)
    before = User.objects.get().password
    body = {"current_password": PASSWORD, "new_password": NEW} | change
    answer = api(token).post("/api/password/", json=body)
    assert answer.status_code == status, answer.text
    if status == 401:
        assert answer.json()["code"] == "invalid_credentials"
    else:
        assert answer.json()["details"] == details
    assert User.objects.get().password == before
    for secret in (token, other):
        assert api(secret).get(ACCOUNT).status_code == 200
    assert ApiKey.objects.tokens().count() == 2
    assert not Mail.objects.exists()


def test_a_mail_tells_of_it(api: Api, alice: Person) -> None:
    body = {"current_password": PASSWORD, "new_password": NEW}
    assert api(make_token(alice)).post("/api/password/", json=body).status_code == 200
    mail = Mail.objects.get()
    assert (mail.kind, mail.to, mail.user) == ("password_changed", alice.user.email, alice.user)


def test_a_key_changes_no_password(api: Api, alice: Person) -> None:
    body = {"current_password": PASSWORD, "new_password": NEW}
    answer = api(alice.key).post("/api/password/", json=body)
    assert (answer.status_code, answer.json()["code"]) == (403, "permission_denied")
    assert User.objects.get().check_password(PASSWORD)


def test_operators_change_theirs_where_it_is_noted(api: Api, alice: Person) -> None:
    roles.assign(alice.user, "support")
    token = make_token(alice)
    body = {"current_password": PASSWORD, "new_password": NEW}
    answer = api(token).post("/api/password/", json=body)
    assert (answer.status_code, answer.json()["code"]) == (403, "permission_denied")
    assert "/admin/password_change/" in answer.json()["error"]
    assert User.objects.get().check_password(PASSWORD)
    assert api(token).get(ACCOUNT).status_code == 200


def test_guessing_here_counts_like_guessing_at_the_log_in(api: Api, alice: Person) -> None:
    client = api(make_token(alice))
    codes = [
        client.post(
            "/api/password/", json={"current_password": f"guess {n}", "new_password": NEW}
        ).status_code
        for n in range(7)
    ]
    assert codes == [401] * 5 + [429] * 2
    assert api().post("/api/login/", json=logging_in(PASSWORD)).status_code == 429
    assert User.objects.get().check_password(PASSWORD)


@pytest.mark.parametrize("verb", ["log_in", "change_password", "on_the_pages"])
def test_who_comes_with_a_password_that_is_being_changed_is_too_late(
    verb: str, alice: Person, admin_connection: psycopg.Connection
) -> None:
    """It had looked at the old hash before the change took the user's row."""
    token = make_token(alice)
    secret = keys.find(token)
    assert secret is not None
    heard: list[Any] = []
    if verb == "on_the_pages":
        roles.assign(alice.user, "support")
    browser = inside(alice.user)
    thiefs = "a-thiefs-own-77"

    def late() -> None:
        try:
            if verb == "log_in":
                login.log_in("alice", PASSWORD, "127.0.0.1")
            elif verb == "change_password":
                login.change_password(secret, PASSWORD, thiefs, "127.0.0.1", heard.append)
            else:
                sent = {"new_password1": thiefs, "new_password2": thiefs}
                answer = browser.post("/admin/password_change/", sent | {"old_password": PASSWORD})
                heard.extend(answer.context["form"].errors["old_password"])
        except InvalidCredentials as error:
            heard.append(error)
        finally:
            connection.close()

    thief = threading.Thread(target=late)
    with transaction.atomic():
        user = User.objects.select_for_update(no_key=True).get()
        thief.start()
        wait_until_blocked(admin_connection, "accounts_user")
        user.set_password(NEW)
        user.save()
    thief.join()
    assert len(heard) == 1
    assert not keys.tokens_of(alice.user).exists()
    assert User.objects.get().check_password(NEW)


def test_who_is_suspended_is_refused_by_whatever_acted_before(api: Api, alice: Person) -> None:
    secrets = [make_token(alice), alice.key]
    customers.suspend(make_staff(), alice.account, {"reason": "x"})
    for secret in secrets:
        answer = api(secret).get(ACCOUNT)
        assert (answer.status_code, answer.json()["code"]) == (403, "account_suspended")
    body = {"current_password": PASSWORD, "new_password": NEW}
    assert api(secrets[0]).post("/api/password/", json=body).status_code == 403
    assert api().post("/api/login/", json=logging_in(PASSWORD)).status_code == 403
    assert Account.objects.get().suspended_at <= timezone.now()  # type: ignore[operator]


def test_who_is_let_go_logs_in_anew_when_they_come_back(api: Api, alice: Person) -> None:
    roles.assign(alice.user, "support")
    token, browser = make_token(alice), inside(make_staff())
    path = f"/admin/accounts/user/{alice.user.pk}/change/"
    change = {"username": "alice", "email": alice.user.email, "role": "support"}
    assert browser.post(path, change).status_code == 302
    assert api(token).get(ACCOUNT).status_code == 401
    assert browser.post(path, change | {"is_active": "on"}).status_code == 302
    assert api(token).get(ACCOUNT).status_code == 401
    assert api().post("/api/login/", json=logging_in(PASSWORD)).status_code == 200
