"""Rotating secrets, of endpoints and the default one."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import httpx
import pytest
from django.utils import timezone

from events.models import DefaultSecret, WebhookEndpoint
from tests.contract.answers import error
from tests.support.document import fits
from tests.support.people import Person
from tests.webhooks.api.conftest import ENDPOINTS, make
from webhooks import keys

DEFAULT = f"{ENDPOINTS}default-secret/"
ROTATE = f"{ENDPOINTS}{{endpoint_id}}/rotate-secret/"
BAD_HOURS = "Must be a whole number from 0 to 168"


def valid() -> list[str]:
    row = WebhookEndpoint.objects.get()
    return keys.valid_secrets(row, timezone.now())


def test_two_are_valid_after_a_rotation(client: httpx.Client) -> None:
    made = make(client)
    path = f"{ENDPOINTS}{made['id']}/rotate-secret/"
    answer = client.post(path)
    body = fits(answer, ROTATE, 200)
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert body["secret_hint"] == body["secret"][-4:]
    assert valid() == [body["secret"], made["secret"]]
    hours = (
        datetime.fromisoformat(body["previous_secret_expires_at"]) - timezone.now()
    ).total_seconds() / 3600
    assert 23.9 < hours < 24.1
    refused = client.post(path, json={"keep_old_for_hours": 0})
    beside = "previous_secret_expires_at"
    error(refused, 409, "rotation_in_progress", beside)
    assert fits(refused, ROTATE, 409)[beside] == body[beside]
    assert valid() == [body["secret"], made["secret"]]
    third = client.post(path, json={"force": True, "keep_old_for_hours": 168}).json()
    assert valid() == [third["secret"], body["secret"]]
    last = client.post(path, json={"force": True, "keep_old_for_hours": 0}).json()
    assert (valid(), last[beside]) == ([last["secret"]], None)
    shown = client.get(f"{ENDPOINTS}{made['id']}/").json()
    assert (shown["secret_hint"], shown[beside]) == (last["secret_hint"], None)


def test_one_that_has_ended_is_not_told_of(client: httpx.Client) -> None:
    path = f"{ENDPOINTS}{make(client)['id']}/"
    client.post(f"{path}rotate-secret/", json={"keep_old_for_hours": 1})
    WebhookEndpoint.objects.update(previous_secret_expires_at=timezone.now())
    assert client.get(path).json()["previous_secret_expires_at"] is None
    assert client.post(f"{path}rotate-secret/").status_code == 200


@pytest.mark.parametrize("hours", [-1, 169, 1.5, "24", True, [], 10**30])
def test_hours_that_are_none(hours: Any, client: httpx.Client) -> None:
    paths = (f"{ENDPOINTS}{make(client)['id']}/rotate-secret/", f"{DEFAULT}rotate/")
    before = valid()
    for path in paths:
        answer = client.post(path, json={"keep_old_for_hours": hours})
        body = error(answer, 400, "invalid_request")
        assert body["details"] == {"keep_old_for_hours": BAD_HOURS}
        assert body["error"] == f"Keep old for hours m{BAD_HOURS[1:]}"
        error(client.post(path, json={"force": 1}), 400, "invalid_request")
    assert valid() == before
    assert not DefaultSecret.objects.exists()


def test_the_default_secret_is_made_when_it_is_needed(
    client: httpx.Client, bobs: httpx.Client, alice: Person
) -> None:
    answer = client.get(DEFAULT)
    first = fits(answer, DEFAULT, 200)
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert list(first) == ["success", "secret", "secret_hint", "previous_secret_expires_at"]
    assert first["secret_hint"] == first["secret"][-4:]
    assert client.get(DEFAULT).json() == first
    assert keys.valid_secrets(DefaultSecret.objects.get(), timezone.now()) == [first["secret"]]
    assert bobs.get(DEFAULT).json()["secret"] != first["secret"]
    answer = client.post(f"{DEFAULT}rotate/", json={"keep_old_for_hours": 2})
    second = fits(answer, f"{DEFAULT}rotate/", 200)
    assert answer.headers["Cache-Control"] == "private, no-store"
    row = DefaultSecret.objects.get(account=alice.account)
    assert keys.valid_secrets(row, timezone.now()) == [second["secret"], first["secret"]]
    assert client.get(DEFAULT).json() == second
    refused = client.post(f"{DEFAULT}rotate/")
    fits(refused, f"{DEFAULT}rotate/", 409)
    error(refused, 409, "rotation_in_progress", "previous_secret_expires_at")
    assert client.post(f"{DEFAULT}rotate/", json={"force": True}).status_code == 200


def test_a_rotation_makes_the_default_one_too(client: httpx.Client) -> None:
    assert client.post(f"{DEFAULT}rotate/").status_code == 200
    assert client.get(DEFAULT).json()["previous_secret_expires_at"] is not None


def test_a_default_secret_that_no_key_opens(
    client: httpx.Client, caplog: pytest.LogCaptureFixture
) -> None:
    """So it may be while SECRET_KEY is rotated; if the key is lost, a rotation makes another."""
    first = client.get(DEFAULT).json()["secret"]
    DefaultSecret.objects.update(secret="sealed by another key")
    answer = client.get(DEFAULT)
    error(answer, 503, "service_unavailable")
    assert answer.headers["Retry-After"] == "2"
    assert "the secret does not open" in caplog.text
    assert client.post(f"{DEFAULT}rotate/").status_code == 200
    assert client.get(DEFAULT).json()["secret"] != first
