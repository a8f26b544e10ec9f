"""Looks for outputs that nobody gets, in the places of attempts that are not settled."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Sequence

from django.conf import settings

from common.crash import crash_point
from generation.backends.base import Kind, Produced, Reader, Unavailable
from generation.outputs import orphans
from generation.outputs.orphans import Look
from generation.provider.router import Router

logger = logging.getLogger(__name__)

Outcome = Produced | BaseException | None


def look_for_orphans(
    router: Router[Reader], loop: asyncio.AbstractEventLoop, seconds: float
) -> int:
    """Deal with due attempts for up to ``seconds`` and one batch more; return how many orphans.

    Ends early if nothing is due any more, or if the provider's storage does not answer: this
    process has files to store, and the rest can wait. PostgreSQL is only touched between two turns
    of the loop; its errors are raised, and the leases bring the attempts back.
    """
    ends = time.monotonic() + seconds
    count = 0
    while True:
        due, looks = orphans.claim_looks()
        outcomes: list[Outcome] = []
        if looks:
            crash_point("sweep.after_claim")
            outcomes = loop.run_until_complete(_look_for(router, looks))
            crash_point("sweep.before_save")
        for look, outcome in zip(looks, outcomes, strict=True):
            count += _write_back(look, outcome)
        deaf = bool(looks) and all(isinstance(outcome, BaseException) for outcome in outcomes)
        if due < orphans.BATCH or deaf or time.monotonic() >= ends:
            return count


async def _look_for(router: Router[Reader], looks: Sequence[Look]) -> list[Outcome]:
    return await asyncio.gather(*(_find(router, look) for look in looks), return_exceptions=True)


async def _find(router: Router[Reader], look: Look) -> Produced | None:
    # a list of many pages must not outlive the lease
    async with asyncio.timeout(settings.LEASE * 0.8):
        kind: Kind = "video" if look.kind == "video" else "image"
        return await router.of(look.backend).find_output(look.place, kind)


def _write_back(look: Look, outcome: Outcome) -> bool:
    """Write the outcome; return whether an orphan was found and kept."""
    if isinstance(outcome, Produced):
        if not orphans.found(look, outcome.uri):
            return False
        logger.warning(
            "orphan: attempt %s of generation %s: %s",
            *(look.number, look.generation_id, look.why(outcome.uri)),
        )
        return True
    if outcome is None:
        orphans.not_found(look)
        return False
    if not isinstance(outcome, Unavailable | TimeoutError):
        logger.error("looking for %s failed in our own code", look.place, exc_info=outcome)
    if orphans.not_answered(look):
        logger.warning("no answer about %s, and none is waited for any more", look.place)
    return False
