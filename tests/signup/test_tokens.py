"""``/api/tokens/``: how long login tokens live, where they are listed, and how they end."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from accounts import keys
from accounts.caller import Caller
from accounts.models import TOKEN_AGE, TOKEN_LIFETIME, ApiKey
from generation import creation
from generation.models import CatalogModel, Generation
from generation.offer.parameters import Parameters
from generation.order import Order
from generation.stages import ended_tokens
from generation.stages.ended_tokens import KEPT_DAYS, delete_ended_tokens
from tests.support.people import PASSWORD, make_token

ACCOUNT = "/api/account/"
TOKENS = "/api/tokens/"


def order(api_key) -> Order:
    model = CatalogModel.objects.get(name="veo3_fast")
    return Order(Caller.with_key(api_key), model, "a", Parameters.filled(model, {}))


def works(api, secret) -> bool:
    status: int = api(secret).get(ACCOUNT).status_code
    assert status in (200, 401)
    return status == 200


def aged(days: float, **more) -> None:
    """All tokens were given so many days ago."""
    ApiKey.objects.tokens().update(created_at=timezone.now() - timedelta(days=days), **more)


def test_the_list_says_where_one_is_logged_in(api, alice, bob):
    old, new = make_token(alice), make_token(alice)
    make_token(bob)
    api(old).get(ACCOUNT)
    answer = api(new).get(TOKENS)
    assert answer.status_code == 200
    listed = answer.json()
    assert [row["current"] for row in listed] == [True, False]
    assert set(listed[0]) == {
        "id", "token_preview", "created_at", "last_used_at", "expires_at", "current"
    }  # fmt: skip
    assert [row["token_preview"] for row in listed] == [f"{s[:8]}…{s[-4:]}" for s in (new, old)]
    assert old not in answer.text
    assert new not in answer.text


def test_one_ends(api, alice, bob):
    mine, other = make_token(alice), make_token(alice)
    gone = next(row["id"] for row in api(mine).get(TOKENS).json() if not row["current"])
    answer = api(mine).delete(f"{TOKENS}{gone}/")
    assert (answer.status_code, answer.content) == (204, b"")
    assert not works(api, other)
    assert works(api, mine)
    assert api(mine).delete(f"{TOKENS}{gone}/").status_code == 404
    assert api(make_token(bob)).delete(f"{TOKENS}{gone}/").status_code == 404
    (own,) = api(mine).get(TOKENS).json()
    assert api(mine).delete(f"{TOKENS}{own['id']}").status_code == 204
    assert not works(api, mine)


def test_all_others_end(api, alice, bob):
    mine, *others = (make_token(alice) for _ in range(4))
    foreign = make_token(bob)
    answer = api(mine).delete(TOKENS)
    assert (answer.status_code, answer.content) == (204, b"")
    assert [works(api, secret) for secret in others] == [False] * 3
    assert [works(api, secret) for secret in (mine, alice.key, foreign, bob.key)] == [True] * 4


@pytest.mark.parametrize("wrong", ["1", "nonsense", "%00", str(uuid.UUID(int=7))])
def test_no_such_token(api, alice, wrong):
    answer = api(make_token(alice)).delete(f"{TOKENS}{wrong}/")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


def test_a_key_is_no_token(api, alice):
    key = ApiKey.objects.get()
    assert api(make_token(alice)).delete(f"{TOKENS}{key.pk}/").status_code == 404
    token = make_token(alice)
    row = ApiKey.objects.tokens().latest("created_at")
    alice.account.keys_manage_keys = True
    alice.account.save()
    for method, path in (("GET", TOKENS), ("DELETE", TOKENS), ("DELETE", f"{TOKENS}{row.pk}/")):
        answer = api(alice.key).request(method, path)
        assert (answer.status_code, answer.json()["code"]) == (403, "permission_denied")
    assert works(api, token)


def test_of_more_than_20_the_oldest_ends(api, alice, bob):
    foreign = make_token(bob)
    secrets = [make_token(alice) for _ in range(keys.MAX_LIVE_TOKENS + 3)]
    assert keys.tokens_of(alice.user).count() == keys.MAX_LIVE_TOKENS == 20
    assert [works(api, secret) for secret in secrets] == [False] * 3 + [True] * 20
    assert works(api, foreign)
    body = {"username": "alice", "password": PASSWORD}
    assert api().post("/api/login/", json=body).status_code == 200
    assert not works(api, secrets[3])
    assert len(api(secrets[-1]).get(TOKENS).json()) == 20


def test_racing_log_ins_leave_20(api, alice, settings):
    settings.RATE_LIMIT_LOGINS = settings.RATE_LIMIT_ANONYMOUS = 1000
    client = api()
    body = {"username": "alice", "password": PASSWORD}
    with ThreadPoolExecutor(8) as pool:
        answers = pool.map(lambda _: client.post("/api/login/", json=body), range(40))
        assert {answer.status_code for answer in answers} <= {200, 429}
    assert keys.tokens_of(alice.user).count() <= 20
    made = ApiKey.objects.tokens().count()
    assert keys.tokens_of(alice.user).count() == min(20, made)


def test_use_prolongs_a_token_up_to_90_days_in_all(api, alice):
    token = make_token(alice)
    aged(70)
    assert works(api, token)
    row = ApiKey.objects.tokens().get()
    assert row.expires_at == row.created_at + TOKEN_AGE
    assert row.expires_at < timezone.now() + TOKEN_LIFETIME
    ApiKey.objects.tokens().update(last_used_at=timezone.now() - timedelta(hours=1))
    aged(89.9)
    assert works(api, token)
    row.refresh_from_db()
    assert row.expires_at == row.created_at + TOKEN_AGE
    aged(91, last_used_at=None)  # one that the release before had prolonged: it ends by its use
    api(token).get(ACCOUNT)
    assert not works(api, token)


def test_what_ended_is_deleted_after_a_month(api, alice):
    """But for one that ordered something, so that the generation says what it was ordered with."""
    ordered, revoked, expired, live = (make_token(alice) for _ in range(4))
    made = api(ordered).post("/api/v1/generate/", json={"prompt": "a"}).json()["data"]
    assert api(revoked).post("/api/logout/").status_code == 204
    rows = ApiKey.objects.tokens().order_by("created_at")
    by_name = dict(zip(("ordered", "revoked", "expired", "live"), rows, strict=True))
    now = timezone.now()
    ended = now - timedelta(days=KEPT_DAYS, seconds=1)
    key = ApiKey.objects.keys()
    key.update(expires_at=ended)  # not for keys
    assert delete_ended_tokens() == 0
    for name in ("ordered", "revoked"):
        ApiKey.objects.filter(pk=by_name[name].pk).update(expires_at=ended)
    ApiKey.objects.filter(pk=by_name["expired"].pk).update(expires_at=ended + timedelta(minutes=5))
    assert delete_ended_tokens() == 1
    left = set(ApiKey.objects.tokens().values_list("pk", flat=True))
    assert left == {by_name[name].pk for name in ("ordered", "expired", "live")}
    assert key.count() == 1
    assert works(api, live)
    assert not works(api, expired)
    generation = Generation.objects.get(pk=made["generation_id"])
    assert generation.api_key == by_name["ordered"]
    assert not works(api, ordered)
    by_name["ordered"].refresh_from_db()
    assert (by_name["ordered"].revoked_at, by_name["ordered"].expires_at) == (ended, None)


def test_what_stays_keeps_no_place_from_what_goes(alice, monkeypatch):
    """A batch of those that ordered would be looked at for ever, and nothing else."""
    monkeypatch.setattr(ended_tokens, "TOGETHER", 2)
    for days in (35, 34, 33, 32):
        make_token(alice)
        newest = ApiKey.objects.tokens().latest("created_at")
        ended = timezone.now() - timedelta(days=days)
        ApiKey.objects.filter(pk=newest.pk).update(expires_at=ended)
        if days > 33:
            creation.create(order(newest))
    assert [delete_ended_tokens() for _ in range(3)] == [0, 2, 0]
    assert ApiKey.objects.tokens().count() == 2


def test_deleting_reads_no_table_of_generations(alice):
    """Neither the statement nor the foreign key, though one key has ordered all there is."""
    key = ApiKey.objects.keys().get()
    for _ in range(3):
        make_token(alice)
        creation.create(order(key))
    ApiKey.objects.tokens().update(expires_at=timezone.now() - timedelta(days=31))
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE generation_generation")
        # PostgreSQL counts what this connection did before as this transaction's, until it is sent
        cursor.execute("SELECT pg_stat_force_next_flush()")
    with transaction.atomic(), connection.cursor() as cursor:
        assert delete_ended_tokens() == 3
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(
            "SELECT seq_scan, idx_scan > 0 FROM pg_stat_xact_user_tables"
            " WHERE relname = 'generation_generation'"
        )
        assert cursor.fetchone() == (0, True)


def test_what_ordered_something_cannot_be_deleted(alice):
    key = ApiKey.objects.keys().get()
    creation.create(order(key))
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        with pytest.raises(IntegrityError), transaction.atomic():
            cursor.execute("DELETE FROM accounts_apikey WHERE id = %s", [key.pk])
    assert ApiKey.objects.filter(pk=key.pk).exists()
