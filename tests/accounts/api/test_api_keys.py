"""``/api/api-keys/``."""

from __future__ import annotations

import re
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.utils import timezone
from rest_framework.exceptions import AuthenticationFailed

from accounts import keys
from accounts.models import ApiKey
from accounts.secrets import is_well_formed
from tests.support.people import make_token
from tests.support.racing import race

RFC_3339_UTC = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")


def test_create_and_list(api, alice):
    client = api(make_token(alice))
    answer = client.post("/api/api-keys/", json={"name": "  My shop "})
    assert answer.status_code == 201, answer.text
    made = answer.json()
    assert set(made) == {"id", "name", "key", "key_preview", "created_at", "expires_at"}
    assert made["name"] == "My shop"
    assert made["expires_at"] is None
    assert RFC_3339_UTC.fullmatch(made["created_at"])
    assert is_well_formed(made["key"])
    assert made["key"].startswith("rmk_")
    assert made["key_preview"] == f"{made['key'][:8]}…{made['key'][-4:]}"

    listed = api(made["key"]).get("/api/api-keys/").json()
    assert [row["name"] for row in listed] == ["My shop", "test"]
    assert set(listed[0]) == {
        "id", "name", "key_preview", "created_at", "last_used_at", "expires_at"
    }  # fmt: skip
    assert listed[0]["id"] == made["id"]
    assert RFC_3339_UTC.fullmatch(listed[0]["last_used_at"])
    assert made["key"] not in api(alice.key).get("/api/api-keys/").text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("2099-01-31T12:00:00Z", "2099-01-31T12:00:00Z"),
        ("2099-01-31t12:00:00z", "2099-01-31T12:00:00Z"),
        ("2099-01-31T12:00:00.5+02:00", "2099-01-31T10:00:00.500000Z"),
        (None, None),
    ],
)
def test_expiry(api, alice, text, shown):
    body = {"name": "a", "expires_at": text}
    answer = api(make_token(alice)).post("/api/api-keys/", json=body)
    assert answer.status_code == 201, answer.text
    assert answer.json()["expires_at"] == shown


@pytest.mark.parametrize(
    "value",
    [
        "2001-01-01T00:00:00Z",
        "2099-01-31T12:00:00",
        "2099-01-31",
        "tomorrow",
        "",
        4102444800,
        True,
        [],
        "2099-02-30T00:00:00Z",
        "2099-01-31T25:00:00Z",
        "2099-01-31T12:00:00+99:99",
        "9999-12-31T23:59:59-23:59",
        "0001-01-01T00:00:00+23:59",
        "٢٠٩٩-01-31T12:00:00Z",
    ],
)
def test_bad_expiries(api, alice, value):
    answer = api(make_token(alice)).post("/api/api-keys/", json={"name": "a", "expires_at": value})
    assert answer.status_code == 400, answer.text
    assert list(answer.json()["details"]) == ["expires_at"]
    assert ApiKey.objects.keys().count() == 1


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (None, "This field is required"),
        ("", "This field is required"),
        (" \t", "This field is required"),
        (5, "Must be a string"),
        ("n" * 101, "Must be at most 100 characters"),
    ],
)
def test_bad_names(api, alice, name, message):
    answer = api(make_token(alice)).post("/api/api-keys/", json={"name": name})
    assert answer.status_code == 400
    assert answer.json()["details"] == {"name": message}
    assert ApiKey.objects.keys().count() == 1


def test_at_most_20_live_keys(api, alice):
    client = api(make_token(alice))
    made = [client.post("/api/api-keys/", json={"name": f"k{n}"}) for n in range(20)]
    assert [answer.status_code for answer in made] == [201] * 19 + [400]
    assert made[-1].json()["error"].startswith("An account has at most 20 live API keys")
    client.delete(f"/api/api-keys/{made[0].json()['id']}/")
    assert client.post("/api/api-keys/", json={"name": "again"}).status_code == 201
    ApiKey.objects.filter(name="again").update(expires_at=timezone.now() - timedelta(seconds=1))
    assert client.post("/api/api-keys/", json={"name": "expired make room"}).status_code == 201


def test_racing_for_the_last_keys(api, alice):
    client = api(make_token(alice))

    def make(number: int):
        return client.post("/api/api-keys/", json={"name": f"k{number}"}).status_code

    with ThreadPoolExecutor(16) as pool:
        codes = sorted(pool.map(make, range(30)))
    assert codes == [201] * 19 + [400] * 11
    assert alice.account.api_keys.keys().live().count() == 20


def test_delete(api, alice):
    client = api(make_token(alice))
    made = client.post("/api/api-keys/", json={"name": "gone soon"}).json()
    path = f"/api/api-keys/{made['id']}/"
    assert api(made["key"]).get("/api/api-keys/").status_code == 200
    answer = client.delete(path)
    assert (answer.status_code, answer.content) == (204, b"")
    assert api(made["key"]).get("/api/api-keys/").status_code == 401
    assert [row["name"] for row in client.get("/api/api-keys/").json()] == ["test"]
    assert client.delete(path).status_code == 404


def test_a_key_may_end_itself(api, alice):
    row = ApiKey.objects.get()
    assert api(alice.key).delete(f"/api/api-keys/{row.pk}").status_code == 204
    assert api(alice.key).get("/api/api-keys").status_code == 401


UNKNOWN = str(uuid.UUID(int=7))


@pytest.mark.parametrize(
    "wrong", ["1", "nonsense", "%00", UNKNOWN, f"{{{UNKNOWN}}}", f"urn:uuid:{UNKNOWN}", "%E2%80%A6"]
)
def test_no_such_key(api, alice, wrong):
    answer = api(make_token(alice)).delete(f"/api/api-keys/{wrong}/")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


def test_bob_sees_nothing_of_alices(api, alice, bob):
    row = ApiKey.objects.get(account=alice.account)
    answer = api(make_token(bob)).delete(f"/api/api-keys/{row.pk}/")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert str(row.pk) not in api(bob.key).get("/api/api-keys/").text
    assert api(alice.key).get("/api/api-keys/").status_code == 200


def test_a_login_token_is_no_key(api, alice):
    body = {"username": "alice", "password": "correct-horse-7-battery"}
    token = api().post("/api/login/", json=body).json()["token"]
    row = ApiKey.objects.get(kind="token")
    assert str(row.pk) not in api(token).get("/api/api-keys/").text
    assert api(token).delete(f"/api/api-keys/{row.pk}/").status_code == 404


def managing(client, row):
    """Every way to manage keys: how it is answered."""
    made = client.post("/api/api-keys/", json={"name": "another"})
    return made, client.delete(f"/api/api-keys/{row.pk}/")


def test_a_key_manages_no_keys(api, alice):
    """Whoever steals one could make others without an end."""
    other = ApiKey.objects.get(pk=create(alice, "other"))
    before = list(ApiKey.objects.order_by("pk").values("pk", "revoked_at"))
    for answer in managing(api(alice.key), other):
        assert (answer.status_code, answer.json()["code"]) == (403, "permission_denied")
        assert answer.json()["error"] == (
            "API keys are made and deleted with a login token, unless the account lets its keys"
            " do it"
        )
    assert list(ApiKey.objects.order_by("pk").values("pk", "revoked_at")) == before
    assert len(api(alice.key).get("/api/api-keys/").json()) == 2


def test_an_account_may_let_its_keys_do_it(api, alice):
    other = ApiKey.objects.get(pk=create(alice, "other"))
    token = api(make_token(alice))
    assert token.get("/api/account/").json()["keys_manage_keys"] is False
    chosen = token.patch("/api/account/", json={"keys_manage_keys": True})
    assert (chosen.status_code, chosen.json()["keys_manage_keys"]) == (200, True)
    made, deleted = managing(api(alice.key), other)
    assert (made.status_code, deleted.status_code) == (201, 204)
    assert token.patch("/api/account/", json={}).json()["keys_manage_keys"] is True
    assert token.patch("/api/account/", json={"keys_manage_keys": None}).status_code == 200
    token.patch("/api/account/", json={"keys_manage_keys": False})
    assert api(alice.key).post("/api/api-keys/", json={"name": "x"}).status_code == 403


def test_a_key_does_not_choose_for_the_account(api, alice):
    for chosen in (False, True):
        alice.account.keys_manage_keys = chosen
        alice.account.save()
        answer = api(alice.key).patch("/api/account/", json={"keys_manage_keys": not chosen})
        assert (answer.status_code, answer.json()["code"]) == (403, "permission_denied")
        alice.account.refresh_from_db()
        assert alice.account.keys_manage_keys is chosen


@pytest.mark.parametrize("value", [1, 0, "true", "on", [], {}, 1.5])
def test_a_choice_is_true_or_false(api, alice, value):
    answer = api(make_token(alice)).patch("/api/account/", json={"keys_manage_keys": value})
    assert (answer.status_code, answer.json()["details"]) == (
        400,
        {"keys_manage_keys": "Must be true or false"},
    )
    alice.account.refresh_from_db()
    assert alice.account.keys_manage_keys is False


def create(person, name):
    """An API key beside the person's own; its id."""
    return keys.create_key(person.account, person.user, name).api_key.pk


def test_a_secret_that_has_just_ended_makes_no_key(alice):
    """It was read before its end was committed; the account's lock puts the two in order."""
    asker = ApiKey.objects.get()
    keys.revoke(ApiKey.objects.filter(pk=asker.pk))
    live = ApiKey.objects.live().filter(pk=asker.pk)
    with pytest.raises(AuthenticationFailed):
        keys.create_key(alice.account, alice.user, "late", asked_with=live)
    assert ApiKey.objects.count() == 1


def test_asked_for_twice_by_one_form(alice, bob):
    form = uuid.uuid4()
    keys.create_key(alice.account, alice.user, "once", key_id=form)
    for who in (alice, bob):
        with pytest.raises(keys.MadeAlready):
            keys.create_key(who.account, who.user, "twice", key_id=form)
    assert ApiKey.objects.get(pk=form).account_id == alice.account.pk
    assert not ApiKey.objects.filter(name="twice").exists()


def test_one_form_many_times_at_once(alice):
    form = uuid.uuid4()
    answers = race(
        [lambda: keys.create_key(alice.account, alice.user, "once", key_id=form)] * 10, at_once=10
    )
    assert sum(isinstance(answer, keys.Issued) for answer in answers) == 1
    assert sum(isinstance(answer, keys.MadeAlready) for answer in answers) == 9
