"""The spellings of a secret, and every way of getting it wrong (contract, section 1)."""

from __future__ import annotations

import socket
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts import keys, secrets
from accounts.models import LAST_USED_STEP, Account, ApiKey, User

PATH = "/api/api-keys/"
INVALID = {"success": False, "error": "The credentials are invalid", "code": "invalid_credentials"}


@pytest.mark.parametrize(
    "spelling",
    [
        "Bearer {}",
        "Token {}",
        "Api-Key {}",
        "bearer {}",
        "TOKEN {}",
        "API-KEY {}",
        "Bearer   {}",
        "Bearer\t{}",
        "{}",
    ],
)
def test_authorization(api, alice, spelling):
    client = api(Authorization=spelling.format(alice.key))
    assert client.get("/api/probe/").json() == {"account": str(alice.account.pk)}


@pytest.mark.parametrize("path", ["/api/probe/", "/api/probe"])
def test_x_api_key(api, alice, path):
    client = api(**{"x-api-key": alice.key})
    assert client.get(path).json() == {"account": str(alice.account.pk)}


@pytest.mark.parametrize("beside", ["{}", ""])
def test_authorization_wins_over_an_x_api_key_that_does_not_contradict(api, alice, beside):
    client = api(alice.key, **{"X-API-Key": beside.format(alice.key)})
    assert client.get(PATH).status_code == 200


def is_refused(answer):
    body = answer.json()
    assert body.pop("request_id") == answer.headers["X-Request-ID"]
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    return answer.status_code == 401 and body == INVALID


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": ""},
        {"Authorization": "Bearer"},
        {"Authorization": "Basic {}"},
        {"Authorization": "Digest {}"},
        {"Authorization": "Bearer Bearer {}"},
        {"Authorization": "Bearer {} {}"},
        {"Authorization": "{} {}"},
        {"Authorization": "Bearer {}x"},
        {"Authorization": "Bearer nonsense"},
        {"Authorization": "nonsense"},
        {"Authorization": "Bearer {},Bearer {}"},
        {"Authorization": "Bearer " + "x" * 5000},
        {"X-API-Key": ""},
        {"X-API-Key": "Bearer {}"},
        {"X-API-Key": "nonsense"},
        {"Authorization": "Bearer nonsense", "X-API-Key": "{}"},
        {"Authorization": "Bearer rmk_nonsense", "X-API-Key": "{}"},
        {"Authorization": "rmk_nonsense", "X-API-Key": "{}"},
        {"Authorization": "Bearer {} {}", "X-API-Key": "{}"},
        {"Authorization": "Basic bWU6aHVzaA==,Bearer {}", "X-API-Key": "{}"},
        {"Authorization": "Basic bWU6aHVzaA==", "X-API-Key": ""},
        {"Authorization": "Basic bWU6aHVzaA==", "X-API-Key": "nonsense"},
        {"Authorization": "Basic {}", "X-API-Key": "{}"},
        {"Authorization": "Bearer {}", "X-API-Key": "nonsense"},
    ],
)
def test_malformed(api, alice, headers):
    client = api(**{name: text.replace("{}", alice.key) for name, text in headers.items()})
    with CaptureQueriesContext(connection) as queries:
        assert is_refused(client.get(PATH))
    assert not queries.captured_queries


@pytest.mark.parametrize(
    "beside",
    [
        *("", "Basic bWU6aHVzaA==", "basic bWU6aHVzaA==", "Basic", "Bearer", "Token"),
        *('Digest username="me", response="x"', "Negotiate abc", "AWS4-HMAC-SHA256 a=b, c=d"),
        "nonsense",
    ],
)
def test_an_authorization_without_a_secret_of_ours_is_as_if_not_sent(api, alice, bob, beside):
    client = api(**{"Authorization": beside, "X-API-Key": alice.key})
    assert client.get("/api/probe/").json() == {"account": str(alice.account.pk)}
    assert is_refused(api(Authorization=beside).get(PATH)), "alone it is still refused"


def test_two_different_secrets(api, alice, bob):
    assert is_refused(api(alice.key, **{"X-API-Key": bob.key}).get(PATH))


@pytest.mark.parametrize(
    "raw", ["Bearer \xe4\xf6\xfc", "Bearer\xa0{}", "\xff\xfe", "Bearer {}\xb2", "B\xeb\xe4rer {}"]
)
def test_not_ascii(base_url, alice, raw):
    line = f"Authorization: {raw.replace('{}', alice.key)}\r\n".encode("latin-1")
    address = urlsplit(base_url)
    with socket.create_connection((address.hostname, address.port), timeout=10) as connected:
        head = f"GET {PATH} HTTP/1.1\r\nHost: {address.netloc}\r\nConnection: close\r\n"
        connected.sendall(head.encode() + line + b"\r\n")
        answer = b"".join(iter(lambda: connected.recv(65536), b""))
    assert answer.startswith(b"HTTP/1.1 401 ")
    assert b'"code":"invalid_credentials"' in answer.replace(b'": "', b'":"')


def wrong_checksum(key: str) -> str:
    return key[:-1] + ("a" if key[-1] != "a" else "b")


def test_a_mistyped_one_asks_no_database(api, alice, admin_connection):
    client = api(wrong_checksum(alice.key))
    assert is_refused(client.get(PATH))
    assert not secrets.is_well_formed(wrong_checksum(alice.key))
    assert is_refused(api(alice.key.swapcase()).get(PATH))


def test_unknown_expired_revoked_and_inactive_look_alike(api, alice):
    assert is_refused(api(secrets.generate(secrets.KEY_PREFIX)).get(PATH))
    past = timezone.now() - timedelta(seconds=1)
    for change in ({"expires_at": past}, {"revoked_at": past}):
        ApiKey.objects.update(**change)
        assert is_refused(api(alice.key).get(PATH))
        ApiKey.objects.update(expires_at=None, revoked_at=None)
    User.objects.update(is_active=False)
    assert is_refused(api(alice.key).get(PATH))
    User.objects.update(is_active=True)
    assert api(alice.key).get(PATH).status_code == 200


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE", "OPTIONS"])
def test_missing(api, method):
    answer = api().request(method, PATH)
    assert answer.status_code == 401
    assert answer.json()["code"] == "not_authenticated"
    assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_not_in_the_query_and_not_in_the_body(api, alice):
    client = api()
    for name in ("token", "key", "api_key", "Authorization"):
        assert client.get(PATH, params={name: alice.key}).status_code == 401
        assert client.post(PATH, json={name: alice.key}).status_code == 401


def test_suspended(api, alice):
    Account.objects.update(suspended_at=timezone.now())
    answer = api(alice.key).get(PATH)
    assert (answer.status_code, answer.json()["code"]) == (403, "account_suspended")
    Account.objects.update(suspended_at=None)
    assert api(alice.key).get(PATH).status_code == 200


def test_failing_is_limited_per_address_before_any_look_up(api, alice, settings):
    settings.RATE_LIMIT_AUTH_FAILURES = 3
    unknown = secrets.generate(secrets.KEY_PREFIX)
    client = api(unknown)
    assert [client.get(PATH).status_code for _ in range(5)] == [401] * 3 + [429] * 2
    answer = api("nonsense").get(PATH)
    assert (answer.status_code, answer.json()["code"]) == (429, "rate_limited")
    assert 1 <= int(answer.headers["Retry-After"]) <= 60
    # nobody learns whether a guess was right, and no database is asked
    ApiKey.objects.update(last_used_at=None)
    assert api(alice.key).get(PATH).status_code == 429
    assert ApiKey.objects.get().last_used_at is None
    assert api().get(PATH).status_code == 401  # to say nothing is no guess


def test_success_does_not_count_as_an_attempt(api, alice, settings):
    settings.RATE_LIMIT_AUTH_FAILURES = 2
    client = api(alice.key)
    assert {client.get(PATH).status_code for _ in range(6)} == {200}


def test_one_select(alice):
    with CaptureQueriesContext(connection) as queries:
        found = keys.find(alice.key)
        assert found is not None
        assert (found.account, found.created_by) == (alice.account, alice.user)
    assert len(queries) == 1


def test_last_used_is_not_written_at_every_request(api, alice):
    client = api(alice.key)

    def used():
        assert client.get(PATH).status_code == 200
        return ApiKey.objects.get().last_used_at

    first = used()
    assert first is not None
    assert used() == first
    ApiKey.objects.update(last_used_at=first - LAST_USED_STEP - timedelta(seconds=1))
    assert used() > first


def test_a_use_does_not_prolong_an_api_key(api, alice):
    ends = timezone.now() + timedelta(hours=1)
    ApiKey.objects.update(expires_at=ends)
    assert api(alice.key).get(PATH).status_code == 200
    assert ApiKey.objects.get().expires_at == ends
