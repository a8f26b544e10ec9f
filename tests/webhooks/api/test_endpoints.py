"""The routes of endpoints: fields, codes and sentences of section 12 of the contract."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from django.utils import timezone
from pytest_django.fixtures import Settings

from events.models import DisabledReason, WebhookEndpoint
from tests.contract.answers import error
from tests.support.document import fits
from tests.support.people import Person
from tests.webhooks.api.conftest import ENDPOINTS, URL, make
from webhooks import switching
from webhooks.refusals import MOST_ENDPOINTS

ONE = f"{ENDPOINTS}{{endpoint_id}}/"
ENDS = ["generation.completed", "generation.failed", "generation.canceled"]
BAD_TYPES = f"Invalid event_types. Must be one of: {', '.join([*ENDS, '*'])}"
FIELDS = {
    *("id", "url", "description", "event_types", "enabled", "disabled_reason", "disabled_at"),
    *("secret_hint", "previous_secret_expires_at", "api_version", "last_delivery"),
    *("created_at", "updated_at"),
}


def test_the_answer_of_a_create_alone_has_the_secret(client: httpx.Client) -> None:
    answer = client.post(ENDPOINTS, json={"url": URL})
    body = fits(answer, ENDPOINTS, 201)
    path = f"{ENDPOINTS}{body['id']}/"
    assert answer.headers["Location"] == path
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert set(body) == FIELDS | {"success", "secret"}
    assert body["success"] is True
    assert (body["url"], body["description"], body["event_types"]) == (URL, "", ENDS)
    assert (body["enabled"], body["disabled_reason"], body["disabled_at"]) == (True, None, None)
    assert body["secret"].startswith("whsec_")
    assert body["secret_hint"] == body["secret"][-4:]
    assert body["api_version"] == "2026-12-01"
    assert (body["previous_secret_expires_at"], body["last_delivery"]) == (None, None)
    secret = body.pop("secret")
    shown = client.get(path)
    assert fits(shown, ONE, 200) == body
    listed = client.get(ENDPOINTS)
    assert fits(listed, ENDPOINTS, 200)["results"] == [
        {name: value for name, value in body.items() if name != "success"}
    ]
    assert secret not in shown.text + listed.text


def test_all_fields_may_be_said(client: httpx.Client) -> None:
    said = {"description": "d" * 200, "event_types": ["*"], "enabled": False}
    body = make(client, **said)
    assert {name: body[name] for name in said} == said
    assert body["disabled_at"] is not None
    assert body["disabled_reason"] is None
    nothing = make(client, description=None, event_types=None, enabled=None, unknown=1)
    assert (nothing["description"], nothing["event_types"], nothing["enabled"]) == ("", ENDS, True)
    twice = make(client, event_types=[ENDS[2], ENDS[0], ENDS[2]])
    assert twice["event_types"] == [ENDS[2], ENDS[0]]


URLS = [
    (None, "Url is required"),
    ("", "Url is required"),
    (7, "Url must be a string"),
    (["https://a.example/"], "Url must be a string"),
    ("http://hooks.example.com/", "Url must be an https URL"),
    ("ftp://hooks.example.com/", "Url must be an https URL"),
    ("hooks.example.com", "Url must be an https URL"),
    ("https://user@hooks.example.com/", "Url must not contain a user name or password"),
    ("https://u:p@hooks.example.com/", "Url must not contain a user name or password"),
    ("https://a.example/" + "b" * 2048, "Url must be at most 2048 characters"),
    ("https://testserver/hooks", "Url must not lead to this service"),
    (" https://hooks.example.com/", "Url must not contain spaces or control characters"),
    ("https://hooks.example.com/\n", "Url must not contain spaces or control characters"),
]


@pytest.mark.parametrize(("url", "sentence"), URLS)
def test_urls_that_are_not_taken(
    url: Any, sentence: str, client: httpx.Client, settings: Settings
) -> None:
    settings.PUBLIC_BASE_URL = "https://testserver"
    good = make(client)
    for method, path in (("POST", ENDPOINTS), ("PATCH", f"{ENDPOINTS}{good['id']}/")):
        if method == "PATCH" and url is None:
            continue
        answer = client.request(method, path, json={"url": url})
        if method == "PATCH" and url == "":
            assert answer.status_code == 400
            continue
        body = error(answer, 400, "invalid_request")
        assert body["error"] == sentence
        assert list(body["details"]) == ["url"]
    assert WebhookEndpoint.objects.count() == 1
    assert WebhookEndpoint.objects.get().url == URL


@pytest.mark.parametrize(
    "types",
    [
        *([], {}, "*", "generation.failed", ["generation.started"], [None], [[]], [{}], 7, True),
        *(["webhook_endpoint.test"], ["*", "x"], ["generation.failed", 7], ["GENERATION.FAILED"]),
    ],
)
def test_types_that_are_none(types: Any, client: httpx.Client) -> None:
    body = error(
        client.post(ENDPOINTS, json={"url": URL, "event_types": types}), 400, "invalid_request"
    )
    assert (body["error"], body["details"]) == (BAD_TYPES, {"event_types": BAD_TYPES})


def test_other_fields_at_fault(client: httpx.Client) -> None:
    said = {"url": "x", "event_types": [], "description": "d" * 201, "enabled": "yes"}
    body = error(client.post(ENDPOINTS, json=said), 400, "invalid_request")
    assert body["error"] == "Url must be an https URL"
    assert body["details"] == {
        "url": "Must be an https URL",
        "event_types": BAD_TYPES,
        "description": "Must be at most 200 characters",
        "enabled": "Must be true or false",
    }


def test_an_eleventh(client: httpx.Client, bobs: httpx.Client) -> None:
    for _ in range(MOST_ENDPOINTS):
        made = make(client)
    answer = client.post(ENDPOINTS, json={"url": URL})
    assert fits(answer, ENDPOINTS, 409)["code"] == "too_many_webhook_endpoints"
    make(bobs)
    assert client.delete(f"{ENDPOINTS}{made['id']}/").status_code == 204
    make(client)


def test_pages(client: httpx.Client) -> None:
    made = [make(client)["id"] for _ in range(5)][::-1]
    first = client.get(f"{ENDPOINTS}?limit=2").json()
    assert (first["count"], first["count_is_capped"], first["previous"]) == (5, False, None)
    second = client.get(first["next"]).json()
    third = client.get(second["next"]).json()
    pages = [first, second, third]
    assert [row["id"] for page in pages for row in page["results"]] == made
    assert client.get(third["previous"]).json()["results"] == second["results"]
    error(client.get(f"{ENDPOINTS}?limit=0"), 400, "invalid_request")


def test_a_change_leaves_what_is_not_said(client: httpx.Client) -> None:
    made = make(client, description="shop")
    path = f"{ENDPOINTS}{made['id']}/"
    del made["secret"]
    assert fits(client.patch(path, json={}), ONE, 200) == made
    assert fits(client.patch(path, json={"enabled": None, "url": None}), ONE, 200) == made
    changed = fits(client.patch(path, json={"event_types": ["*"]}), ONE, 200)
    assert changed["updated_at"] > made["updated_at"]
    assert changed == made | {"event_types": ["*"], "updated_at": changed["updated_at"]}
    off = fits(client.patch(path, json={"enabled": False, "description": ""}), ONE, 200)
    assert (off["enabled"], off["disabled_reason"], off["description"]) == (False, None, "")
    assert off["disabled_at"] is not None
    body = error(client.patch(path, json={"enabled": 1}), 400, "invalid_request")
    assert body["error"] == "Enabled must be true or false"


@pytest.mark.parametrize("reason", DisabledReason)
def test_why_it_was_switched_off(reason: DisabledReason, client: httpx.Client) -> None:
    path = f"{ENDPOINTS}{make(client)['id']}/"
    switching.switch_off(WebhookEndpoint.objects.get().pk, reason)
    body = fits(client.get(path), ONE, 200)
    assert (body["enabled"], body["disabled_reason"]) == (False, reason)
    on = fits(client.patch(path, json={"enabled": True}), ONE, 200)
    assert (on["enabled"], on["disabled_reason"], on["disabled_at"]) == (True, None, None)


@pytest.mark.parametrize("succeeded", [True, False])
def test_the_newest_attempt_is_told(succeeded: bool, client: httpx.Client) -> None:
    path, now = f"{ENDPOINTS}{make(client)['id']}/", timezone.now()
    WebhookEndpoint.objects.update(last_attempt_at=now, last_attempt_succeeded=succeeded)
    body = fits(client.get(path), ONE, 200)
    assert body["last_delivery"] == {
        "status": "succeeded" if succeeded else "failed",
        "at": now.isoformat().replace("+00:00", "Z"),
    }


def test_deleted_it_is_not_there(client: httpx.Client) -> None:
    path = f"{ENDPOINTS}{make(client)['id']}/"
    assert fits(client.delete(path), ONE, 204) is None
    for method in ("GET", "PATCH", "DELETE"):
        error(client.request(method, path), 404, "not_found")
    for verb in ("rotate-secret", "test", "recover", "deliveries"):
        method = "GET" if verb == "deliveries" else "POST"
        body = {"since": "2026-01-01T00:00:00Z"} if method == "POST" else None
        error(client.request(method, f"{path}{verb}/", json=body), 404, "not_found")
    assert client.get(ENDPOINTS).json()["results"] == []


def test_ids_that_are_none(client: httpx.Client, alice: Person) -> None:
    digits = make(client)["id"].removeprefix("we_")
    for name in (
        digits,
        f"evt_{digits}",
        f"we_{digits}0",
        f"we_{digits[:-1]}",
        f"we_{digits.upper()}x",
        f"WE_{digits}",
        f"we_we_{digits}",
        f"we_{'0' * 32}",
        "default",
        str(alice.account.pk),
        "we_%00",
        "we_" + "\u0661" * 32,
    ):
        for method in ("GET", "PATCH", "DELETE"):
            error(client.request(method, f"{ENDPOINTS}{name}/", json={}), 404, "not_found")
    assert WebhookEndpoint.objects.get().enabled


def test_methods(client: httpx.Client) -> None:
    path = f"{ENDPOINTS}{make(client)['id']}/"
    for each, allowed in (
        (ENDPOINTS, "GET, POST, HEAD"),
        (path, "GET, PATCH, DELETE, HEAD"),
        (f"{path}test/", "POST"),
        (f"{path}recover/", "POST"),
        (f"{path}rotate-secret/", "POST"),
        (f"{ENDPOINTS}default-secret/", "GET, HEAD"),
        (f"{ENDPOINTS}default-secret/rotate/", "POST"),
        (f"{path}deliveries/", "GET, HEAD"),
    ):
        answer = client.put(each, json={})
        error(answer, 405, "method_not_allowed")
        said = set(answer.headers["Allow"].split(", ")) - {"OPTIONS"}
        assert said == set(allowed.split(", ")), each
    assert client.head(path).status_code == 200
