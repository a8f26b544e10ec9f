"""A worker that is killed, for real, before and after the receiver has a webhook."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest
from django.db.models.functions import Now

from events.models import WebhookAttempt, WebhookDelivery
from generation.models.states import State
from tests.support.boot import ROOT
from tests.support.bring_to import reached
from tests.support.deliveries import endpoint_of
from tests.support.people import Person
from tests.support.receiver import Receiver
from tests.webhooks.conftest import Deliver
from webhooks import signing

RUN = (
    "from webhooks.stage import DeliverStage; "
    "from work.engine import Engine; Engine().run(DeliverStage(), 0.0)"
)
SECRET = signing.new_secret()


@pytest.mark.parametrize(("place", "received"), [("after_claim", 0), ("after_answer", 1)])
def test_a_webhook_may_come_twice_and_has_the_same_id_then(
    place: str, received: int, deliver: Deliver, hooks: Receiver, alice: Person
) -> None:
    hooks.configure("alice", SECRET)
    endpoint_of(alice, url=hooks.hook("alice"), secret=SECRET)
    reached(alice, State.FAILED)
    died = subprocess.run(
        [sys.executable, "-c", f"import django; django.setup(); {RUN}"],
        cwd=ROOT,
        env=os.environ
        | {"DJANGO_SETTINGS_MODULE": "config.settings", "WEBHOOK_ALLOWED_ORIGINS": hooks.url}
        | {"CRASH_POINTS": f"deliver.{place}=1"},
        capture_output=True,
        text=True,
    )
    assert died.returncode == -signal.SIGKILL, died.stderr
    assert len(hooks.received("alice")) == received
    delivery = WebhookDelivery.objects.get()
    assert (delivery.state, delivery.strikes, delivery.attempts_made) == ("pending", 1, 0)
    assert deliver() == 0  # as long as the lease lasts
    WebhookDelivery.objects.update(next_attempt_at=Now())
    assert deliver() == 1
    delivery.refresh_from_db()
    assert (delivery.state, delivery.strikes, delivery.attempts_made) == ("succeeded", 0, 1)
    assert WebhookAttempt.objects.count() == 1
    got = hooks.received("alice")
    assert [each["id"] for each in got] == [f"evt_{delivery.event_id.hex}"] * (received + 1)
    assert all(each["verified"] for each in got)
