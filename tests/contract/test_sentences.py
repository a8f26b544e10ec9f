"""Every 400 about a field names it, also to whoever shows ``error`` alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest
from pytest_django.fixtures import Settings

from tests.support.document import operations, resolved
from tests.support.people import PASSWORD, Person, make_token
from webhooks import endpoints, public

Api = Callable[..., httpx.Client]
GOOD: dict[str, Any] = {
    "prompt": "a fox",
    "name": "a key",
    "username": "carol",
    "email": "carol@example.com",
    "password": PASSWORD,
    "current_password": PASSWORD,
    "new_password": "another long one, 7",
    "url": "https://hooks.example.com/in",
    "since": "2026-01-01T00:00:00Z",
}
ODD: tuple[Any, ...] = (
    *(5, True, [], {}, "", "\u2028", "x" * 5000, None, ["x"]),
    "0001-01-01T00:00:00+23:59",
)


def bodies() -> dict[tuple[str, str], list[str]]:
    """The fields of each body that the document knows."""
    found = {}
    for path, method, operation in operations():
        content = operation.get("requestBody", {}).get("content", {})
        if "application/json" in content:
            schema = content["application/json"]["schema"]
            found[method, path] = list(resolved(schema)["properties"])
    return found


@pytest.mark.parametrize(("method", "path"), bodies())
def test_a_refusal_names_its_field(
    method: str, path: str, api: Api, alice: Person, settings: Settings
) -> None:
    settings.RATE_LIMIT_CREATES = settings.RATE_LIMIT_REGISTRATIONS = 1000
    settings.RATE_LIMIT_LOGINS = settings.RATE_LIMIT_AUTH_FAILURES = 1000
    token = make_token(alice)
    endpoint, _ = endpoints.create(alice.account.pk, alice.user.pk, url=GOOD["url"])
    place = path.replace("{endpoint_id}", public.endpoint_id(endpoint.pk))
    fields, refused = bodies()[method, path], 0
    good = {name: GOOD[name] for name in fields if name in GOOD}
    for name in fields:
        for value in ODD:
            answer = api(token).request(method, place, json=good | {name: value})
            if answer.status_code != 400:
                continue
            refused += 1
            body = answer.json()
            assert list(body["details"]) == [name], (name, value)
            # Django's own sentences about a password do not say which
            words = name.removeprefix("new_").replace("_", "").casefold()
            said = body["error"].replace("_", "").replace(" ", "").replace("-", "").casefold()
            assert words in said, (name, value, body["error"])
    assert refused >= len(fields)
    assert alice.balance >= 0
