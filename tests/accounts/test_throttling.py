"""Requests a minute, and the headers that tell where one stands."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor

import pytest

from accounts.models import Account

STAND = re.compile(r'"(\w+)";r=(\d+);t=(\d+)')


def stand(answer) -> tuple[str, int, int]:
    found = STAND.fullmatch(answer.headers["RateLimit"])
    assert found is not None
    return found[1], int(found[2]), int(found[3])


def test_every_answer_tells(api, alice):
    client = api(alice.key)
    for method, path, name, policy in [
        ("GET", "/api/probe/", "reads", '"reads";q=600;w=60'),
        ("POST", "/api/probe/", "reads", '"reads";q=600;w=60'),
        ("GET", "/api/probe/creates/", "reads", '"reads";q=600;w=60'),
        ("HEAD", "/api/probe/creates/", "reads", '"reads";q=600;w=60'),
        ("POST", "/api/probe/creates/", "creates", '"creates";q=60;w=60'),
        ("PUT", "/api/probe/", "reads", '"reads";q=600;w=60'),  # 405
        ("DELETE", "/api/api-keys/1/", "reads", '"reads";q=600;w=60'),  # 404
    ]:
        answer = client.request(method, path)
        assert answer.headers["RateLimit-Policy"] == policy
        shown, remaining, reset = stand(answer)
        assert shown == name
        assert 0 <= remaining < 600
        assert 1 <= reset <= 60
    assert stand(client.post("/api/probe/creates/"))[1] == 58


def test_creates(api, alice, bob):
    Account.objects.filter(pk=alice.account.pk).update(creates_per_minute=3)
    client = api(alice.key)
    answers = [client.post("/api/probe/creates/") for _ in range(5)]
    assert [answer.status_code for answer in answers] == [201] * 3 + [429] * 2
    assert [stand(answer)[1] for answer in answers] == [2, 1, 0, 0, 0]
    refused = answers[-1]
    body = refused.json()
    assert (body["success"], body["code"]) == (False, "rate_limited")
    assert body["error"].startswith("Too many requests, try again in ")
    assert int(refused.headers["Retry-After"]) == stand(refused)[2]
    assert client.get("/api/probe/creates/").status_code == 200
    assert api(bob.key).post("/api/probe/creates/").status_code == 201


@pytest.mark.parametrize(("own", "passed"), [(None, 4), (2, 2), (0, 0)])
def test_reads_by_setting_or_account(api, alice, settings, own, passed):
    settings.RATE_LIMIT_READS = 4
    Account.objects.update(reads_per_minute=own)
    client = api(alice.key)
    codes = [client.get("/api/probe/").status_code for _ in range(6)]
    assert codes == [200] * passed + [429] * (6 - passed)


def test_keys_of_one_account_share(api, alice):
    Account.objects.update(reads_per_minute=3, keys_manage_keys=True)
    other = api(alice.key).post("/api/api-keys/", json={"name": "other"}).json()["key"]
    assert [api(key).get("/api/probe/").status_code for key in (other, alice.key, other)] == [
        200,
        200,
        429,
    ]


def test_anonymous_by_address(api, settings):
    settings.RATE_LIMIT_ANONYMOUS = 2
    settings.NUM_PROXIES = 1

    def attempt(address: str):
        return api(**{"X-Forwarded-For": f"6.6.6.6, {address}"}).post("/api/login/", json={})

    assert [attempt("192.0.2.1").status_code for _ in range(3)] == [400, 400, 429]
    answer = attempt("192.0.2.1")
    assert answer.headers["RateLimit-Policy"] == '"anonymous";q=2;w=60'
    assert attempt("192.0.2.2").status_code == 400


def test_exact_under_16_threads(api, alice):
    Account.objects.update(creates_per_minute=20)
    client = api(alice.key)

    def attempt(_: int):
        return client.post("/api/probe/creates/").status_code

    with ThreadPoolExecutor(16) as pool:
        codes = sorted(pool.map(attempt, range(64)))
    assert codes == [201] * 20 + [429] * 44


def test_each_request_counts_once(api, alice):
    client = api(alice.key)
    paths = [*["/api/probe/"] * 2, "/api/probe/creates/", "/api/api-keys/", "/api/probe/"]
    assert [stand(client.get(path))[1] for path in paths] == [599, 598, 597, 596, 595]
    posts = [stand(client.post("/api/probe/creates/")) for _ in range(3)]
    assert [remaining for _, remaining, _ in posts] == [59, 58, 57]


def test_a_new_limit_holds_from_the_next_request_on(api, alice):
    client = api(alice.key)
    assert stand(client.get("/api/probe/"))[1] == 599
    for limit in (7, 5):
        Account.objects.update(reads_per_minute=limit)
        answer = client.get("/api/probe/")
        assert answer.headers["RateLimit-Policy"] == f'"reads";q={limit};w=60'
        assert stand(answer)[1] == limit - 1
    Account.objects.update(reads_per_minute=0)
    assert client.get("/api/probe/").status_code == 429


def test_an_ended_secret_takes_no_places_of_its_account(api, alice):
    Account.objects.update(keys_manage_keys=True)
    other = api(alice.key).post("/api/api-keys/", json={"name": "other"}).json()
    leaked = api(other["key"])
    before = [stand(leaked.get("/api/probe/"))[1] for _ in range(2)][-1]
    api(alice.key).delete(f"/api/api-keys/{other['id']}/")  # one place, as the next look is
    assert [leaked.get("/api/probe/").status_code for _ in range(5)] == [401] * 5
    # one that was asked for before the secret was known to have ended, and no more
    assert before - stand(api(alice.key).get("/api/probe/"))[1] == 3
