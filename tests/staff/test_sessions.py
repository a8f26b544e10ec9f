"""The operator's session works, and the table does not hold what the cookie holds."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.conf import settings as django_settings
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone

from accounts.models import User
from staff.sessions import SessionStore

ADMIN = "/admin/"
PASSWORD = "correct horse battery"


@pytest.fixture
def operator(settings) -> Client:
    """Logged in through the form, as a person is; the second factor has tests of its own."""
    settings.ADMIN_REQUIRE_2FA = False
    User.objects.create_superuser("operator", "op@example.com", PASSWORD)
    client = Client()
    answer = client.post("/admin/login/", {"username": "operator", "password": PASSWORD})
    assert answer.status_code == 302
    return client


def cookie(client: Client) -> str:
    return client.cookies[django_settings.SESSION_COOKIE_NAME].value


def with_cookie(value: str) -> int:
    """What the admin's front page answers to it."""
    client = Client()
    client.cookies[django_settings.SESSION_COOKIE_NAME] = value
    return client.get(ADMIN).status_code


def test_the_table_cannot_be_used_to_log_in(operator):
    assert operator.get(ADMIN).status_code == 200
    stored = Session.objects.get().session_key
    assert stored != cookie(operator)
    assert with_cookie(stored) == 302
    assert with_cookie(cookie(operator)) == 200


def test_logging_out_ends_it(operator):
    kept = cookie(operator)
    assert operator.post("/admin/logout/").status_code == 200
    assert not Session.objects.exists()
    assert with_cookie(kept) == 302


def test_a_cookie_from_before_the_log_in_is_worth_nothing(operator):
    planted = "a" * 32
    victim = Client()
    victim.cookies[django_settings.SESSION_COOKIE_NAME] = planted
    victim.post("/admin/login/", {"username": "operator", "password": PASSWORD})
    assert cookie(victim) not in {planted, cookie(operator)}
    assert (with_cookie(planted), with_cookie(cookie(victim))) == (302, 200)


def test_an_expired_one_is_none(operator):
    Session.objects.update(expire_date=timezone.now() - timedelta(seconds=1))
    assert with_cookie(cookie(operator)) == 302


def test_two_never_share_a_key():
    first = SessionStore()
    first["who"] = "first"
    first.save()
    assert first.session_key is not None
    assert SessionStore().exists(first.session_key)
    assert SessionStore(first.session_key)["who"] == "first"
    first.cycle_key()
    assert Session.objects.count() == 1
    assert first["who"] == "first"
