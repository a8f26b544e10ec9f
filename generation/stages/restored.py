"""After a dump was restored: the provider may have been asked since for what it shows as queued.

The bucket knows: an attempt's place is made of the generation's id and the attempt's number. So the
next attempt is written down as one without an answer. The submit stage looks into its place, then
asks again after the doubt.
"""

from __future__ import annotations

from django.conf import settings

from generation import lifecycle
from generation.backends.base import Unavailable
from generation.models import Generation
from generation.models.states import State
from generation.offer import catalog
from generation.provider.readers import readers
from generation.stages.submit import doubt_seconds
from work import due

BATCH = 100


def doubt_the_queue() -> tuple[int, int]:
    """Put every due queued row in doubt; return how many, and how many are not due yet.

    Only while no worker runs: a worker that has a queued row's lease would ask for it.
    """
    count = 0
    while rows := due.claim(Generation, [State.QUEUED], BATCH, settings.LEASE):
        count += sum(_doubt(row) for row in rows)
    waiting = Generation.objects.filter(state=State.QUEUED, next_attempt_at__isnull=False)
    return count, waiting.count()


def _doubt(row: Generation) -> bool:
    router = readers()
    try:
        route = router.route(row.model, catalog.provider_model(row.model))
    except Unavailable:  # this build could not have asked for it, and cannot look for it
        return False
    attempt = lifecycle.begin_attempt(row, route)
    if attempt is None:
        return False
    seconds = doubt_seconds(row, router.capabilities(route.backend).recovers)
    return lifecycle.doubt(row, attempt, "restored from an older state", seconds)
