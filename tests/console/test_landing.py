"""``/``: what somebody sees who has never been here."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from accounts.models import ConsoleSession
from generation.models import CatalogModel
from payments.models import CreditPack
from tests.support.console import browser
from tests.support.people import Person


def landing(client: Client | None = None) -> str:
    answer = (client or Client()).get("/")
    assert answer.status_code == 200
    return answer.content.decode()


def test_what_it_offers(settings) -> None:
    settings.PUBLIC_BASE_URL = "https://api.example.com"
    page = landing()
    for word in ("E-mail", "Password", "Create account", "Log in", "API docs"):
        assert word in page
    assert 'action="/sign-up/"' in page
    assert "curl https://api.example.com/api/v1/generate/video/" in page
    assert "trial credits" not in page


def test_the_price_list_is_that_of_the_catalog(settings) -> None:
    settings.STRIPE_SECRET_KEY = "sk_test_x"
    page = landing()
    names = CatalogModel.objects.filter(enabled=True).values_list("name", flat=True)
    assert names
    for name in names:
        assert f"<code>{name}</code>" in page
    for pack in CreditPack.objects.filter(enabled=True):
        assert f"{pack.credits:,} credits" in page
        assert f"${pack.amount_minor // 100:,}.{pack.amount_minor % 100:02}" in page
    off = CatalogModel.objects.filter(enabled=False).values_list("name", flat=True)
    assert not [name for name in off if f"<code>{name}</code>" in page]


def test_packs_are_shown_where_they_can_be_bought() -> None:
    assert "$5.00" not in landing()


def test_an_empty_price_list_is_no_error() -> None:
    CatalogModel.objects.update(enabled=False)
    CreditPack.objects.update(enabled=False)
    assert "<table>" not in landing()


def test_trial_credits_are_told(settings) -> None:
    settings.SIGNUP_CREDITS = 1234
    assert "1,234 trial credits" in landing()


def test_no_cookie_but_that_of_csrf() -> None:
    client = Client()
    answer = client.get("/")
    assert set(answer.cookies) == {"csrftoken"}
    assert answer["Cache-Control"] == "private, no-store"
    assert not ConsoleSession.objects.exists()


def test_it_is_asked_for_without_the_database(django_assert_max_num_queries) -> None:
    with django_assert_max_num_queries(2):  # the catalog and the packs
        landing()
    with django_assert_max_num_queries(0):
        landing()


@pytest.mark.parametrize("setting", ["REGISTRATION_OPEN", "ALLOW_EMULATOR"])
def test_where_nobody_can_join_it_says_so(setting: str, settings) -> None:
    """Without the emulator, and without a server for mail, no code could be sent."""
    setattr(settings, setting, False)
    page = landing()
    assert "Nobody can sign up here at the moment" in page
    assert "Create account" not in page
    assert 'type="password"' not in page


def test_who_is_logged_in_is_led_on(alice: Person) -> None:
    page = landing(browser(alice.user))
    assert "To your account" in page
    assert 'type="password"' not in page


def test_it_loads_and_runs_nothing_of_others() -> None:
    page = landing()
    assert not re.findall(r"""(?:src|href|action)=["'](?:https?:)?//""", page)
    assert "style=" not in page
    assert not re.findall(r"<script(?! defer src=)", page)


def test_the_host_header_is_text(settings) -> None:
    settings.PUBLIC_BASE_URL = ""
    assert "curl http://testserver/api/v1/" in landing()
    assert Client().get("/", headers={"host": "evil.example"}).status_code == 400


def test_other_methods() -> None:
    client = Client()
    head = client.head("/")
    assert (head.status_code, head.content) == (200, b"")
    assert client.post("/").status_code == 405
