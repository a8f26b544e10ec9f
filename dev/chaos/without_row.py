"""Control run told-from-memory: what is to be sent is written down only after the commit."""

from __future__ import annotations

import uuid

from django.db import transaction

from common.crash import crash_point
from events import outbox
from events.models import Type, WebhookDelivery

announce = outbox.announce


def remember(
    account_id: uuid.UUID, generation_id: uuid.UUID, what: Type, webhook_url: str | None
) -> bool:
    """In the place of ``outbox.announce``: a worker that dies in between forgets it."""
    written = announce(account_id, generation_id, what, webhook_url)
    rows = WebhookDelivery.objects.filter(event__generation_id=generation_id)
    remembered = list(rows)
    rows.delete()

    def write_down() -> None:
        crash_point("control.told")
        WebhookDelivery.objects.bulk_create(remembered)

    transaction.on_commit(write_down)
    return written


outbox.announce = remember
