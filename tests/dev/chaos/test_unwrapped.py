"""OpenAI's client takes what we sign, as of when it came, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from dev.chaos.unwrapped import tried
from webhooks import signing

SECRET = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
BODY = '{"type":"generation.completed"}'
LONG_AGO = 1_795_932_000


def received(**changed: Any) -> dict[str, Any]:
    headers = signing.headers([SECRET], "evt_1", LONG_AGO, BODY.encode())
    return {"box": "0-0", "at": LONG_AGO + 2.5, "body": BODY, "headers": headers} | changed


def is_taken(row: dict[str, Any], secret: str = SECRET) -> bool:
    return bool(tried([row], {"0-0": secret})[0]["unwrapped"])


def test_what_we_sign_is_taken_however_long_ago_it_came() -> None:
    assert is_taken(received())


@pytest.mark.parametrize(
    "changed",
    [
        {"body": BODY + " "},
        {"body": None},
        {"at": LONG_AGO + 301.0},
        {"box": "elsewhere"},
        {"headers": signing.headers([SECRET], "evt_2", LONG_AGO, b"{}")},
    ],
)
def test_nothing_else_is(changed: dict[str, Any]) -> None:
    assert not is_taken(received(**changed))
    assert not is_taken(received(), signing.new_secret())
