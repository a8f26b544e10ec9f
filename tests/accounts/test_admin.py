"""The operator's pages: they open, and the three actions do what they say."""

from __future__ import annotations

import pytest
from django.test import Client

from accounts.models import Account, ApiKey, User

ACCOUNTS = "/admin/accounts/account/"
KEYS = "/admin/accounts/apikey/"


@pytest.fixture
def operator() -> Client:
    return inside(make_staff())


def test_pages_open(operator, alice):
    key = ApiKey.objects.get()
    for path in (
        "/admin/accounts/user/",
        f"/admin/accounts/user/{alice.user.pk}/change/",
        f"{ACCOUNTS}?q=alice",
        f"{ACCOUNTS}{alice.account.pk}/change/",
        f"{KEYS}?q=alice",
        f"{KEYS}{key.pk}/change/",
    ):
        page = operator.get(path)
        assert page.status_code == 200, path
        assert alice.key not in page.text
    assert operator.get(f"{ACCOUNTS}add/").status_code == 403
    assert operator.get(f"{KEYS}add/").status_code == 403
    assert operator.get(f"{KEYS}{key.pk}/delete/").status_code == 403


def act(client: Client, path: str, action: str, pk: object) -> int:
    return client.post(path, {"action": action, "_selected_action": str(pk)}).status_code


def test_suspend_and_resume(operator, api, alice, bob):
    assert act(operator, ACCOUNTS, "suspend", alice.account.pk) == 302
    assert api(alice.key).get("/api/probe/").status_code == 403
    assert api(bob.key).get("/api/probe/").status_code == 200
    assert act(operator, ACCOUNTS, "resume", alice.account.pk) == 302
    assert api(alice.key).get("/api/probe/").status_code == 200
    assert Account.objects.filter(suspended_at=None).count() == 2


def test_revoke(operator, api, alice):
    assert act(operator, KEYS, "revoke", ApiKey.objects.get().pk) == 302
    assert api(alice.key).get("/api/probe/").status_code == 401


def test_customers_stay_out(alice):
    client = Client()
    client.force_login(alice.user)
    assert client.get(ACCOUNTS).status_code == 302
