"""``/reset/``: the page that sends a link, and the one that it leads to."""

from __future__ import annotations

import logging
import re
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import ConsoleSession, User
from common.telemetry.log_lines import line_formatter
from console.middleware import COOKIE
from mail.models import Mail
from tests.support.console import browser
from tests.support.people import PASSWORD, Person, make_token
from tests.support.second_factors import enrol

NEW = "a-new-one-9-battery"


@pytest.fixture(autouse=True)
def _a_way_to_send(settings: Any) -> None:
    settings.ALLOW_EMULATOR = True
    settings.VERTEX_BASE_URL = "http://127.0.0.1:9"


def link(client: Client, email: str = "alice@example.com") -> str:
    """The path of the link that was mailed."""
    assert client.post("/reset/", {"email": email})["Location"] == "/reset/?sent=1"
    text = Mail.objects.filter(kind="reset").latest("created_at").text
    found = re.search(r"http://testserver(/reset/\S+)", text)
    assert found is not None
    return found[1]


def test_from_a_forgotten_password_to_a_new_one(alice: Person, client: Client, api: Any) -> None:
    User.objects.filter(pk=alice.user.pk).update(email_verified_at=timezone.now())
    enrol(alice.user)
    token, old = make_token(alice), browser(alice.user)
    path = link(client)
    assert "on its way" in client.get("/reset/?sent=1").content.decode()
    page = client.get(path)
    assert page.status_code == 200
    assert "New password" in page.content.decode()
    assert page["Referrer-Policy"] == "strict-origin"
    assert page["Cache-Control"] == "no-store"
    assert User.objects.get(pk=alice.user.pk).check_password(PASSWORD), "GET changes nothing"
    answer = client.post(path, {"new_password": NEW})
    assert (answer.status_code, answer["Location"]) == (303, "/log-in/?done=password")
    assert "Your password is set" in client.get(answer["Location"]).content.decode()
    assert COOKIE not in client.cookies, "it does not log in"
    assert old.get("/me/").status_code == 303
    assert api(token).get("/api/account/").status_code == 401
    assert api(alice.key).get("/api/v1/credits/").status_code == 200
    again = client.post("/log-in/", {"identity": "alice", "password": NEW})
    assert again["Location"] == "/log-in/code/"


def test_a_link_works_once(alice: Person, client: Client) -> None:
    path = link(client)
    client.post(path, {"new_password": NEW})
    for answer in (client.get(path), client.post(path, {"new_password": "yet-another-9-battery"})):
        assert answer.status_code == 404
        assert "does not work any more" in answer.content.decode()
        assert answer["Referrer-Policy"] == "strict-origin"
    assert User.objects.get(pk=alice.user.pk).check_password(NEW)


@pytest.mark.parametrize("weak", ["", "short", "password123", "12345678901", "alice@example.com"])
def test_a_weak_password_is_refused_and_the_link_lives(
    alice: Person, client: Client, weak: str
) -> None:
    path = link(client)
    page = client.post(path, {"new_password": weak})
    assert page.status_code == 200
    assert page.context["form"].errors
    if weak:
        assert f'value="{weak}"' not in page.content.decode()
    assert client.post(path, {"new_password": NEW}).status_code == 303


def test_long_and_odd_texts(alice: Person, client: Client) -> None:
    path = link(client)
    for odd in ("x" * 4097, "a\u0301" * 50_000, "a\0b-long-enough-9"):
        assert client.post(path, {"new_password": odd}).status_code == 200
        assert client.post("/reset/", {"email": f"{odd}@example.com"}).status_code == 200
    assert Mail.objects.count() == 1


def test_nobody_learns_who_is_known(alice: Person, client: Client) -> None:
    answers = [
        client.post("/reset/", {"email": email}) for email in ("alice@example.com", "x@example.com")
    ]
    assert len({(each.status_code, each["Location"], each.content) for each in answers}) == 1
    assert all(set(each.cookies) == set() for each in answers)
    assert not ConsoleSession.objects.exists()
    assert Mail.objects.count() == 1


def test_too_many(alice: Person, client: Client) -> None:
    codes = [client.post("/reset/", {"email": "alice@example.com"}).status_code for _ in range(6)]
    assert codes == [303] * 5 + [429]


def test_where_no_mail_can_be_sent(alice: Person, client: Client, settings: Any) -> None:
    settings.ALLOW_EMULATOR = False
    for page in (client.get("/reset/"), client.post("/reset/", {"email": "alice@example.com"})):
        assert page.status_code == 200
        assert "no way to send mail" in page.content.decode()
    assert not Mail.objects.exists()


def test_another_sites_form_is_refused_and_no_token_logged(
    alice: Person, client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    path = link(client)
    strict = Client(enforce_csrf_checks=True)
    with caplog.at_level(logging.DEBUG):
        assert strict.post(path, {"new_password": NEW}).status_code == 403
        assert client.put(path).status_code == 405
    line = line_formatter("json")
    lines = [line.format(record) for record in caplog.records]
    assert any("Forbidden" in each and "/reset/" in each for each in lines)
    assert not any(path.rstrip("/").rpartition("/")[2] in each for each in lines)
    assert User.objects.get(pk=alice.user.pk).check_password(PASSWORD)


def test_a_host_that_is_not_ours_gets_no_link(alice: Person, client: Client, settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["testserver"]
    answer = client.post(
        "/reset/", {"email": "alice@example.com"}, headers={"Host": "evil.example"}
    )
    assert answer.status_code == 400
    settings.PUBLIC_BASE_URL = "https://reelmint.example"
    client.post("/reset/", {"email": "alice@example.com"})
    assert "https://reelmint.example/reset/" in Mail.objects.get().text
