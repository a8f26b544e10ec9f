"""``Idempotency-Key`` (contract, section 7)."""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections.abc import Callable
from typing import Any

import httpx
import psycopg
import pytest

from accounts.models import Account
from common.fresh import Fresh
from credits import ledger
from credits.models import Wallet
from generation import lifecycle
from generation.models import CatalogModel, Generation
from generation.models.states import State
from tests.support.bring_to import kept, reached
from tests.support.people import Person, make_key

Api = Callable[..., httpx.Client]
VIDEO, IMAGE = "/api/v1/generate/video/", "/api/v1/generate/"
BODY = {"prompt": "a red fox", "aspect_ratio": "9:16"}


def post(client: httpx.Client, key: str, body: Any = None, path: str = VIDEO) -> httpx.Response:
    return client.post(path, json=BODY if body is None else body, headers={"Idempotency-Key": key})


def is_replay(answer: httpx.Response, first: httpx.Response) -> bool:
    assert answer.status_code == 201, answer.text
    assert answer.json() == first.json()
    assert answer.headers["Location"] == first.headers["Location"]
    return bool(answer.headers.get("Idempotent-Replayed") == "true")


def refused(answer: httpx.Response, status: int, code: str) -> bool:
    body = answer.json()
    assert body["request_id"] == answer.headers["X-Request-ID"]
    assert (body["success"], body["code"]) == (False, code)
    return bool(answer.status_code == status)


@pytest.fixture
def client(api: Api, alice: Person) -> httpx.Client:
    """Alice's."""
    return api(alice.key)


def test_the_same_again_is_answered_again_and_charged_once(
    client: httpx.Client, alice: Person
) -> None:
    first = post(client, "k")
    assert "Idempotent-Replayed" not in first.headers
    assert is_replay(post(client, "k"), first)
    assert Generation.objects.count() == 1
    assert alice.balance == 760


def test_image_to_video_is_replayed_whole(client: httpx.Client) -> None:
    body = BODY | {"source_image_urls": ["https://example.com/a.png"], "video_model": "veo3"}
    first = post(client, "k", body)
    assert first.json()["data"]["source_images_count"] == 1
    assert is_replay(post(client, "k", body), first)


def test_images_have_keys_too(client: httpx.Client, alice: Person) -> None:
    body = {"prompt": "p", "size": "2:3"}
    first = post(client, "k", body, IMAGE)
    assert is_replay(post(client, "k", body, IMAGE), first)
    assert alice.balance == 976


def test_without_a_key_every_request_is_a_new_one(client: httpx.Client, alice: Person) -> None:
    assert client.post(VIDEO, json=BODY).json() != client.post(VIDEO, json=BODY).json()
    assert alice.balance == 520


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (VIDEO, BODY | {"prompt": "a blue fox"}),
        (VIDEO, BODY | {"seed": 1}),
        (VIDEO, {"prompt": "a red fox", "aspect_ratio": "9:16", "video_model": "veo3_fast"}),
        (VIDEO, BODY | {"source_image_urls": []}),
        (VIDEO, BODY | {"prompt": "a red fox "}),
        (VIDEO, {"prompt": ""}),
        (IMAGE, BODY),
        ("/api/v1/generate/image/", BODY),
    ],
)
def test_another_request_with_the_same_key_is_refused(
    client: httpx.Client, alice: Person, path: str, body: Any
) -> None:
    """ "Same" is before defaults and trimming: a changed client asks for something else."""
    first = post(client, "k")
    answer = post(client, "k", body, path)
    assert refused(answer, 409, "idempotency_key_reused")
    assert "Retry-After" not in answer.headers
    assert is_replay(post(client, "k"), first)
    assert alice.balance == 760


@pytest.mark.parametrize(
    "content",
    [
        '{"aspect_ratio": "9:16", "prompt": "a red fox"}',
        ' {\n"prompt"\t:"a red\\u0020fox","aspect_ratio":"9:16"}\n',
    ],
)
def test_the_spelling_of_the_json_does_not_matter(client: httpx.Client, content: str) -> None:
    first = post(client, "k")
    headers = {"Idempotency-Key": "k", "Content-Type": "application/json"}
    assert is_replay(client.post(VIDEO, content=content, headers=headers), first)


def test_the_slash_does_not_matter(client: httpx.Client) -> None:
    first = post(client, "k")
    assert is_replay(post(client, "k", path=VIDEO.rstrip("/")), first)


def test_a_key_belongs_to_the_account_not_to_the_api_key(
    api: Api, alice: Person, bob: Person, client: httpx.Client
) -> None:
    first = post(client, "k")
    another = make_key(alice.user, alice.account)
    assert is_replay(post(api(another), "k"), first)
    theirs = post(api(bob.key), "k", {"prompt": "something else"})
    assert theirs.status_code == 201
    assert "Idempotent-Replayed" not in theirs.headers
    assert theirs.json()["data"]["generation_id"] != first.json()["data"]["generation_id"]


def test_the_first_answer_is_given_whatever_happened_since(
    client: httpx.Client, alice: Person
) -> None:
    """Balance gone, open limit reached, model off and dearer, provider busy: the same data."""
    first = post(client, "k")
    ledger.adjust(alice.account.pk, -760, description="spent", created_by=alice.user.pk)
    assert is_replay(post(client, "k"), first)
    Wallet.objects.filter(account=alice.account).update(max_open_charges=1)
    assert is_replay(post(client, "k"), first)
    CatalogModel.objects.filter(name="veo3_fast").update(
        price=999, estimated_time="weeks", submits_per_minute=0
    )
    Fresh.clear_all()
    assert is_replay(post(client, "k"), first)
    CatalogModel.objects.filter(name="veo3_fast").update(enabled=False)
    Fresh.clear_all()
    assert is_replay(post(client, "k"), first)
    CatalogModel.objects.filter(kind="video").update(enabled=False)
    Fresh.clear_all()
    assert is_replay(post(client, "k"), first)
    assert refused(post(client, "k", {"prompt": "b"}), 409, "idempotency_key_reused")
    assert refused(post(client, "new"), 400, "invalid_request")


def test_a_replay_needs_no_model_that_it_named_to_be_on_sale(client: httpx.Client) -> None:
    body = BODY | {"video_model": "veo3"}
    first = post(client, "k", body)
    CatalogModel.objects.filter(name="veo3").update(enabled=False)
    Fresh.clear_all()
    assert is_replay(post(client, "k", body), first)


@pytest.mark.parametrize("end", ["completed", "failed"])
def test_a_replay_in_the_very_moment_of_the_end(
    end: str,
    client: httpx.Client,
    alice: Person,
    admin_connection: psycopg.Connection,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each of the two has something that the other one asks for next."""
    generation = reached(alice, State.STORING, "k")
    answers: list[httpx.Response] = []
    replay = threading.Thread(
        target=lambda: answers.append(post(client, "k", {"prompt": "a red fox"}))
    )

    def in_between(verb: Callable[..., Any]) -> Callable[..., Any]:
        def wrapped(*arguments: Any) -> Any:
            replay.start()
            ends = time.monotonic() + 1  # if it waits, for us, it would be found out after 1 s
            while replay.is_alive() and time.monotonic() < ends and not _waits(admin_connection):
                time.sleep(0.005)
            return verb(*arguments)

        return wrapped

    for verb in ("settle", "refund"):
        monkeypatch.setattr(ledger, verb, in_between(getattr(ledger, verb)))
    if end == "completed":
        assert lifecycle.complete(generation, **kept(generation))
    else:
        assert lifecycle.fail(generation, "provider_error", "It could not be made")
    replay.join()
    assert answers[0].status_code == 201
    assert answers[0].headers["Idempotent-Replayed"] == "true"
    generation.refresh_from_db()
    assert generation.state == end
    alice.account.wallet.refresh_from_db()
    assert alice.account.wallet.open_charges == 0


def _waits(observer: psycopg.Connection) -> bool:
    statement = (
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
        " AND wait_event_type = 'Lock'"
    )
    return observer.execute(statement).fetchone() != (0,)


@pytest.mark.parametrize("state", [State.RUNNING, State.COMPLETED, State.FAILED, State.CANCELED])
def test_the_key_stays_with_the_generation_whatever_became_of_it(
    state: State, client: httpx.Client, alice: Person
) -> None:
    generation = reached(alice, state, "k")
    answer = post(client, "k", {"prompt": "a red fox"})
    assert answer.headers["Idempotent-Replayed"] == "true"
    data = answer.json()["data"]
    assert (data["generation_id"], data["status"]) == (str(generation.pk), "processing")
    assert (data["credits_used"], data["credits_remaining"]) == (240, 760)


def test_a_refused_request_does_not_use_the_key_up(client: httpx.Client, alice: Person) -> None:
    assert refused(post(client, "k", {"prompt": ""}), 400, "invalid_request")
    ledger.adjust(alice.account.pk, -900, description="spent", created_by=alice.user.pk)
    assert refused(post(client, "k"), 402, "insufficient_credits")
    ledger.grant(alice.account.pk, 900, description="back")
    Wallet.objects.filter(account=alice.account).update(max_open_charges=0)
    assert refused(post(client, "k"), 429, "too_many_open_generations")
    Wallet.objects.filter(account=alice.account).update(max_open_charges=None)
    Account.objects.filter(pk=alice.account.pk).update(creates_per_minute=0)
    assert refused(post(client, "k"), 429, "rate_limited")
    Account.objects.filter(pk=alice.account.pk).update(creates_per_minute=None)
    answer = post(client, "k", {"prompt": "quite another one"})
    assert answer.status_code == 201
    assert "Idempotent-Replayed" not in answer.headers
    assert Generation.objects.count() == 1


def test_a_canceled_ones_key_does_not_buy_again(client: httpx.Client, alice: Person) -> None:
    first = post(client, "k")
    assert lifecycle.cancel(Generation.objects.get().pk)
    assert is_replay(post(client, "k"), first)
    assert alice.balance == 1000


@pytest.mark.parametrize("key", ["x", "x" * 255, "!~ #/%", "0", "a, b"])
def test_good_keys(client: httpx.Client, key: str) -> None:
    assert is_replay(post(client, key), post(client, key)) is False
    assert Generation.objects.get().idempotency_key == key


@pytest.mark.parametrize(
    "key", [b"", b"x" * 256, b"a\tb", "caf\u00e9".encode(), "caf\u00e9".encode("latin-1"), b"\x7f"]
)
def test_bad_keys(client: httpx.Client, alice: Person, key: bytes) -> None:
    headers = [(b"Idempotency-Key", key), (b"Content-Type", b"application/json")]
    answer = client.post(VIDEO, content=json.dumps(BODY), headers=headers)
    assert refused(answer, 400, "invalid_request")
    message = "Must be 1 to 255 printable ASCII characters"
    assert answer.json()["details"] == {"Idempotency-Key": message}
    assert answer.json()["error"] == f"Idempotency-Key m{message[1:]}"
    assert alice.balance == 1000


BODIES: list[dict[str, Any]] = [
    {"prompt": "a fox"},
    {"prompt": "a fox", "video_model": None},
    {"prompt": "a fox", "aspect_ratio": None, "source_image_urls": None},
    {"prompt": "a fox", "seed": None, "whatever": None},
]


def test_null_is_as_if_absent_here_too(client: httpx.Client, alice: Person) -> None:
    """Of every field, whether we know it or not; the contract says so of the body."""
    for number, first in enumerate(BODIES):
        key = f"null-{number}"
        made = post(client, key, first).json()["data"]["generation_id"]
        for again in BODIES:
            answer = post(client, key, again)
            assert answer.json()["data"]["generation_id"] == made, (first, again)
            assert answer.headers["Idempotent-Replayed"] == "true"
        assert refused(post(client, key, {"prompt": None}), 409, "idempotency_key_reused")
        other = {"prompt": "a fox", "source_image_urls": []}
        assert refused(post(client, key, other), 409, "idempotency_key_reused")
        client.post(f"/api/v1/generate/{made}/cancel/")
    assert Generation.objects.count() == len(BODIES)


def test_a_key_of_the_last_release_is_known_by_what_was_sent(
    client: httpx.Client, alice: Person
) -> None:
    """Which hashed its nulls, too."""
    sent = {"prompt": "a fox", "video_model": None}
    made = post(client, "k", sent).json()["data"]["generation_id"]
    text = json.dumps([VIDEO, sent], sort_keys=True, separators=(",", ":"))
    digest = hashlib.sha256(text.encode()).digest()
    Generation.objects.filter(pk=made).update(request_sha256=digest)
    assert post(client, "k", sent).json()["data"]["generation_id"] == made
