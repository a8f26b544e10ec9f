"""Signatures while a secret is rotated, verified by a library that is not ours."""

from __future__ import annotations

from datetime import timedelta

import httpx
import pytest
from django.utils import timezone
from standardwebhooks import Webhook, WebhookVerificationError

from events.models import DefaultSecret, WebhookDelivery, WebhookEndpoint
from events.models.endpoint import Signer
from tests.webhooks.api.conftest import ENDPOINTS, make
from webhooks import again, keys, rendering, signing


def sent(
    signer: Signer, delivery: WebhookDelivery, hours: float = 0
) -> tuple[bytes, dict[str, str]]:
    """Body and headers as they would be sent in so many hours."""
    now = timezone.now()
    body = rendering.encoded(rendering.body_of(delivery))
    secrets = keys.valid_secrets(signer, now + timedelta(hours=hours))
    name = rendering.message_id(delivery.event)
    return body, signing.headers(secrets, name, int(now.timestamp()), body)


def verifies(secret: str, body: bytes, headers: dict[str, str]) -> bool:
    try:
        Webhook(secret).verify(body, headers)
    except WebhookVerificationError:
        return False
    return True


@pytest.mark.parametrize("of", ["endpoint", "default"])
def test_each_secret_alone_verifies_until_the_old_one_ends(of: str, client: httpx.Client) -> None:
    made = make(client)
    delivery = again.test(WebhookEndpoint.objects.get())
    rotate, first = f"{ENDPOINTS}{made['id']}/rotate-secret/", made["secret"]
    if of == "default":
        rotate = f"{ENDPOINTS}default-secret/rotate/"
        first = client.get(f"{ENDPOINTS}default-secret/").json()["secret"]
    second = client.post(rotate, json={"keep_old_for_hours": 3}).json()["secret"]
    signer: Signer = WebhookEndpoint.objects.get()
    if of == "default":
        signer = DefaultSecret.objects.get()
    body, headers = sent(signer, delivery)
    assert len(headers["webhook-signature"].split(" ")) == 2
    assert verifies(first, body, headers)
    assert verifies(second, body, headers)
    assert not verifies(signing.new_secret(), body, headers)
    assert not verifies(second, body + b" ", headers)
    body, headers = sent(signer, delivery, hours=3.01)
    assert len(headers["webhook-signature"].split(" ")) == 1
    assert not verifies(first, body, headers)
    assert verifies(second, body, headers)
