"""``/me/sessions/``: where one is logged in, and whose sessions one can end."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from accounts import sessions
from accounts.models import ConsoleSession
from console import browsers
from console.middleware import COOKIE
from tests.support.console import browser
from tests.support.people import PASSWORD, Person
from tests.support.second_factors import enrol

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:150.0) Gecko/20100101 Firefox/150.0"


def id_of(client: Client) -> str:
    return sessions.digest(client.cookies[COOKIE].value)


def end(client: Client, session: str) -> int:
    code: int = client.post(f"/me/sessions/{session}/end/").status_code
    return code


def test_the_list(alice: Person, bob: Person) -> None:
    here, other = browser(alice.user), browser(bob.user)
    there = Client(headers={"User-Agent": FIREFOX})
    there.post("/log-in/", {"identity": "alice", "password": PASSWORD})
    text = here.get("/me/sessions/").content.decode()
    assert text.count("this one") == 1
    assert "Firefox on Linux" in text
    assert "127.0.0.1" in text
    assert id_of(there) in text
    assert id_of(other) not in text
    for client in (here, there):
        assert client.cookies[COOKIE].value not in text


def test_ending_one(alice: Person) -> None:
    here, there = browser(alice.user), browser(alice.user)
    assert end(here, id_of(there)) == 303
    assert there.get("/me/").status_code == 303
    assert here.get("/me/").status_code == 200
    assert end(here, id_of(there)) == 404


def test_ending_this_one(alice: Person) -> None:
    client = browser(alice.user)
    kept = client.cookies[COOKIE].value
    answer = client.post(f"/me/sessions/{id_of(client)}/end/")
    assert answer["Location"] == "/log-in/"
    client.cookies[COOKIE] = kept
    assert client.get("/me/").status_code == 303
    assert not ConsoleSession.objects.exists()


def test_somebody_elses_stays(alice: Person, bob: Person) -> None:
    client, other = browser(alice.user), browser(bob.user)
    assert end(client, id_of(other)) == 404
    assert end(client, other.cookies[COOKIE].value) == 404
    assert other.get("/me/").status_code == 200
    enrol(bob.user)
    half = Client()
    half.post("/log-in/", {"identity": "bob", "password": PASSWORD})
    assert end(client, id_of(half)) == 404


@pytest.mark.parametrize("odd", ["x", "0" * 40, "x" * 3000, "%20", "%F0%9F%98%80"])
def test_odd_ids(alice: Person, odd: str) -> None:
    assert end(browser(alice.user), odd) == 404


def test_what_has_expired_is_not_listed(alice: Person) -> None:
    here, there = browser(alice.user), browser(alice.user)
    old = ConsoleSession.objects.filter(session_key=id_of(there))
    old.update(expire_date=timezone.now() - timedelta(seconds=1))
    assert id_of(there) not in here.get("/me/sessions/").content.decode()
    assert end(here, id_of(there)) == 404


def test_get_ends_nothing(alice: Person) -> None:
    here, there = browser(alice.user), browser(alice.user)
    assert here.get(f"/me/sessions/{id_of(there)}/end/").status_code == 405
    assert there.get("/me/").status_code == 200


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        (FIREFOX, "Firefox on Linux"),
        (
            "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/1 Chrome/156 Safari/1 Edg/156",
            "Edge on Windows",
        ),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 20_0 like Mac OS X) Safari/604", "Safari on iPhone"),
        ("curl/8", "curl/8"),
        ("x" * 200, "x" * 60),
        ("", "An unknown browser"),
    ],
)
def test_names_of_browsers(said: str, shown: str) -> None:
    assert browsers.named(said) == shown
