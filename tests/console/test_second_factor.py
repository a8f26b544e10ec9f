"""``/me/second-factor/``: a QR code that the policy lets through, codes that are shown once."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client
from django_otp.plugins.otp_totp.models import TOTPDevice

from accounts import second_factor
from accounts.models import ConsoleSession
from mail.models import Mail
from tests.support.console import browser
from tests.support.people import PASSWORD, Person
from tests.support.second_factors import code_of, enrol, forgive

PAGE, CODES = "/me/second-factor/", "/me/recovery-codes/"
CODE = re.compile(r"[a-z2-7]{4}(?:-[a-z2-7]{4}){3}")


@pytest.fixture(autouse=True)
def _a_way_to_send(settings: Any) -> None:
    settings.ALLOW_EMULATOR = True
    settings.VERTEX_BASE_URL = "http://127.0.0.1:9"


def shown(client: Client) -> list[str]:
    return CODE.findall(client.get(CODES).content.decode())


def test_on_and_off(alice: Person) -> None:
    client = browser(alice.user)
    page = client.get(PAGE)
    text = page.content.decode()
    device = TOTPDevice.objects.get()
    assert second_factor.typed_key(device) in text
    assert "<svg" in text
    assert " style=" not in text
    assert page["Cache-Control"] == "no-store"
    assert client.get(PAGE).content.decode().count(second_factor.typed_key(device)) == 1
    assert TOTPDevice.objects.count() == 1
    wrong = client.post(PAGE, {"code": "000000"})
    assert wrong.status_code == 200
    assert "no code that works now" in wrong.content.decode()
    forgive(alice.user)
    answer = client.post(PAGE, {"code": code_of(alice.user)})
    assert (answer.status_code, answer["Location"]) == (303, CODES)
    codes = shown(client)
    assert len(set(codes)) == 10
    assert shown(client) == [], "once"
    assert second_factor.check(alice.user, codes[4]) is not None
    assert not any(code in str(ConsoleSession.objects.values()) for code in codes)
    text = client.get(PAGE).content.decode()
    assert second_factor.typed_key(device) not in text
    assert "<svg" not in text
    answer = client.post(PAGE, {"off": "1"})
    assert (answer.status_code, answer["Location"]) == (303, PAGE)
    assert not second_factor.has_one(alice.user)
    assert [mail.kind for mail in Mail.objects.all()] == ["second_factor_changed"] * 2
    assert (
        "/c/" in Client().post("/log-in/", {"identity": "alice", "password": PASSWORD})["Location"]
    )


def test_new_codes_end_the_old_ones(alice: Person) -> None:
    old = enrol(alice.user)
    client = browser(alice.user)
    assert shown(client) == []
    answer = client.post(CODES)
    assert (answer.status_code, answer["Location"]) == (303, CODES)
    assert client.head(CODES).status_code == 200
    new = shown(client)
    assert len(new) == 10
    assert second_factor.check(alice.user, old[0]) is None
    forgive(alice.user)
    assert second_factor.check(alice.user, new[0]) is not None
    assert Mail.objects.count() == 1


def test_no_codes_without_an_app(alice: Person) -> None:
    client = browser(alice.user)
    for answer in (client.get(CODES), client.post(CODES)):
        assert answer["Location"] == PAGE
    assert client.post(PAGE, {"off": "1"}).status_code == 303
    assert not Mail.objects.exists()


def test_each_browser_is_shown_a_key_of_its_own(alice: Person) -> None:
    thief, owner = browser(alice.user), browser(alice.user)
    stolen = thief.get(PAGE).context["key"]
    assert owner.get(PAGE).context["key"] != stolen
    owner.post(PAGE, {"code": code_of(alice.user)})
    assert "<svg" not in thief.get(PAGE).content.decode()
    assert thief.post(PAGE, {"code": code_of(alice.user)}).status_code == 303
    assert TOTPDevice.objects.count() == 1


def test_guesses_at_a_new_app_are_limited(alice: Person, settings: Any) -> None:
    settings.RATE_LIMIT_LOGINS = 2
    client = browser(alice.user)
    answers = [client.post(PAGE, {"code": "000000"}) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert int(answers[-1]["Retry-After"]) > 0


def test_the_code_is_drawn_as_the_library_draws_it(alice: Person) -> None:
    device = second_factor.begin_enrolment(alice.user)
    width, path = second_factor.qr_squares(device)
    assert re.fullmatch(r"(M\d+ \d+h1v1h-1z)+", path)
    assert width > 2 * second_factor.QUIET + 20
    assert path.startswith("M4 4h1v1h-1zM5 4")
