"""The programs of docs/webhooks.md take what we send, and nothing else."""

from __future__ import annotations

import time

import pytest

from tests.support.verifiers import LIBRARIES, OF_THE_PAGE, Verifier
from webhooks import signing

SECRET = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
OTHER = signing.new_secret()
EVENT = "evt_0193e0f7c5d87a3e9b1f2c4d5e6f7a8b"
BODY = (
    '{"id":"evt_1","type":"generation.completed","data":{"prompt":"Ein Schiff, 1 €\\n"}}'.encode()
)

pytestmark = pytest.mark.parametrize("verify", OF_THE_PAGE.values(), ids=OF_THE_PAGE)


def sent(*valid: str, age: int = 0, body: bytes = BODY) -> dict[str, str]:
    return signing.headers(valid or [SECRET], EVENT, int(time.time()) - age, body)


@pytest.mark.parametrize("body", [BODY, b"", b"\n\n", b"a\x00b\n", b"x" * 20_000])
def test_what_we_sign_is_taken(verify: Verifier, body: bytes) -> None:
    assert verify(SECRET, sent(body=body), body)


@pytest.mark.parametrize("age", [-295, 295])
def test_five_minutes_are_allowed(verify: Verifier, age: int) -> None:
    assert verify(SECRET, sent(age=age), BODY)


def test_one_of_two_signatures_is_enough(verify: Verifier) -> None:
    assert verify(SECRET, sent(OTHER, SECRET), BODY)
    assert verify(SECRET, sent(SECRET, OTHER), BODY)
    assert not verify(SECRET, sent(OTHER, OTHER), BODY)


@pytest.mark.parametrize("age", [301, -305, 86_400])
def test_another_time_is_refused(verify: Verifier, age: int) -> None:
    assert not verify(SECRET, sent(age=age), BODY)


@pytest.mark.parametrize(
    "body", [BODY.replace(b"e", b"f", 1), BODY + b"\n", BODY[:-1], b"", BODY + b"\x00"]
)
def test_another_body_is_refused(verify: Verifier, body: bytes) -> None:
    assert not verify(SECRET, sent(), body)


def test_another_secret_is_refused(verify: Verifier) -> None:
    assert not verify(OTHER, sent(), BODY)
    assert not verify(SECRET.replace("A", "B", 1), sent(), BODY)


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_AAEC"])
def test_without_a_secret_nobody_can_sign(verify: Verifier, secret: str) -> None:
    assert not verify(secret, sent(secret), BODY)
    assert not verify(secret, sent(), BODY)


@pytest.mark.parametrize(
    "changed",
    [
        {"webhook-id": "evt_2"},
        {"webhook-id": ""},
        {"webhook-timestamp": ""},
        {"webhook-timestamp": "x"},
        {"webhook-timestamp": "-1"},
        {"webhook-timestamp": "9" * 400},
        {"webhook-timestamp": "a[$(touch /tmp/no)]"},
        {"webhook-signature": ""},
        {"webhook-signature": "v1,"},
        {"webhook-signature": "v1"},
        {"webhook-signature": ","},
        {"webhook-signature": "*"},
        {"webhook-signature": "v1,é €"},
        {"webhook-signature": "v2,"},
    ],
)
def test_another_head_is_refused(verify: Verifier, changed: dict[str, str]) -> None:
    assert not verify(SECRET, sent() | changed, BODY)


@pytest.mark.parametrize("name", ["webhook-id", "webhook-timestamp", "webhook-signature"])
def test_a_head_that_lacks_something_is_refused(verify: Verifier, name: str) -> None:
    headers = sent()
    del headers[name]
    assert not verify(SECRET, headers, BODY)


def test_another_version_of_the_same_signature_is_refused(verify: Verifier) -> None:
    headers = sent()
    headers["webhook-signature"] = headers["webhook-signature"].replace("v1,", "v2,")
    assert not verify(SECRET, headers, BODY)
    headers["webhook-signature"] = headers["webhook-signature"].replace("v2,", "")
    assert not verify(SECRET, headers, BODY)


def test_the_libraries_that_the_page_names_agree(verify: Verifier) -> None:
    for headers in (sent(), sent(OTHER), sent(OTHER, SECRET), sent(age=301)):
        said = verify(SECRET, headers, BODY)
        assert {library(SECRET, headers, BODY) for library in LIBRARIES.values()} == {said}
