"""``POST /api/login/`` and ``POST /api/logout/``."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import TOKEN_LIFETIME, Account, ApiKey, User
from tests.support.people import PASSWORD


def log_in(client, username="alice", password=PASSWORD):
    return client.post("/api/login/", json={"username": username, "password": password})


@pytest.mark.parametrize("identity", ["alice", "ALICE", "alice@example.com", "ALICE@Example.com"])
def test_by_name_or_mail(api, alice, identity):
    answer = log_in(api(), identity)
    assert answer.status_code == 200
    body = answer.json()
    assert body["user"] == {
        "id": str(alice.user.pk),
        "username": "alice",
        "email": "alice@example.com",
        "credits_balance": 1000,
    }
    assert api(body["token"]).get("/api/api-keys/").status_code == 200


@pytest.mark.parametrize(
    ("username", "password"),
    [
        ("alice", "wrong"),
        ("nobody", PASSWORD),
        ("nobody@example.com", PASSWORD),
        ("alice", f" {PASSWORD}"),
        ("alice", PASSWORD.upper()),
        ("bob", PASSWORD),
    ],
)
def test_every_failure_looks_the_same(api, alice, bob, username, password):
    User.objects.filter(pk=bob.user.pk).update(is_active=False)
    answer = log_in(api(), username, password)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    body = answer.json()
    del body["request_id"]
    assert body == {
        "success": False,
        "error": "The credentials are invalid",
        "code": "invalid_credentials",
    }
    assert not ApiKey.objects.filter(kind="token").exists()


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({}, "Username is required"),
        ({"username": "alice"}, "Password is required"),
        ({"username": None, "password": PASSWORD}, "Username is required"),
        ({"username": "alice", "password": ""}, "Password is required"),
    ],
)
def test_missing_fields(api, body, error):
    answer = api().post("/api/login/", json=body)
    assert answer.status_code == 400
    assert answer.json()["error"] == error


@pytest.mark.parametrize("value", [1, True, [], {}, 1.5])
def test_wrong_types(api, value):
    answer = api().post("/api/login/", json={"username": value, "password": value})
    assert answer.status_code == 400
    assert answer.json()["details"] == {
        "username": "Must be a string",
        "password": "Must be a string",
    }


def test_suspended(api, alice):
    Account.objects.update(suspended_at=timezone.now())
    answer = log_in(api())
    assert (answer.status_code, answer.json()["code"]) == (403, "account_suspended")
    assert log_in(api(), password="wrong").status_code == 401


@pytest.mark.parametrize("password", [PASSWORD, "wrong"])
def test_who_owns_no_account_hears_the_same_of_every_password(api, password):
    User.objects.create_user("operator", "operator@example.com", PASSWORD)
    answer = log_in(api(), "operator", password)
    assert (answer.status_code, answer.json()["code"]) == (401, "invalid_credentials")
    codes = [log_in(api(), "operator", password).status_code for _ in range(5)]
    assert codes == [401] * 4 + [429], "and gets no place back"
    assert not ApiKey.objects.filter(kind="token").exists()


def test_guessing_is_slowed_down(api, alice, bob):
    client = api()
    codes = [log_in(client, password=f"guess {n}").status_code for n in range(7)]
    assert codes == [401] * 5 + [429] * 2
    answer = log_in(api(), "alice@example.com")  # the other spelling opens no second window
    assert answer.status_code == 429
    assert answer.json()["code"] == "rate_limited"
    assert 1 <= int(answer.headers["Retry-After"]) <= 60
    assert log_in(api(), "bob").status_code == 200


def test_guessing_an_unknown_name_is_slowed_down_alike(api):
    client = api()
    codes = [log_in(client, "nobody").status_code for _ in range(6)]
    assert codes == [401] * 5 + [429]


@pytest.mark.parametrize("name", ["alice", "nobody", "alice@example.com", "nobody@example.com"])
def test_guessing_in_other_capitals_tells_no_known_name_from_an_unknown(api, alice, name):
    spellings = [name, name.upper(), name.title()] * 2
    codes = [log_in(api(), spelling, "wrong").status_code for spelling in spellings]
    assert codes == [401] * 5 + [429]


def test_a_success_gives_the_places_back(api, alice):
    client = api()
    for _ in range(3):
        assert [log_in(client, password="wrong").status_code for _ in range(4)] == [401] * 4
        assert log_in(client).status_code == 200


def test_a_racing_burst_does_not_exceed_the_limit(api, alice):
    client = api()
    with ThreadPoolExecutor(16) as pool:
        codes = sorted(
            answer.status_code
            for answer in pool.map(lambda n: log_in(client, password=f"guess {n}"), range(32))
        )
    assert codes == [401] * 5 + [429] * 27


def test_one_address_may_not_try_many_names(api, alice):
    client = api()
    codes = [log_in(client, f"name{n}").status_code for n in range(22)]
    assert codes == [401] * 20 + [429] * 2
    assert log_in(api()).status_code == 429


def from_address(client, address, username="alice", password=PASSWORD):
    body = {"username": username, "password": password}
    return client.post("/api/login/", json=body, headers={"X-Forwarded-For": address})


def test_one_person_is_limited_over_all_addresses(api, alice, bob, settings):
    """30 a minute, good ones included."""
    settings.NUM_PROXIES = 1
    client = api()
    codes = [from_address(client, f"192.0.2.{n}").status_code for n in range(33)]
    assert codes == [200] * 30 + [429] * 3
    assert ApiKey.objects.filter(kind="token", created_by=alice.user).count() <= 30
    refused = from_address(client, "198.51.100.1", "alice@example.com")
    assert refused.status_code == 429
    assert 1 <= int(refused.headers["Retry-After"]) <= 60
    assert from_address(client, "192.0.2.1", "bob").status_code == 200


def test_after_60_failures_in_ten_minutes_it_goes_on_more_slowly(api, alice, bob, settings):
    settings.NUM_PROXIES = 1
    client = api()
    start = time.time()
    codes = []
    with time_machine.travel(start, tick=False) as clock:
        for n in range(90):
            if n % 30 == 0 and n:
                clock.shift(61)
            codes.append(from_address(client, f"192.0.2.{n}", password="wrong").status_code)
        assert codes == [401] * 60 + [429] * 30
        refused = from_address(client, "198.51.100.1")
        assert refused.status_code == 429
        assert 400 < int(refused.headers["Retry-After"]) <= 600
        assert from_address(client, "192.0.2.1", "bob").status_code == 200
        clock.shift(600)
        assert from_address(client, "198.51.100.1").status_code == 200


@pytest.mark.parametrize(
    ("changes", "limit"),
    [
        (lambda n: f"2001:db8:1:2::{n:x}", 20),  # within a /64
        (lambda n: f"2001:db8:1:{n:x}::1", 40),  # within a /56
        (lambda n: f"2001:db8:1:{n:x}00::1", 80),  # within a /48
    ],
)
def test_a_network_of_ipv6_is_limited_however_wide_it_is(api, settings, changes, limit):
    settings.NUM_PROXIES = 1
    client = api()
    codes = [
        from_address(client, changes(n), f"nobody{n}").status_code for n in range(1, limit + 3)
    ]
    assert codes == [401] * limit + [429] * 2
    assert from_address(client, "2001:db8:2::1", "nobody").status_code == 401


def test_an_address_is_refused_before_anybody_is_looked_for(api, settings):
    client = api()
    assert [log_in(client, f"name{n}").status_code for n in range(20)] == [401] * 20
    with CaptureQueriesContext(connection) as queries:
        assert log_in(client, "alice").status_code == 429
    assert not queries.captured_queries


def test_log_out(api, alice):
    token, other = (log_in(api()).json()["token"] for _ in range(2))
    answer = api(token).post("/api/logout/")
    assert (answer.status_code, answer.content) == (204, b"")
    assert api(token).get("/api/api-keys/").status_code == 401
    assert api(token).post("/api/logout/").status_code == 401
    assert api(other).get("/api/api-keys/").status_code == 200


def test_an_api_key_does_not_log_out(api, alice):
    answer = api(alice.key).post("/api/logout/")
    assert (answer.status_code, answer.json()["code"]) == (403, "permission_denied")
    assert api(alice.key).get("/api/api-keys/").status_code == 200


def test_a_token_lives_30_days_from_its_last_use(api, alice):
    token = log_in(api()).json()["token"]
    row = ApiKey.objects.get(kind="token")
    assert row.expires_at is not None
    assert row.expires_at - row.created_at >= TOKEN_LIFETIME - timedelta(seconds=5)
    ApiKey.objects.filter(pk=row.pk).update(expires_at=timezone.now() + timedelta(minutes=1))
    assert api(token).get("/api/api-keys/").status_code == 200
    row.refresh_from_db()
    assert row.expires_at > timezone.now() + timedelta(days=29)
    ApiKey.objects.filter(pk=row.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
    assert api(token).get("/api/api-keys/").status_code == 401
