"""With which settings a process refuses to start, and of what it warns."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from common.checks import refuse_to_start
from mail import checks
from mail.server import parse

SERVER = parse("smtps://mail.example.com")
LIVE, TEST = "sk_live_abcdefgh", "rk_test_abcdefgh"


@pytest.fixture
def production(settings: Any) -> Any:
    settings.ALLOW_EMULATOR, settings.VERTEX_BASE_URL = False, ""
    settings.STRIPE_SECRET_KEY, settings.PUBLIC_BASE_URL = "", "https://api.example.com"
    settings.MAIL_SERVER = None
    return settings


def found(check: Any) -> list[str | None]:
    return [message.id for message in check()]


@pytest.mark.parametrize("key", [LIVE, TEST])
def test_nothing_is_sold_where_nobody_can_verify_an_address(key: str, production: Any) -> None:
    production.STRIPE_SECRET_KEY = key
    with pytest.raises(ImproperlyConfigured, match="E033"):
        refuse_to_start(signs=True)
    production.MAIL_SERVER = SERVER
    assert found(checks.check_purchases) == []
    refuse_to_start(signs=True)


def test_the_worker_that_asks_stripe_knows_of_no_mail_server(production: Any) -> None:
    production.STRIPE_SECRET_KEY = TEST
    refuse_to_start()


def test_real_money_is_not_taken_where_everybody_reads_all_mails(
    settings: Any, production: Any
) -> None:
    settings.ALLOW_EMULATOR, settings.VERTEX_BASE_URL = True, "http://127.0.0.1:9"
    settings.STRIPE_SECRET_KEY = TEST
    assert found(checks.check_purchases) == []
    settings.STRIPE_SECRET_KEY = LIVE
    with pytest.raises(ImproperlyConfigured, match="E034"):
        refuse_to_start(signs=True)


def test_it_is_said_that_nobody_can_join(production: Any) -> None:
    assert found(checks.check_sign_up) == ["reelmint.W035"]
    production.REGISTRATION_OPEN = False
    assert found(checks.check_sign_up) == []
    production.REGISTRATION_OPEN, production.MAIL_SERVER = True, SERVER
    assert found(checks.check_sign_up) == []


@pytest.mark.parametrize(
    "url", ["anymail://nobody?token=hunter2-x", "anymail://postmark", "anymail://postmark?tok=1"]
)
def test_a_provider_that_cannot_be_used_stops_the_start(url: str, production: Any) -> None:
    production.MAIL_SERVER = parse(url)
    with pytest.raises(ImproperlyConfigured, match="E036") as caught:
        refuse_to_start()
    assert "hunter2" not in str(caught.value)


def test_a_provider_that_can_be_used_does_not(production: Any) -> None:
    production.MAIL_SERVER = parse("anymail://postmark?server_token=hunter2-x")
    refuse_to_start()
