"""``POST /api/register/``."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from accounts.models import Account, ApiKey, Membership, User
from common.errors import InvalidRequest
from credits.models import LedgerEntry, Wallet
from signup import registration

BODY = {"username": "Carol", "email": "carol@example.com", "password": "a-long-sentence-7"}
REQUIRED = "This field is required"


def nothing_was_made(but: int = 0) -> bool:
    return [model.objects.count() for model in (User, Account, Membership, Wallet)] == [but] * 4


def test_a_customer_is_made_and_logged_in(api):
    answer = api().post("/api/register/", json=BODY)
    assert answer.status_code == 201, answer.text
    assert answer.headers["Cache-Control"] == "private, no-store"
    body = answer.json()
    user = User.objects.get(username="Carol")
    assert body == {
        "token": body["token"],
        "user": {
            "id": str(user.pk),
            "username": "Carol",
            "email": "carol@example.com",
            "credits_balance": 0,
        },
    }
    assert body["token"].startswith("rmt_")
    assert user.check_password(BODY["password"])
    assert api(body["token"]).get("/api/api-keys/").json() == []
    assert Wallet.objects.get(account__members=user).balance == 0
    assert not LedgerEntry.objects.exists()


def test_credits_wait_for_the_verification(api, settings):
    settings.SIGNUP_CREDITS = 50
    answer = api().post("/api/register/", json=BODY)
    assert answer.json()["user"]["credits_balance"] == 0
    assert not LedgerEntry.objects.exists()


def test_the_secret_is_stored_nowhere(api, admin_connection):
    token = api().post("/api/register/", json=BODY).json()["token"]
    key = api(token).post("/api/api-keys/", json={"name": "shop"}).json()["key"]
    for table in ("accounts_apikey", "accounts_user", "accounts_account"):
        rows = admin_connection.execute(f"SELECT t::text FROM {table} t").fetchall()
        text = "\n".join(row[0] for row in rows)
        assert rows
        assert token not in text
        assert key not in text
        assert BODY["password"] not in text
    assert {len(row.digest) for row in ApiKey.objects.all()} == {32}


@pytest.mark.parametrize(
    ("change", "error", "details"),
    [
        ({"username": None}, "Username is required", {"username": REQUIRED}),
        ({"username": ""}, "Username is required", {"username": REQUIRED}),
        ({"username": "  "}, "Username is required", {"username": REQUIRED}),
        ({"email": None}, "Email is required", {"email": REQUIRED}),
        ({"password": None}, "Password is required", {"password": REQUIRED}),
        ({"password": ""}, "Password is required", {"password": REQUIRED}),
        ({"username": "ab"}, None, {"username": "Must be at least 3 characters"}),
        ({"username": "a" * 151}, None, {"username": "Must be at most 150 characters"}),
        ({"username": 12345}, None, {"username": "Must be a string"}),
        ({"username": True}, None, {"username": "Must be a string"}),
        ({"username": ["abc"]}, None, {"username": "Must be a string"}),
        ({"username": {}}, None, {"username": "Must be a string"}),
        ({"email": 1}, None, {"email": "Must be a string"}),
        ({"password": 1234567890123}, None, {"password": "Must be a string"}),
        ({"email": "carol"}, None, {"email": "Enter a valid e-mail address"}),
        ({"email": f"{'c' * 60}@{'d' * 200}.com"}, None, None),
        ({"password": "x" * 4097}, None, {"password": "Must be at most 4096 characters"}),
    ],
)
def test_bad_bodies(api, change, error, details):
    answer = api().post("/api/register/", json=BODY | change)
    assert answer.status_code == 400, answer.text
    body = answer.json()
    assert (body["success"], body["code"]) == (False, "invalid_request")
    assert error is None or body["error"] == error
    assert details is None or body["details"] == details
    assert nothing_was_made()


@pytest.mark.parametrize(
    "username",
    [
        "carol@home",
        "two words",
        "a\nb",
        "a/b/c",
        "<b>bold</b>",
        "x\u200by\u200bz",
        "\ufdfa\ufdfa\ufdfa",
    ],
)
def test_a_name_has_no_odd_characters(api, username):
    answer = api().post("/api/register/", json=BODY | {"username": username})
    assert answer.status_code == 400
    assert answer.json()["error"] == "Username must contain only letters, digits and . _ + -"
    assert list(answer.json()["details"]) == ["username"]
    assert nothing_was_made()


@pytest.mark.parametrize("username", ["bob", "b" * 150, "jürgen", "李小龍", "a.b_c+d-e", "123"])
def test_good_names(api, username):
    assert api().post("/api/register/", json=BODY | {"username": username}).status_code == 201


@pytest.mark.parametrize(
    ("password", "says"),
    [
        ("x7#", "too short"),
        ("password", "too common"),
        ("7163548209476", "entirely numeric"),
        ("carol@example.com", "too similar"),
    ],
)
def test_weak_passwords(api, password, says):
    answer = api().post("/api/register/", json=BODY | {"password": password})
    assert answer.status_code == 400
    message = answer.json()["details"]["password"]
    assert says in message
    assert not message.endswith(".")
    assert nothing_was_made()


def test_several_faults_at_once_are_all_told_in_order(api):
    answer = api().post("/api/register/", json={"password": "short"})
    body = answer.json()
    assert body["error"] == "Username is required"
    assert list(body["details"]) == ["username", "email", "password"]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"username": "ALICE"}, "username"),
        ({"username": "\uff41lice"}, "username"),  # a fullwidth a
        ({"email": "Alice@Example.COM"}, "email"),
    ],
)
def test_names_and_mails_are_unique_whatever_the_case(api, alice, change, field):
    answer = api().post("/api/register/", json=BODY | change)
    assert answer.status_code == 400
    assert answer.json()["code"] == "invalid_request"
    assert list(answer.json()["details"]) == [field]
    assert nothing_was_made(but=1)


def test_racing_for_one_name_has_one_winner(api):
    client = api()

    def attempt(number: int):
        name = "carol" if number % 2 else "CAROL"
        body = BODY | {"username": name, "email": f"carol{number}@example.com"}
        return client.post("/api/register/", json=body).status_code

    with ThreadPoolExecutor(8) as pool:
        codes = sorted(pool.map(attempt, range(8)))
    assert codes == [201] + [400] * 7
    assert nothing_was_made(but=1)


@pytest.mark.parametrize(
    ("username", "email", "fields"),
    [
        ("ALICE", "new@example.com", ["username"]),
        ("new", "ALICE@example.com", ["email"]),
        ("Alice", "Alice@example.com", ["username", "email"]),
    ],
)
def test_the_constraints_decide_when_the_look_before_saw_nothing(alice, username, email, fields):
    with pytest.raises(InvalidRequest) as refused:
        registration.register(username, email, BODY["password"])
    assert list(refused.value.details) == fields
    assert nothing_was_made(but=1)


def test_the_verb_is_closed_too(settings):
    settings.REGISTRATION_OPEN = False
    with pytest.raises(registration.RegistrationClosed):
        registration.register(**BODY)
    assert nothing_was_made()


def test_closed(api, settings):
    settings.REGISTRATION_OPEN = False
    answer = api().post("/api/register/", json=BODY)
    assert answer.status_code == 403
    assert answer.json()["code"] == "registration_closed"
    assert nothing_was_made()


def test_limited_per_address(api, settings, alice):
    settings.RATE_LIMIT_REGISTRATIONS = 3
    slip = BODY | {"username": "x"}
    client = api()
    assert {client.post("/api/register/", json=slip).status_code for _ in range(5)} == {400}
    assert client.post("/api/register/", json=BODY).status_code == 201
    taken = [BODY | {"username": "alice"}] * 2
    assert [client.post("/api/register/", json=body).status_code for body in taken] == [400, 400]
    answer = client.post("/api/register/", json=BODY | {"username": "dora", "email": "d@d.org"})
    assert answer.status_code == 429
    assert answer.json()["code"] == "rate_limited"
    assert 3500 < int(answer.headers["Retry-After"]) <= 3600
    assert nothing_was_made(but=2)


def test_a_bad_secret_does_not_hurt(api):
    client = api("rmk_nonsense")
    assert client.post("/api/register/", json=BODY).status_code == 201


def test_null_and_unknown_fields_are_ignored(api):
    body = BODY | {"is_staff": True, "is_superuser": True, "credits": 10**6, "id": None}
    assert api().post("/api/register/", json=body).status_code == 201
    user = User.objects.get()
    assert not user.is_staff
    assert not user.is_superuser
