"""A text with nothing to be seen in it is blank, whatever it is made of."""

from __future__ import annotations

import sys
import unicodedata
from collections.abc import Callable

import httpx
import pytest

from accounts.models import ApiKey
from common.api.fields import BLANK, is_blank
from generation.models import Generation
from tests.contract.answers import error
from tests.support.people import Person

Api = Callable[..., httpx.Client]
INVISIBLE = [
    *(
        "\u200b",
        "\ufeff",
        "\u200d\u200c",
        "\u2060" * 1000,
        "\u00ad",
        "\u202e\u202c",
        "\x01",
        "\x7f",
    ),
    *("\u3000 \u00a0", "\u2028\u2029", "\u180e", "\U000e0041", "\u200b \n \u200b"),
    # seen by nobody, though their category says letter, mark or symbol
    *("\u3164", "\u115f\u1160", "\uffa0", "\u2800", "\ufe0f", "\u034f", "\U000e0100"),
]
SEEN = [
    "a\u200bb",
    "\u200ba\u200b",
    "👩\u200d🚀",
    "می\u200cخواهم",
    "\u202efox",
    "❤\ufe0f",
    "\u0301",
]


@pytest.mark.parametrize("path", ["/api/v1/generate/", "/api/v1/generate/video/"])
@pytest.mark.parametrize("prompt", INVISIBLE, ids=ascii)
def test_is_required(path: str, prompt: str, api: Api, alice: Person) -> None:
    body = error(api(alice.key).post(path, json={"prompt": prompt}), 400, "invalid_request")
    assert body["error"] == "Prompt is required"
    assert body["details"] == {"prompt": "This field is required"}
    assert alice.balance == 1000
    assert not Generation.objects.exists()


@pytest.mark.parametrize("prompt", SEEN, ids=ascii)
def test_within_a_text_they_stay(prompt: str, api: Api, alice: Person) -> None:
    assert api(alice.key).post("/api/v1/generate/", json={"prompt": prompt}).status_code == 201
    assert Generation.objects.get().prompt == prompt
    assert alice.balance == 1000 - 24


def test_every_blank_control_and_format_character_counts() -> None:
    characters = map(chr, range(sys.maxunicode + 1))
    unseen = [one for one in characters if unicodedata.category(one) in BLANK or one.isspace()]
    assert len(unseen) > 200
    assert all(map(is_blank, unseen))
    assert not any(map(is_blank, "a1.é字🦊\u0301"))


def test_other_required_texts_too(api: Api, alice: Person) -> None:
    client = api(alice.key)
    answer = client.post("/api/register/", json={"username": "\u200b", "email": "\u2060"})
    assert answer.json()["details"]["username"] == "This field is required"
    assert answer.json()["details"]["email"] == "This field is required"
    assert ApiKey.objects.count() == 1
