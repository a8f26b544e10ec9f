"""Log-in with a second factor: between password and code nobody is in, and no cookie survives."""

from __future__ import annotations

import re
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
import time_machine
from django.contrib.auth import SESSION_KEY
from django.test import Client
from django.utils import timezone

from accounts.models import ConsoleSession, User
from console.middleware import COOKIE
from console.sessions import SessionStore
from staff.models import AuditEntry
from tests.support.console import browser
from tests.support.people import PASSWORD, Person
from tests.support.racing import race
from tests.support.second_factors import code_of, enrol, forgive

CODE = "/log-in/code/"


def half_in(person: Person, **more: str) -> Client:
    """A browser in which the password was right."""
    client = Client()
    form = {"identity": person.user.username, "password": PASSWORD, **more}
    answer = client.post("/log-in/", form)
    assert (answer.status_code, answer["Location"]) == (303, CODE)
    return client


def is_in(client: Client) -> bool:
    location: str = client.get("/me/").headers.get("Location", "")
    return not location.startswith("/log-in/")


def test_a_password_alone_opens_nothing(alice: Person) -> None:
    enrol(alice.user)
    client = half_in(alice)
    assert not is_in(client)
    assert client.get(f"/c/{alice.account.pk}/").status_code == 303
    row = ConsoleSession.objects.get()
    assert row.user is None
    assert SESSION_KEY not in SessionStore().decode(row.session_data)
    page = client.get(CODE)
    assert page.status_code == 200
    assert "Code" in page.content.decode()
    assert not client.get("/log-in/").context["user"].is_authenticated


def test_a_code_of_the_app_comes_in(alice: Person) -> None:
    enrol(alice.user)
    client = half_in(alice, next="/me/sessions/")
    planted = client.cookies[COOKIE].value
    answer = client.post(CODE, {"code": code_of(alice.user)})
    assert (answer.status_code, answer["Location"]) == (303, "/me/sessions/")
    assert is_in(client)
    assert client.cookies[COOKIE].value != planted
    assert ConsoleSession.objects.get().user == alice.user
    thief = Client()
    thief.cookies[COOKIE] = planted
    assert not is_in(thief)
    assert thief.get(CODE)["Location"] == "/log-in/"


def test_a_recovery_code_comes_in_once(alice: Person) -> None:
    codes = enrol(alice.user)
    client = half_in(alice)
    assert client.post(CODE, {"code": f" {codes[0].upper()} "}).status_code == 303
    assert is_in(client)
    again = half_in(alice)
    page = again.post(CODE, {"code": codes[0]})
    assert page.status_code == 200
    assert "no code that works now" in page.content.decode()
    assert not is_in(again)


def test_two_browsers_with_one_code_come_in_once(alice: Person, settings: Any) -> None:
    settings.RATE_LIMIT_LOGINS = 50
    codes = enrol(alice.user)
    browsers = [half_in(alice) for _ in range(6)]
    tries = [partial(each.post, CODE, {"code": codes[0]}) for each in browsers]
    race(tries, at_once=6)
    assert sum(is_in(each) for each in browsers) == 1


def test_wrong_codes_are_limited(alice: Person, settings: Any) -> None:
    settings.RATE_LIMIT_LOGINS = 3
    enrol(alice.user)
    client = half_in(alice)
    answers = race([partial(client.post, CODE, {"code": "000000"})] * 8, at_once=8)
    codes = sorted(int(getattr(each, "status_code", 0)) for each in answers)
    assert codes == [200] * 3 + [429] * 5, answers
    refused = half_in(alice).post(CODE, {"code": code_of(alice.user)})
    assert refused.status_code == 429
    assert int(refused["Retry-After"]) > 0


@pytest.mark.parametrize("code", ["", " ", "0" * 41, "a\0b", "١٢٣٤٥٦"])
def test_odd_codes(alice: Person, code: str) -> None:
    enrol(alice.user)
    client = half_in(alice)
    assert client.post(CODE, {"code": code}).status_code == 200
    assert not is_in(client)


def test_half_way_ends(alice: Person) -> None:
    enrol(alice.user)
    client = half_in(alice)
    with time_machine.travel(timezone.now() + timedelta(seconds=590)):
        assert client.get(CODE).status_code == 200
    with time_machine.travel(timezone.now() + timedelta(seconds=610)):
        assert client.get(CODE).status_code == 303


@pytest.mark.parametrize("end", ["password", "deactivated"])
def test_what_ends_half_way(alice: Person, end: str) -> None:
    codes = enrol(alice.user)
    client = half_in(alice)
    if end == "password":
        alice.user.set_password("another-one-9-battery")
        alice.user.save()
    else:
        User.objects.update(is_active=False)
    answer = client.post(CODE, {"code": codes[0]})
    assert answer["Location"] == "/log-in/"
    assert not is_in(client)


def test_nobody_types_a_code_without_a_password(alice: Person, client: Client) -> None:
    codes = enrol(alice.user)
    assert client.get(CODE)["Location"] == "/log-in/"
    assert client.post(CODE, {"code": codes[0]})["Location"] == "/log-in/"
    assert COOKIE not in client.cookies
    assert not ConsoleSession.objects.exists()


def test_a_code_is_its_owners(alice: Person, bob: Person) -> None:
    codes = enrol(alice.user)
    enrol(bob.user)
    client = half_in(bob)
    assert client.post(CODE, {"code": codes[0]}).status_code == 200
    forgive(bob.user)
    assert client.post(CODE, {"code": code_of(alice.user)}).status_code == 200
    assert not is_in(client)


def test_a_new_password_step_forgets_the_first(alice: Person, bob: Person) -> None:
    enrol(alice.user)
    codes = enrol(bob.user)
    client = half_in(alice)
    client.post("/log-in/", {"identity": "bob", "password": PASSWORD})
    client.post(CODE, {"code": codes[0]})
    assert client.get("/me/").context["user"] == bob.user


def test_somebody_else_who_was_logged_in_is_not_any_more(alice: Person, bob: Person) -> None:
    enrol(alice.user)
    client = browser(bob.user)
    client.post("/log-in/", {"identity": "alice", "password": PASSWORD})
    assert not is_in(client)
    assert not ConsoleSession.objects.filter(user=bob.user).exists()


def test_the_operators_log_notes_only_their_own_way_out(alice: Person) -> None:
    User.objects.filter(pk=alice.user.pk).update(is_staff=True)
    client = browser(User.objects.get(pk=alice.user.pk))
    assert client.post("/log-out/").status_code == 303
    assert not AuditEntry.objects.exists()


@pytest.mark.parametrize(
    "wanted",
    [
        "//evil.example/", "https://evil.example/", "/\\evil.example", "/\t/evil.example",
        "/\n/evil.example", "\t//x", "javascript:x", "/" + "x" * 2000, "/%5C\\x", "/a\u2028b",
    ],
)  # fmt: skip
def test_never_elsewhere(alice: Person, wanted: str) -> None:
    codes = enrol(alice.user)
    client = half_in(alice, next=wanted)
    assert client.post(CODE, {"code": codes[0]})["Location"] == "/c/"


def test_another_sites_form_is_refused(alice: Person) -> None:
    codes = enrol(alice.user)
    client = Client(enforce_csrf_checks=True)
    client.cookies = half_in(alice).cookies
    assert client.post(CODE, {"code": codes[0]}).status_code == 403
    assert not is_in(client)


@pytest.mark.parametrize(
    ("path", "fields", "says"),
    [
        ("/sign-up/", {"email": "a\0@b.example", "password": PASSWORD}, "Enter a valid e-mail"),
        ("/sign-up/", {"email": "a@b.example", "password": "\0"}, "Null characters"),
        ("/log-in/", {"identity": "a\0", "password": "b"}, "Null characters"),
        ("/reset/", {"email": "a\0@b.example"}, "Enter a valid email"),
    ],
)
def test_a_nul_gets_one_sentence(path: str, fields: dict[str, str], says: str) -> None:
    answer = Client().post(path, fields)
    [said] = re.findall(r'<p class="error"[^>]*>(.*?)</p>', answer.text)
    assert said.startswith(says)
    assert said.count(".") <= 1
