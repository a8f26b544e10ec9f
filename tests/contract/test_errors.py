"""Every row of the table of errors (contract, section 6), through HTTP, and nothing charged.

The last two, which are our own faults, are in test_our_faults.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from django.utils import timezone
from pytest_django.fixtures import Settings

from accounts.models import Account
from common.fresh import Fresh
from credits.models import Wallet
from generation.models import CatalogModel, Generation
from generation.models.states import State
from tests.contract.answers import error
from tests.support.bring_to import created, reached
from tests.support.people import Person

Api = Callable[..., httpx.Client]
VIDEO, IMAGE = "/api/v1/generate/video/", "/api/v1/generate/"
STATUS = "/api/v1/generate/{}/"


@pytest.fixture
def client(api: Api, alice: Person) -> httpx.Client:
    """Alice's."""
    return api(alice.key)


@pytest.fixture
def nothing_charged(alice: Person) -> Iterator[None]:
    """Afterwards Alice has what she had, and no generation."""
    yield
    assert alice.balance == 1000
    assert len(alice.entries) == 1
    assert not Generation.objects.exists()


@pytest.mark.usefixtures("nothing_charged")
@pytest.mark.parametrize(
    ("path", "body", "message"),
    [
        (VIDEO, {}, "Prompt is required"),
        (VIDEO, {"prompt": None}, "Prompt is required"),
        (VIDEO, {"prompt": ""}, "Prompt is required"),
        (VIDEO, {"prompt": " \t\n\u00a0\u2003"}, "Prompt is required"),
        (IMAGE, {"prompt": []}, "Prompt must be a string"),
        (VIDEO, {"prompt": "x" * 1001}, "Prompt must be at most 1000 characters"),
        (
            VIDEO,
            {"prompt": "p", "video_model": "veo2"},
            "Invalid video_model. Must be one of: veo3_fast, veo3",
        ),
        (
            VIDEO,
            {"prompt": "p", "aspect_ratio": "1:1"},
            "Invalid aspect_ratio. Must be one of: 16:9, 9:16",
        ),
        (IMAGE, {"prompt": "p", "size": "9:16"}, "Invalid size. Must be one of: 1:1, 3:2, 2:3"),
    ],
)
def test_the_literal_sentences(
    client: httpx.Client, path: str, body: dict[str, Any], message: str
) -> None:
    answer = error(client.post(path, json=body), 400, "invalid_request")
    assert answer["error"] == message


@pytest.mark.usefixtures("nothing_charged")
@pytest.mark.parametrize(
    ("urls", "names"),
    [
        ("https://a.example/x.png", None),
        ({}, None),
        (["https://a.example/x.png"] * 4, None),
        ([1], "[0]"),
        ([None], "[0]"),
        (["https://a.example/1.png", ""], "[1]"),
        (["https://a.example/1.png", "https://b.example/2.png", "file:///etc/passwd"], "[2]"),
        (["https://a.example/" + "x" * 2048], "[0]"),
        (["https://user:secret@a.example/x.png"], "[0]"),
        (["https://a.example:0x50/x.png"], "[0]"),
        (["https:///x.png"], "[0]"),
        (["https://a.example/x y.png"], "[0]"),
    ],
)
def test_bad_source_images_are_named_by_their_index(
    client: httpx.Client, urls: Any, names: str | None
) -> None:
    body = {"prompt": "p", "source_image_urls": urls}
    answer = error(client.post(VIDEO, json=body), 400, "invalid_request")
    assert list(answer["details"]) == ["source_image_urls"]
    if names is not None:
        assert f"source_image_urls{names}" in answer["error"]


def test_several_faults_are_all_told_and_the_first_field_leads(client: httpx.Client) -> None:
    body = {"source_image_urls": 1, "aspect_ratio": "x", "video_model": "y", "prompt": "x" * 1001}
    answer = error(client.post(VIDEO, json=body), 400, "invalid_request")
    assert answer["error"] == "Prompt must be at most 1000 characters"
    fields = ["prompt", "video_model", "aspect_ratio", "source_image_urls"]
    assert list(answer["details"]) == fields


@pytest.mark.usefixtures("nothing_charged")
def test_a_body_that_is_too_large(client: httpx.Client) -> None:
    """Chunked ones are in tests/common/web/test_body_limit.py, on a server that reads them."""
    content = b'{"prompt": "' + b"x" * 1024 * 1024 + b'"}'
    headers = {"Content-Type": "application/json"}
    error(client.post(VIDEO, content=content, headers=headers), 413, "request_too_large")


@pytest.mark.usefixtures("nothing_charged")
@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "x/y", ""]
)
def test_another_content_type(client: httpx.Client, kind: str) -> None:
    answer = client.post(VIDEO, content=b'{"prompt": "p"}', headers={"Content-Type": kind})
    error(answer, 415, "unsupported_media_type")


@pytest.mark.usefixtures("nothing_charged")
def test_credentials(api: Api) -> None:
    for secret, code in ((None, "not_authenticated"), ("rmk_nonsense", "invalid_credentials")):
        answer = api(secret).post(VIDEO, json={"prompt": "p"})
        error(answer, 401, code)
        assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_insufficient_credits_come_before_too_many_open_ones(
    client: httpx.Client, alice: Person, settings: Settings
) -> None:
    created(alice, model="veo3")
    Wallet.objects.filter(account=alice.account).update(max_open_charges=1)
    body = {"prompt": "p", "video_model": "veo3"}
    answer = error(client.post(VIDEO, json=body), 429, "too_many_open_generations")
    assert answer["error"] == "At most 1 generations can be open at once, wait for one to finish"
    for limit in (0, None):  # the one that was enforced, which 0 is, too
        Wallet.objects.filter(account=alice.account).update(max_open_charges=limit)
        settings.MAX_OPEN_GENERATIONS = 1
        answer = error(client.post(VIDEO, json=body), 429, "too_many_open_generations")
        enforced = 1 if limit is None else limit
        assert answer["error"].startswith(f"At most {enforced} generations can be open at once")
    Wallet.objects.filter(account=alice.account).update(balance=499)
    extra = ("credits_needed", "credits_balance", "video_model", "generation_type")
    answer = error(client.post(VIDEO, json=body), 402, "insufficient_credits", *extra)
    assert answer["error"] == "Insufficient credits. Need 500, have 499"
    assert Generation.objects.count() == 1


def test_forbidden(api: Api, client: httpx.Client, alice: Person, settings: Settings) -> None:
    settings.REGISTRATION_OPEN = False
    error(api().post("/api/register/", json={}), 403, "registration_closed")
    error(client.post("/api/logout/"), 403, "permission_denied")  # an API key, not a login token
    Account.objects.filter(pk=alice.account.pk).update(suspended_at=timezone.now())
    for method, path in (("POST", VIDEO), ("GET", "/api/v1/credits/")):
        error(client.request(method, path, json={}), 403, "account_suspended")


def test_no_such_thing_method_or_form(client: httpx.Client) -> None:
    for path in ("/api/v2/", "/api/v1/generate/video/x/y/", "/webhooks/x", "/api/v1/generate/x/"):
        error(client.get(path), 404, "not_found")
    for method, path in (("GET", VIDEO), ("PATCH", VIDEO), ("DELETE", "/api/v1/credits/")):
        answer = client.request(method, path)
        error(answer, 405, "method_not_allowed")
        assert answer.headers["Allow"]
    for path in ("/api/v1/credits/", "/api/v1/models/"):
        error(client.get(path, headers={"Accept": "text/html"}), 406, "not_acceptable")


def test_conflict_and_gone(client: httpx.Client, alice: Person) -> None:
    generation = reached(alice, State.RUNNING, "k")
    path = STATUS.format(generation.pk)
    answer = client.post(VIDEO, json={"prompt": "b"}, headers={"Idempotency-Key": "k"})
    error(answer, 409, "idempotency_key_reused")
    error(client.get(f"{path}download/"), 409, "not_ready")
    error(client.post(f"{path}cancel/"), 409, "not_cancelable")
    film = reached(alice, State.COMPLETED)
    Generation.objects.filter(pk=film.pk).update(output_key="", output_deleted_at=timezone.now())
    error(client.get(f"{STATUS.format(film.pk)}download/"), 410, "output_expired")


def test_too_many_requests(client: httpx.Client, alice: Person) -> None:
    Account.objects.filter(pk=alice.account.pk).update(creates_per_minute=1, reads_per_minute=1)
    for method, path, name in (("POST", VIDEO, "creates"), ("GET", "/api/v1/credits/", "reads")):
        first = client.request(method, path, json={"prompt": "p"})
        assert first.headers["RateLimit"].startswith(f'"{name}";r=0;t=')
        answer = client.request(method, path, json={"prompt": "p"})
        error(answer, 429, "rate_limited")
        assert 1 <= int(answer.headers["Retry-After"]) <= 60
        assert answer.headers["RateLimit-Policy"] == f'"{name}";q=1;w=60'
        assert answer.headers["RateLimit"].startswith(f'"{name}";r=0;t=')
    assert Generation.objects.count() == 1


def test_too_many_open_ones(client: httpx.Client, alice: Person, settings: Settings) -> None:
    settings.MAX_OPEN_GENERATIONS = 1
    assert client.post(VIDEO, json={"prompt": "p"}).status_code == 201
    answer = client.post(IMAGE, json={"prompt": "p"})
    error(answer, 429, "too_many_open_generations")
    assert int(answer.headers["Retry-After"]) >= 1
    assert alice.balance == 760


def test_provider_busy(client: httpx.Client, alice: Person) -> None:
    CatalogModel.objects.filter(name="veo3_fast").update(submits_per_minute=0)
    Fresh.clear_all()
    assert client.post(VIDEO, json={"prompt": "p"}).status_code == 201
    Fresh.clear_all()
    answer = client.post(VIDEO, json={"prompt": "p"})
    error(answer, 503, "provider_busy")
    assert int(answer.headers["Retry-After"]) >= 1
    assert alice.balance == 760
    assert client.post(VIDEO, json={"prompt": "p", "video_model": "veo3"}).status_code == 201
