"""``/sign-up/`` and ``/verify/``: in at once, then six digits in the same tab, then Home."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest
from django.db.models import F
from django.test import Client

from accounts.models import ApiKey, ConsoleSession, User
from credits import ledger
from credits.models import LedgerEntry
from mail.models import Mail
from signup.models import EmailCode
from tests.support.console import browser
from tests.support.people import Person, make_person
from tests.support.racing import race
from tests.support.stripe_works import StripeEmulator

FORM = {"email": "ada@example.com", "password": "a-long-sentence-7"}


def sign_up(client: Client, **changes: Any) -> Any:
    return client.post("/sign-up/", FORM | changes)


def code_of_mail() -> str:
    (code,) = re.findall(r"\b[0-9]{6}\b", Mail.objects.latest("created_at").text)
    return str(code)


def text(answer: Any) -> str:
    return html.unescape(answer.content.decode())


def age(**passed: float) -> None:
    by = timedelta(**passed)
    EmailCode.objects.update(created_at=F("created_at") - by, expires_at=F("expires_at") - by)


def test_from_nothing_to_home(settings) -> None:
    settings.SIGNUP_CREDITS = 300
    client = Client()
    answer = sign_up(client)
    assert (answer.status_code, answer["Location"]) == (303, "/verify/")
    user = User.objects.get()
    assert user.email == FORM["email"]
    assert ConsoleSession.objects.get().user_id == user.pk
    assert not ApiKey.objects.exists()

    page = client.get("/verify/")
    assert "We sent six digits to" in text(page)
    assert "ada@example.com" in text(page)
    code = code_of_mail()
    assert code not in text(page)
    answer = client.post("/verify/", {"code": f"{code[:3]} {code[3:]}"})
    assert (answer.status_code, answer["Location"]) == (303, "/c/")
    home = client.get("/c/", follow=True)
    assert home.status_code == 200
    assert "Your e-mail address is verified, and 300 trial credits are yours." in text(home)
    assert "300 credits" in text(home)
    user.refresh_from_db()
    assert user.email_verified_at is not None
    assert client.get("/verify/")["Location"] == "/c/"


def test_the_console_is_open_before_the_code_is_typed() -> None:
    client = Client()
    sign_up(client)
    home = client.get("/c/", follow=True)
    assert home.status_code == 200
    assert "not verified yet" in text(home)


@pytest.mark.parametrize("password", ["", "x7#", "password", "71635482094", "ada@example.com"])
def test_a_password_that_is_too_easy(password: str) -> None:
    answer = sign_up(Client(), password=password)
    assert answer.status_code == 200
    assert 'id="id_password_error"' in text(answer)
    assert 'value="ada@example.com"' in text(answer)
    assert not User.objects.exists()


@pytest.mark.parametrize(
    "email", ["", "ada", "a@b", "ada\0@example.com", f"{'a' * 250}@example.com", "x" * 100_000]
)
def test_no_address(email: str) -> None:
    answer = sign_up(Client(), email=email)
    assert answer.status_code == 200
    assert 'id="id_email_error"' in text(answer)
    assert not User.objects.exists()


def test_a_refused_password_is_in_no_page() -> None:
    for wrong in ({"password": "ada@example.com7"}, {"email": "none"}):
        secret = str(wrong.get("password", FORM["password"]))
        answer = sign_up(Client(), **wrong)
        assert answer.status_code == 200
        page = text(answer).replace('value="ada@example.com"', "")
        assert secret not in page


@pytest.mark.parametrize("password", ["x" * 4097, "a\0long-sentence-7", "e\u0301" * 3000])
def test_odd_passwords(password: str) -> None:
    answer = sign_up(Client(), password=password)
    assert answer.status_code == 200
    assert not User.objects.exists()


def test_a_password_is_one_however_its_accents_are_typed() -> None:
    sign_up(Client(), password="  e\u0301tude-sentence-7 ")
    assert User.objects.get().check_password("  \u00e9tude-sentence-7 ")


def test_an_address_that_is_taken(alice: Person) -> None:
    answer = sign_up(Client(), email="ALICE@example.com")
    assert answer.status_code == 200
    assert "This e-mail address is already registered" in text(answer)
    assert 'value="ALICE@example.com"' in text(answer)
    assert User.objects.count() == 1


def test_a_double_click_signs_up_once() -> None:
    """Two requests of one form race; the browser shows what the later one answers."""
    answers: list[Any] = race([lambda: sign_up(Client())] * 2, at_once=2)
    assert [(each.status_code, each["Location"]) for each in answers] == [(303, "/verify/")] * 2
    assert all("reelmint_console" in each.cookies for each in answers)
    assert User.objects.count() == Mail.objects.count() == 1


@pytest.mark.parametrize(
    ("password", "seconds"), [("another-sentence-8", 0), (FORM["password"], 31)]
)
def test_that_is_no_way_in_for_others(password: str, seconds: float) -> None:
    sign_up(Client())
    User.objects.update(date_joined=F("date_joined") - timedelta(seconds=seconds))
    answer = sign_up(Client(), password=password)
    assert "already registered" in text(answer)
    assert "reelmint_console" not in answer.cookies


def test_an_address_is_text_to_the_page() -> None:
    answer = sign_up(Client(), email='"><script>alert(1)</script>')
    assert "<script>alert" not in answer.content.decode()


def test_too_many_of_one_address(settings) -> None:
    settings.RATE_LIMIT_REGISTRATIONS = 1
    assert sign_up(Client()).status_code == 303
    answer = sign_up(Client(), email="eve@example.com")
    assert answer.status_code == 429
    assert 3500 < int(answer["Retry-After"]) <= 3600
    assert "Too many have signed up from your address. Try again in 60 minutes." in text(answer)
    assert 'value="eve@example.com"' in text(answer)
    slips = [sign_up(Client(), password="x").status_code for _ in range(3)]
    assert slips == [200] * 3


@pytest.mark.parametrize("setting", ["REGISTRATION_OPEN", "ALLOW_EMULATOR"])
def test_closed(setting: str, settings) -> None:
    setattr(settings, setting, False)
    client = Client()
    for answer in (client.get("/sign-up/"), sign_up(client)):
        assert answer.status_code == 403
        assert "Nobody can sign up here at the moment" in text(answer)
        assert "text/html" in answer["Content-Type"]
    assert not User.objects.exists()


def test_who_is_in_signs_up_no_more(alice: Person) -> None:
    client = browser(alice.user)
    assert client.get("/sign-up/")["Location"] == "/c/"
    assert sign_up(client)["Location"] == "/c/"
    assert User.objects.count() == 1


def test_a_form_without_its_token_is_refused() -> None:
    client = Client(enforce_csrf_checks=True)
    assert sign_up(client).status_code == 403
    token = client.get("/").cookies["csrftoken"].value
    assert sign_up(client, csrfmiddlewaretoken=token).status_code == 303


def test_browsers_know_the_fields() -> None:
    page = text(Client().get("/sign-up/"))
    assert re.search(r'<input[^>]*name="email"[^>]*autocomplete="email"', page)
    assert re.search(r'<input[^>]*name="password"[^>]*autocomplete="new-password"', page)
    client = Client()
    sign_up(client)
    page = text(client.get("/verify/"))
    assert re.search(r'<input[^>]*autocomplete="one-time-code"[^>]*inputmode="numeric"', page)
    assert "/mailbox/" in page


def test_wrong_codes(alice: Person) -> None:
    client = Client()
    sign_up(client)
    right = code_of_mail()
    wrong = f"{(int(right) + 1) % 10**6:06}"
    assert "This code is wrong, 4 tries are left" in text(client.post("/verify/", {"code": wrong}))
    for odd in ("", "12345", "x" * 10_000, "1\0", "<b>"):
        answer = client.post("/verify/", {"code": odd})
        assert answer.status_code == 200
        assert 'id="id_code_error"' in text(answer)
    assert EmailCode.objects.get().tries == 1
    for _ in range(4):
        answer = client.post("/verify/", {"code": wrong})
    assert "This code does not work any more, send a new one" in text(answer)
    assert "Press “Send a new code”" in text(answer)
    client.post("/verify/", {"code": right})
    assert not User.objects.filter(email_verified_at__isnull=False).exists()


def test_a_new_code() -> None:
    client = Client()
    sign_up(client)
    assert client.post("/verify/resend/")["Location"] == "/verify/"
    assert "A code was sent already, try again in" in text(client.get("/verify/"))
    assert Mail.objects.count() == 1
    age(seconds=31)
    client.post("/verify/resend/")
    assert "A new code is on its way to ada@example.com." in text(client.get("/verify/"))
    assert client.post("/verify/", {"code": code_of_mail()})["Location"] == "/c/"
    client.post("/verify/resend/")
    assert Mail.objects.count() == 2


def test_who_registered_by_the_api_asks_for_a_code(alice: Person, settings) -> None:
    settings.SIGNUP_CREDITS = 300
    client = browser(alice.user)
    assert "Press “Send a new code”" in text(client.get("/verify/"))
    client.post("/verify/resend/")
    client.post("/verify/", {"code": code_of_mail()})
    assert alice.balance == 1300


def test_an_account_of_the_api_buys_and_is_given_once_its_code_is_typed(
    api: Callable[..., httpx.Client], settings, stripe: StripeEmulator
) -> None:
    settings.SIGNUP_CREDITS = 300
    body = {"username": "ada", **FORM}
    registered = api().post("/api/register/", json=body)
    assert registered.status_code == 201
    assert registered.json()["user"]["credits_balance"] == 0
    assert not Mail.objects.exists()
    program = api(registered.json()["token"])
    pack = {"pack": "credits_500"}
    answer = program.post("/api/v1/credits/checkout/", json=pack)
    assert (answer.status_code, answer.json()["code"]) == (403, "email_not_verified")
    client = Client()
    client.post("/log-in/", {"identity": "ada", "password": FORM["password"]})
    client.post("/verify/resend/")
    assert program.get("/api/v1/credits/").json()["credits_balance"] == 0
    client.post("/verify/", {"code": code_of_mail()})
    assert program.get("/api/v1/credits/").json()["credits_balance"] == 300
    assert program.post("/api/v1/credits/checkout/", json=pack).status_code == 201


def test_without_mail_the_page_says_so(alice: Person, settings) -> None:
    settings.ALLOW_EMULATOR = False
    client = browser(alice.user)
    page = text(client.get("/verify/"))
    assert "No e-mail can be sent from here" in page
    assert "Send a new code" not in page
    client.post("/verify/resend/")
    assert "No e-mail can be sent from here" in text(client.get("/verify/"))


@pytest.mark.parametrize(
    ("why", "sentence"),
    [
        ("mailbox", "This mailbox had its trial credits already"),
        ("disposable", "Addresses of this kind get no trial credits"),
        ("day", "All trial credits of today are given away"),
        ("address", "Others behind your internet address had trial credits today"),
        ("welcome", "Your account had its free credits before"),
        ("none", "Your e-mail address is verified."),
    ],
)
def test_why_no_trial_credits_came(why: str, sentence: str, settings) -> None:
    settings.SIGNUP_CREDITS = 0 if why == "none" else 300
    email = "ada@mailinator.com" if why == "disposable" else "ada+2@example.com"
    others = {"mailbox": ["ada+1@example.com"], "address": [f"{n}@example.com" for n in "123"]}
    for other in others.get(why, []):
        client = Client()
        sign_up(client, email=other)
        client.post("/verify/", {"code": code_of_mail()})
    if why == "day":
        settings.TRIAL_CREDITS_PER_DAY = 299
    before = LedgerEntry.objects.count()
    client = Client()
    sign_up(client, email=email)
    if why == "welcome":
        account = User.objects.get(email=email).accounts.get()
        ledger.grant(account.pk, 50, description="Welcome credits")
        before += 1
    client.post("/verify/", {"code": code_of_mail()})
    home = client.get("/c/", follow=True)
    assert sentence in text(home)
    assert "trial credits are yours" not in text(home)
    assert LedgerEntry.objects.count() == before
    assert User.objects.get(email=email).email_verified_at is not None


def test_bob_types_alices_code_in_vain(alice: Person) -> None:
    bob = make_person("bob")
    hers, his = browser(alice.user), browser(bob.user)
    hers.post("/verify/resend/")
    code = code_of_mail()
    his.post("/verify/resend/")
    if code != code_of_mail():
        assert "This code is wrong" in text(his.post("/verify/", {"code": code}))
    assert hers.post("/verify/", {"code": code}).status_code == 303


def test_one_may_log_in_with_what_one_signed_up_with() -> None:
    sign_up(Client())
    client = Client()
    values = {"identity": "ada@example.com", "password": FORM["password"]}
    assert client.post("/log-in/", values).status_code == 303


def test_few_statements(alice: Person, django_assert_max_num_queries) -> None:
    with django_assert_max_num_queries(0):
        Client().get("/sign-up/")
    client = browser(alice.user)
    with django_assert_max_num_queries(3):  # session, person, code
        client.get("/verify/")
