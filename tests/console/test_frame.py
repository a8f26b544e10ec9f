"""The frame: whose cookie is sent where, which answers are pages, and what a page may load."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.test import Client

from accounts import sessions
from accounts.models import Account, ConsoleSession, Membership, User
from console.middleware import COOKIE
from tests.support.console import browser
from tests.support.people import PASSWORD, Person, inside, make_person, make_staff


@pytest.fixture
def alice() -> Person:
    return make_person("alice", 1234)


def home(person: Person) -> str:
    return f"/c/{person.account.pk}/"


def logged_in(person: Person, **options: Any) -> Client:
    client = Client(**options)
    answer = client.post("/log-in/", {"identity": person.user.username, "password": PASSWORD})
    assert (answer.status_code, answer["Location"]) == (303, "/c/")
    return client


def test_a_log_in_leads_home(alice: Person) -> None:
    client = logged_in(alice, headers={"User-Agent": "Firefox\0 9" + "x" * 5000})
    assert client.get("/c/")["Location"] == home(alice)
    page = client.get(home(alice))
    assert page.status_code == 200
    assert "1,234 credits" in page.content.decode()
    row = ConsoleSession.objects.get()
    assert (row.user, row.address, row.browser[:9]) == (alice.user, "127.0.0.1", "Firefox 9")
    assert row.session_key != client.cookies[COOKIE].value


def test_the_cookie(alice: Person, settings) -> None:
    settings.SESSION_COOKIE_SECURE = True
    cookie = logged_in(alice).cookies[COOKIE]
    assert cookie["path"] == "/"
    assert (cookie["samesite"], cookie["httponly"], cookie["secure"]) == ("Lax", True, True)
    assert 0 < int(cookie["max-age"]) <= 14 * 86_400


def test_the_operators_cookie_stays_at_theirs(settings) -> None:
    assert (settings.SESSION_COOKIE_SAMESITE, settings.SESSION_COOKIE_PATH) == ("Strict", "/admin/")


def test_a_cookie_opens_only_its_own_door(alice: Person) -> None:
    """The console's opens neither API nor /admin/; the operators' opens no console."""
    client = logged_in(alice)
    answer = client.get("/api/v1/credits/")
    assert (answer.status_code, answer.json()["code"]) == (401, "not_authenticated")
    assert not answer.cookies
    assert client.get("/admin/").status_code == 302
    operator = make_staff()
    answer = inside(operator).get("/c/")
    assert answer["Location"] == "/log-in/?next=%2Fc%2F"


def test_a_stranger_gets_no_session(client: Client) -> None:
    for path in ("/log-in/", "/nothing/", home(make_person("bob"))):
        answer = client.get(path)
        assert set(answer.cookies) <= {"csrftoken"}
    assert not ConsoleSession.objects.exists()


def test_who_is_not_in_is_asked_to(client: Client, alice: Person) -> None:
    answer = client.get(home(alice) + "?a=b")
    assert answer.status_code == 303
    assert answer["Location"] == f"/log-in/?next=%2Fc%2F{alice.account.pk}%2F%3Fa%3Db"
    answer = client.get(home(alice), headers={"HX-Request": "true"})
    assert answer["HX-Redirect"].startswith("/log-in/")


@pytest.mark.parametrize("wanted", ["/c/", "/me/?a=b"])
def test_then_it_leads_on(client: Client, alice: Person, wanted: str) -> None:
    form = {"identity": "alice", "password": PASSWORD, "next": wanted}
    assert client.post("/log-in/", form)["Location"] == wanted


@pytest.mark.parametrize(
    "wanted",
    ["//evil.example/", "https://evil.example/", "/\\evil.example", "javascript:x", "\t//x"],
)
def test_but_never_elsewhere(client: Client, alice: Person, wanted: str) -> None:
    form = {"identity": "alice", "password": PASSWORD, "next": wanted}
    assert client.post("/log-in/", form)["Location"] == "/c/"


def test_a_wrong_password(client: Client, alice: Person) -> None:
    answer = client.post("/log-in/", {"identity": "alice", "password": "wrong"})
    assert answer.status_code == 200
    assert "wrong" in answer.content.decode()
    assert 'value="alice"' in answer.content.decode()
    assert COOKIE not in answer.cookies
    for _ in range(5):
        answer = client.post("/log-in/", {"identity": "alice", "password": "wrong"})
    assert answer.status_code == 429
    assert int(answer["Retry-After"]) > 0


def test_a_planted_cookie_is_worth_nothing(alice: Person) -> None:
    client = Client()
    client.cookies[COOKIE] = "a" * 32
    client.post("/log-in/", {"identity": "alice", "password": PASSWORD})
    assert client.cookies[COOKIE].value != "a" * 32


def test_logging_out_ends_it(alice: Person) -> None:
    client = logged_in(alice)
    kept = client.cookies[COOKIE].value
    assert client.post("/log-out/").status_code == 303
    assert not ConsoleSession.objects.exists()
    client.cookies[COOKIE] = kept
    assert client.get(home(alice)).status_code == 303


@pytest.mark.parametrize("end", ["password", "deactivated", "ended", "lifetime"])
def test_what_ends_a_session(alice: Person, settings, end: str) -> None:
    client = browser(alice.user)
    assert client.get(home(alice)).status_code == 200
    if end == "password":
        alice.user.set_password("another-one-9-battery")
        alice.user.save()
    elif end == "deactivated":
        User.objects.update(is_active=False)
    elif end == "ended":
        assert sessions.end_all(alice.user) == 1
    else:
        settings.CONSOLE_SESSION_LIFETIME = 0
        ConsoleSession.objects.update(expire_date="2020-01-01T00:00Z")
    assert client.get(home(alice)).status_code == 303


def test_all_others_can_be_ended(alice: Person) -> None:
    here, there = browser(alice.user), browser(alice.user)
    assert sessions.of(alice.user).count() == 2
    assert sessions.end_all(alice.user, but=here.cookies[COOKIE].value) == 1
    assert here.get(home(alice)).status_code == 200
    assert there.get(home(alice)).status_code == 303


def test_sessions_that_are_over_are_deleted(alice: Person, settings) -> None:
    here, _, staff = browser(alice.user), browser(alice.user), inside(make_staff())
    assert sessions.delete_ended() == 0
    cookie = here.cookies[COOKIE].value
    over = ConsoleSession.objects.exclude(session_key=sessions.digest(cookie))
    assert over.update(expire_date="2020-01-01T00:00Z") == 1
    assert Session.objects.update(expire_date="2020-01-01T00:00Z") == 1
    assert sessions.delete_ended() == 2
    assert here.get(home(alice)).status_code == 200
    assert staff.get("/admin/").status_code == 302


@pytest.mark.parametrize(
    "account", ["x", "a\0b", "x" * 5000, "00000000-0000-4000-8000-000000000000"]
)
def test_no_such_account(alice: Person, account: str) -> None:
    answer = browser(alice.user).get(f"/c/{account}/")
    assert answer.status_code == 404
    assert "no such page" in answer.content.decode()


def test_a_foreign_account_is_like_none(alice: Person) -> None:
    bob = make_person("bob")
    client = browser(bob.user)
    assert client.get(home(alice)).status_code == 404
    assert client.get(home(bob)).status_code == 200


def test_somebody_without_an_account_is_told_so() -> None:
    assert browser(make_staff()).get("/c/").status_code == 403


def test_two_accounts_side_by_side(alice: Person) -> None:
    bob = make_person("bob", 7)
    Membership.objects.create(user=alice.user, account=bob.account)
    client = browser(alice.user)
    assert "7 credits" in client.get(home(bob)).content.decode()
    assert "1,234 credits" in client.get(home(alice)).content.decode()


@pytest.mark.parametrize(
    ("path", "is_json"),
    [
        ("/api/nothing/", True),
        ("/api/v1/nothing", True),
        ("/webhooks/nothing/", True),
        ("/livez/nothing/", True),
        ("/nothing/", False),
        ("/nothing", False),
        ("/c/x/nothing/at/all/", False),
        ("/apis/", False),
    ],
)
def test_programs_get_json_and_people_pages(client: Client, path: str, is_json: bool) -> None:
    answer = client.get(path)
    assert answer.status_code == 404
    assert answer["Content-Type"].startswith("application/json" if is_json else "text/html")


def test_without_the_last_slash(alice: Person) -> None:
    assert browser(alice.user).get(home(alice).rstrip("/")).status_code == 200


def test_another_method(alice: Person) -> None:
    answer = browser(alice.user).post(home(alice))
    assert (answer.status_code, answer["Allow"]) == (405, "GET, HEAD")
    assert "text/html" in answer["Content-Type"]


def test_a_form_of_another_site(alice: Person) -> None:
    client = Client(enforce_csrf_checks=True)
    answer = client.post("/log-in/", {"identity": "alice", "password": PASSWORD})
    assert answer.status_code == 403
    assert "another site sent the form" in " ".join(answer.content.decode().split())


@pytest.mark.parametrize("path", ["/log-in/", "/nothing/"])
def test_what_a_page_may_load(client: Client, path: str) -> None:
    policy = client.get(path)["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy
    assert client.get(path)["Cache-Control"] == "private, no-store"


def test_a_suspended_account_can_be_read(alice: Person) -> None:
    Account.objects.update(suspended_at="2026-01-01T00:00Z")
    page = browser(alice.user).get(home(alice))
    assert page.status_code == 200
    assert "suspended" in page.content.decode()


def test_it_takes_few_statements(alice: Person, django_assert_max_num_queries) -> None:
    client = browser(alice.user)
    client.get(home(alice))
    # session, person, membership, wallet; steps, newest, spending
    with django_assert_max_num_queries(10):
        client.get(home(alice))
