"""Signatures of Standard Webhooks: its own known answers, and a verifier that is not ours."""

from __future__ import annotations

import base64
import datetime as dt
import time

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from webhooks import signing

SECRET = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
EVENT = "evt_0193e0f7c5d87a3e9b1f2c4d5e6f7a8b"
BODY = b'{"type":"webhook_endpoint.test"}'


@pytest.mark.parametrize(
    ("secret", "message_id", "timestamp", "body", "signature"),
    [
        (SECRET, EVENT, 1795932000, BODY, "v1,EPnl8nE6soUIX1EP7lX5sK2FmDdJs91Vqxm6X4ewVgY="),
        (  # the standard's own
            "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            1614265330,
            b'{"test": 2432232314}',
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
        ),
    ],
)
def test_known_answers(
    secret: str, message_id: str, timestamp: int, body: bytes, signature: str
) -> None:
    assert signing.signature(secret, message_id, timestamp, body) == signature
    theirs = Webhook(secret).sign(
        message_id, dt.datetime.fromtimestamp(timestamp, dt.UTC), body.decode()
    )
    assert theirs == signature


def now() -> int:
    return int(time.time())


def test_a_verifier_that_is_not_ours_believes_it_and_no_other() -> None:
    secret = signing.new_secret()
    body = '{"prompt":"ä 🎈","a":1.0}'.encode()
    headers = signing.headers([secret], EVENT, now(), body)
    assert set(headers) == {"webhook-id", "webhook-timestamp", "webhook-signature"}
    assert Webhook(secret).verify(body, headers) == {"prompt": "ä 🎈", "a": 1.0}
    forged = [
        (secret, body + b" ", headers),
        (secret, body, headers | {"webhook-id": "evt_1"}),
        (secret, body, headers | {"webhook-timestamp": str(now() + 1)}),
        (signing.new_secret(), body, headers),
        (secret, body, signing.headers([secret], EVENT, now() - 301, body)),
        (secret, body, signing.headers([secret], EVENT, now() + 301, body)),
        (secret, body, signing.headers([], EVENT, now(), body)),
    ]
    for key, text, given in forged:
        with pytest.raises(WebhookVerificationError):
            Webhook(key).verify(text, given)


def test_during_a_rotation_each_secret_alone_verifies() -> None:
    new, old = signing.new_secret(), signing.new_secret()
    headers = signing.headers([new, old], EVENT, now(), BODY)
    entries = headers["webhook-signature"].split(" ")
    assert entries == [
        signing.signature(each, EVENT, int(headers["webhook-timestamp"]), BODY)
        for each in (new, old)
    ]
    for secret in (new, old):
        assert Webhook(secret).verify(BODY, headers)
    alone = signing.headers([new], EVENT, now(), BODY)
    assert " " not in alone["webhook-signature"]
    with pytest.raises(WebhookVerificationError):
        Webhook(old).verify(BODY, alone)


def test_a_secret_is_32_random_bytes_in_the_standard_alphabet() -> None:
    """Known verifiers split at ``_``, and do not know the URL-safe alphabet."""
    made = {signing.new_secret() for _ in range(200)}
    assert len(made) == 200
    for secret in made:
        prefix, _, rest = secret.partition("_")
        assert (prefix, len(base64.b64decode(rest, validate=True))) == ("whsec", 32)
        assert "_" not in rest
        assert rest.endswith("=")
    assert any("+" in secret or "/" in secret for secret in made)
