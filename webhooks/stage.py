"""The stage ``deliver``: sends what is due, and writes back what receivers answered.

The body is rendered, signed and sent at each attempt, from the rows as they are.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.db.models import prefetch_related_objects

from common.crash import crash_point
from common.name_lookup import Lookups
from common.sealing import DoesNotOpenError
from events.models import TEST, AttemptError, FailedReason, WebhookDelivery
from webhooks import due, ending, keys, metrics, rendering, schedule, send, signing
from webhooks.send import Answer
from work.stage import Done, Step
from work.waits import jitter

logger = logging.getLogger(__name__)

OURS = Answer(None, AttemptError.INTERNAL, 0)
KEEPS_CLAIMING = 480.0  # seconds beyond a run's time, ±20 %


class DeliverStage:
    """Each delivery by a connection of its own; what is under way costs nobody else a slot."""

    name = "deliver"
    noun = "delivery"
    concurrency = due.SLOTS
    gathers = False
    gap = 0.0
    # Slow receivers must not keep a run from claiming, so it goes on while anything is under way.
    # What is left at its end is waited for: to hand it back would send it twice.
    patience = send.SECONDS + 3.0

    def __init__(self, queue: due.Queue | None = None, lookups: Lookups | None = None) -> None:
        # each process has another limit, so that one claims while another waits for its last
        # deliveries
        self.keeps_claiming = jitter(KEEPS_CLAIMING)
        self._queue = queue or due.Queue()
        self._lookups = lookups or Lookups()
        self._under_way = due.UnderWay()

    def claim(self, limit: int) -> list[WebhookDelivery]:
        """Lease due deliveries and read their events and endpoints: both or neither."""
        with transaction.atomic():
            rows = self._queue.claim(limit, self._under_way)
            prefetch_related_objects(rows, "event", "endpoint", "account")
        return rows

    def traces(self, rows: Sequence[WebhookDelivery]) -> dict[Any, str]:
        return {}

    def start(self, delivery: WebhookDelivery) -> Step | None:
        """Send the delivery, unless there is no use in it."""
        crash_point("deliver.after_claim")
        if delivery.strikes > schedule.MOST_STRIKES:
            _not_survived(delivery)
            return None
        off = ending.is_off(delivery.endpoint)
        if off is not None and not _is_a_first_test(delivery, off):
            ending.not_sent(delivery, off)
            return None
        signer = delivery.endpoint or keys.default_of(delivery.account_id)
        try:
            secrets = keys.valid_secrets(signer, delivery.claimed_at)
        except DoesNotOpenError:
            logger.error("delivery %s: the secret does not open: %s", delivery.pk, signer)
            ending.attempted(delivery, _counted(OURS))
            return None
        body = rendering.encoded(rendering.body_of(delivery))
        moment = int(delivery.claimed_at.timestamp())
        headers = signing.headers(secrets, rendering.message_id(delivery.event), moment, body)
        self._under_way.begins(delivery.target, signer.is_prompt)
        return self._send(delivery, body, headers, signer.is_prompt)

    async def _send(
        self,
        delivery: WebhookDelivery,
        body: bytes,
        headers: dict[str, str],
        was_prompt: bool | None,
    ) -> Answer:
        resolver = self._lookups.of(delivery.target)
        url = ending.url_of(delivery)
        try:
            return _counted(await send.post(url, body, headers, resolver=resolver))
        finally:
            self._under_way.ends(delivery.target, was_prompt)

    def together(self, done: list[Done[WebhookDelivery]]) -> list[Done[WebhookDelivery]]:
        return done

    def finish(self, delivery: WebhookDelivery, outcome: Any) -> Step | None:
        """Write back what came of it."""
        crash_point("deliver.after_answer")
        if not isinstance(outcome, Answer):
            raise outcome
        ending.attempted(delivery, outcome)
        return None

    def hand_back(self, deliveries: list[WebhookDelivery]) -> None:
        ending.hand_back(deliveries)

    def drop(self, delivery: WebhookDelivery, error: BaseException) -> None:
        """Our own code failed. Lease and strike stay, so the row comes back a few times."""


def _not_survived(delivery: WebhookDelivery) -> None:
    """Count it as a failed attempt: the later ones show whether it is what kills the workers."""
    logger.error("delivery %s was held by %d workers that died", delivery.pk, delivery.strikes)
    if delivery.round_attempts + 1 < schedule.ATTEMPTS:
        ending.attempted(delivery, _counted(OURS))
    else:
        ending.not_sent(delivery, FailedReason.INTERNAL)


def _is_a_first_test(delivery: WebhookDelivery, off: FailedReason) -> bool:
    """Whether it is the first attempt of a test, which goes even to an endpoint that is off."""
    is_test = delivery.event.type == TEST and delivery.round_attempts == 0
    return is_test and off is FailedReason.ENDPOINT_DISABLED


def _counted(answer: Answer) -> Answer:
    metrics.ATTEMPTS.labels(str(answer.error or metrics.SUCCEEDED)).inc()
    metrics.ATTEMPT_SECONDS.observe(answer.duration_ms / 1000)
    return answer
