"""``/me/``: name, password, address; each asks again who it is when that is long ago."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from accounts import second_factor
from accounts.models import ConsoleSession, User
from console.middleware import COOKIE
from mail.models import Mail
from tests.support.console import browser
from tests.support.people import PASSWORD, Person, make_person
from tests.support.second_factors import enrol

NEW = "a-new-one-9-battery"
SENSITIVE = ("/me/password/", "/me/email/", "/me/second-factor/", "/me/recovery-codes/")
LATER = timedelta(minutes=16)


@pytest.fixture(autouse=True)
def _a_way_to_send(settings: Any) -> None:
    settings.ALLOW_EMULATOR = True
    settings.VERTEX_BASE_URL = "http://127.0.0.1:9"


def now(person: Person) -> User:
    return User.objects.get(pk=person.user.pk)


def link(client: Client, new: str) -> str:
    assert client.post("/me/email/", {"new_email": new})["Location"] == "/me/email/"
    text = Mail.objects.filter(kind="email_confirm").latest("created_at").text
    found = re.search(r"http://testserver(/confirm-email/\S+)", text)
    assert found is not None
    return found[1]


def test_a_name(alice: Person) -> None:
    client = browser(alice.user)
    answer = client.post("/me/", {"name": "Alice <b>\u202eL.\u2028"})
    assert (answer.status_code, answer["Location"]) == (303, "/me/")
    assert now(alice).first_name == "Alice <b>L."
    page = client.get("/me/").content.decode()
    assert "Alice &lt;b&gt;L." in page
    assert now(alice).username == "alice"
    for odd in ("x" * 151, "a\0b"):
        assert client.post("/me/", {"name": odd}).status_code == 200
    assert now(alice).first_name == "Alice <b>L."


def test_a_password(alice: Person) -> None:
    here, there = browser(alice.user), browser(alice.user)
    before = here.cookies[COOKIE].value
    form = {"current_password": PASSWORD, "new_password": NEW}
    answer = here.post("/me/password/", form)
    assert (answer.status_code, answer["Location"]) == (303, "/me/password/")
    assert "is changed" in here.get("/me/password/").content.decode()
    assert here.cookies[COOKIE].value != before
    assert there.get("/me/").status_code == 303
    assert now(alice).check_password(NEW)
    assert [mail.kind for mail in Mail.objects.all()] == ["password_changed"]


@pytest.mark.parametrize(
    ("current", "new"),
    [("wrong", NEW), ("", NEW), (PASSWORD, "short"), (PASSWORD, "alice"), (PASSWORD, "")],
)
def test_no_password(alice: Person, current: str, new: str) -> None:
    client = browser(alice.user)
    page = client.post("/me/password/", {"current_password": current, "new_password": new})
    assert page.status_code == 200
    assert page.context["form"].errors
    assert now(alice).check_password(PASSWORD)
    assert not Mail.objects.exists()


def test_an_address(alice: Person) -> None:
    client = browser(alice.user)
    path = link(client, "new@example.com")
    assert now(alice).email == "alice@example.com"
    stranger = Client()
    page = stranger.get(path)
    assert "new@example.com" in page.content.decode()
    assert (page["Referrer-Policy"], page["Cache-Control"]) == ("strict-origin", "no-store")
    assert now(alice).email == "alice@example.com", "GET changes nothing"
    answer = stranger.post(path)
    assert (answer.status_code, answer["Location"]) == (303, "/log-in/?done=email")
    assert COOKIE not in stranger.cookies
    assert now(alice).email == "new@example.com"
    assert now(alice).email_verified_at is not None
    assert Mail.objects.get(kind="email_changed").to == "alice@example.com"
    for again in (stranger.get(path), stranger.post(path)):
        assert again.status_code == 404
    assert client.get("/me/").status_code == 200, "nobody is logged out"


def test_the_same_browser_is_led_back(alice: Person) -> None:
    client = browser(alice.user)
    assert client.post(link(client, "new@example.com"))["Location"] == "/me/email/"


def test_an_address_that_somebody_has(alice: Person, bob: Person) -> None:
    client = browser(alice.user)
    page = client.post("/me/email/", {"new_email": "BOB@example.com"})
    assert "has this address already" in page.content.decode()
    path = link(client, "carol@example.com")
    make_person("carol")
    page = client.post(path)
    assert page.status_code == 409
    assert "has this address already" in page.content.decode()
    assert now(alice).email == "alice@example.com"


@pytest.mark.parametrize("odd", ["", "x", "a@b", "a\0@example.com", "x" * 300 + "@example.com"])
def test_no_address(alice: Person, odd: str) -> None:
    assert browser(alice.user).post("/me/email/", {"new_email": odd}).status_code == 200
    assert not Mail.objects.exists()


def test_where_no_mail_can_be_sent(alice: Person, settings: Any) -> None:
    settings.ALLOW_EMULATOR = False
    client = browser(alice.user)
    for page in (client.get("/me/email/"), client.post("/me/email/", {"new_email": "x@y.example"})):
        assert "no way to send mail" in page.content.decode()
    assert not Mail.objects.exists()


@pytest.mark.parametrize("path", SENSITIVE)
def test_what_is_sensitive_asks_again(alice: Person, path: str) -> None:
    client = browser(alice.user)
    with time_machine.travel(timezone.now() + LATER):
        for answer in (client.get(path), client.post(path)):
            assert answer.status_code == 303
            assert answer["Location"].startswith("/confirm/?next=")
        wrong = client.post("/confirm/", {"password": "wrong", "next": path})
        assert wrong.status_code == 200
        assert client.get(path).status_code == 303
        before = client.cookies[COOKIE].value
        right = client.post("/confirm/", {"password": PASSWORD, "next": path})
        assert (right.status_code, right["Location"]) == (303, path)
        assert client.get(path).headers.get("Location", "").startswith("/confirm/") is False
        assert client.cookies[COOKIE].value != before


def test_a_code_confirms_once(alice: Person) -> None:
    codes = enrol(alice.user)
    client = browser(alice.user)
    with time_machine.travel(timezone.now() + LATER):
        assert "Code" in client.get("/confirm/").content.decode()
        form = {"code": codes[0], "next": "//evil.example/"}
        assert client.post("/confirm/", form)["Location"] == "/c/"
        assert client.post("/confirm/", form).status_code == 200


def test_confirming_is_limited(alice: Person) -> None:
    client = browser(alice.user)
    codes = [client.post("/confirm/", {"password": PASSWORD}).status_code for _ in range(11)]
    assert codes == [303] * 10 + [429]


@pytest.mark.parametrize("path", [*SENSITIVE, "/me/", "/me/sessions/", "/confirm/"])
def test_who_is_not_in_is_asked_to(client: Client, path: str) -> None:
    assert client.get(path)["Location"].startswith("/log-in/?next=")
    assert client.post(path)["Location"].startswith("/log-in/")
    assert not ConsoleSession.objects.exists()


@pytest.mark.parametrize(
    "path", [*SENSITIVE, "/me/", "/me/sessions/x/end/", "/confirm/", "/log-out/", "/reset/"]
)
def test_another_sites_form_is_refused(alice: Person, path: str) -> None:
    client = browser(alice.user, enforce_csrf_checks=True)
    assert client.post(path).status_code == 403
    assert client.get("/me/").status_code == 200


@pytest.mark.parametrize("path", ["/me/password/", "/me/email/", "/me/second-factor/"])
def test_operators_change_theirs_elsewhere(alice: Person, path: str) -> None:
    User.objects.filter(pk=alice.user.pk).update(is_staff=True)
    enrol(alice.user)
    client = browser(now(alice))
    form = {"current_password": PASSWORD, "new_password": NEW, "new_email": "x@y.example", "off": 1}
    for answer in (client.get(path), client.post(path, form)):
        assert answer.status_code == 403
        assert "operators" in answer.content.decode()
    assert now(alice).check_password(PASSWORD)
    assert second_factor.has_one(alice.user)
