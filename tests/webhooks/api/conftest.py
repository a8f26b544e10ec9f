"""Asking about endpoints, as these tests do it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.support.people import Person

ENDPOINTS = "/api/v1/webhook-endpoints/"
URL = "https://hooks.example.com/in?token=t0ken"


@pytest.fixture
def client(api: Callable[..., httpx.Client], alice: Person) -> httpx.Client:
    return api(alice.key)


@pytest.fixture
def bobs(api: Callable[..., httpx.Client], bob: Person) -> httpx.Client:
    return api(bob.key)


def make(client: httpx.Client, **said: Any) -> dict[str, Any]:
    """The answer of a create."""
    answer = client.post(ENDPOINTS, json={"url": URL, **said})
    assert answer.status_code == 201, answer.text
    body: dict[str, Any] = answer.json()
    return body


def deliveries(client: httpx.Client, of: str, **query: Any) -> list[dict[str, Any]]:
    answer = client.get(f"{ENDPOINTS}{of}/deliveries/", params=query)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["results"]
    return found
