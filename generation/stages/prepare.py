"""Source images by URL: fetched and drawn anew before the order may be sent to the provider.

Slow hosts and hostile pictures do their harm only here: in a queue and processes of its own, two
orders of an account at a time, and before a place of the provider's rate is taken.
"""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings

from common.crash import crash_point
from common.name_lookup import Lookups
from generation import lifecycle, waiting
from generation.backends import base
from generation.inputs import image_queue, prepared_images
from generation.inputs.images import to_fetch
from generation.inputs.source_images import InvalidSourceImage, load_source_images
from generation.models import Generation
from generation.models.states import State
from generation.provider.router import Router
from generation.stages.base import StageBase
from work import due
from work.stage import Step
from work.waits import backoff

logger = logging.getLogger(__name__)

MAX_TRIES = 6  # with the back-off between them about two minutes
TOO_LATE = "images_until IS NOT NULL AND LEAST(images_until, deadline_at) <= now()"


@dataclass(frozen=True, slots=True)
class Prepared:
    """The images are in our storage."""


@dataclass(frozen=True, slots=True)
class NotKept:
    """Our storage refused the images; that is not the customer's fault."""

    detail: str


class PrepareStage(StageBase):
    """queued, with source images awaited → queued, and ready for the gate."""

    name = "prepare"
    states = (State.QUEUED,)
    concurrency = 12  # each may hold three images of 20 MB
    # Slow hosts must not keep a run from claiming, so it goes on while anything is under way.
    # Nothing is bought here: what is left at its end is handed back and begun anew.
    keeps_claiming = 280.0

    def __init__(
        self,
        provider: Router[base.Reader],
        wake: Callable[[str], None] | None = None,
        lookups: Lookups | None = None,
    ) -> None:
        super().__init__(provider, wake)
        self._lookups = lookups or Lookups()
        self._begun: dict[uuid.UUID, float] = {}
        self._busy: Counter[uuid.UUID] = Counter()  # by account, canceled ones included

    def claim(self, limit: int) -> list[Generation]:
        """Lease late rows, which cost nothing, then rows of accounts with a free slot."""
        rows = due.claim(Generation, self.states, limit, self.lease, TOO_LATE)
        return rows + image_queue.claim(limit - len(rows), +self._busy)

    @property
    def lease(self) -> float:
        """Seconds; a try takes half of it at most."""
        return float(settings.PREPARE_LEASE)

    def work(self, generation: Generation) -> Step | None:
        """Fetch and redraw, within one time limit that covers every wait in it."""
        if _seconds_left(generation) <= 0:
            lifecycle.fail(
                generation,
                "timeout",
                "The source images could not be fetched in time",
                retryable=True,
                detail=f"no turn at source images in time; before that: {_before(generation)}",
            )
            return None
        crash_point("prepare.after_claim")
        prepared_images.remember(generation.pk)
        self._begun[generation.pk] = time.monotonic()
        self._busy[generation.account_id] += 1
        return self._counted(generation)

    async def _counted(self, generation: Generation) -> Prepared | NotKept:
        try:
            return await self._prepare(generation)
        finally:
            self._busy[generation.account_id] -= 1

    async def _prepare(self, generation: Generation) -> Prepared | NotKept:
        wanted = to_fetch(generation.source_image_urls)
        images = await self._loaded(generation, wanted)
        try:
            async with asyncio.timeout(settings.PREPARE_TIMEOUT / 2):  # both within the lease
                await asyncio.to_thread(prepared_images.keep, generation.pk, images)
        except OSError as error:
            return NotKept(f"{type(error).__name__}: {error}")
        return Prepared()

    async def _loaded(
        self, generation: Generation, wanted: Mapping[int, str]
    ) -> dict[int, base.SourceImage]:
        """The images, by their index in the order. Raises InvalidSourceImage."""
        try:
            images = await load_source_images(
                list(wanted.values()),
                seconds=settings.PREPARE_TIMEOUT,
                caller=generation.account_id,
                allowed_origins=settings.SOURCE_IMAGE_ALLOWED_ORIGINS,
                resolver=self._lookups.of(generation.account_id),
            )
        except InvalidSourceImage as error:
            raise error.at(list(wanted)[error.index]) from error
        return dict(zip(wanted, images, strict=True))

    def in_time(self, generation: Generation, outcome: Any) -> Step | None:
        """Write back that they are ready, or why they are not."""
        if isinstance(outcome, Prepared):
            crash_point("prepare.before_save")
            if waiting.images_ready(generation):
                self.wake("submit")
        elif isinstance(outcome, NotKept):
            waiting.postpone(generation, backoff(2), outcome.detail, counts=False)
        elif isinstance(outcome, InvalidSourceImage):
            self._not_now_or_never(generation, outcome)
        else:
            raise outcome
        return None

    def _not_now_or_never(self, generation: Generation, error: InvalidSourceImage) -> None:
        """Ask again if it may be well later, a few times and while there is time; else fail."""
        logger.info("source image refused", extra={"reason": error.detail})
        wait = backoff(generation.retries, error.retry_after)
        took = time.monotonic() - self._begun[generation.pk]
        in_time = took + wait < _seconds_left(generation)
        if error.is_passing and generation.retries + 1 < MAX_TRIES and in_time:
            waiting.postpone(generation, wait, error.detail)
            return
        lifecycle.fail(
            generation,
            "invalid_source_image",
            str(error),
            retryable=error.is_passing,
            detail=error.detail,
        )


def _seconds_left(generation: Generation) -> float:
    """Seconds left to prepare it, from its claim on, by the database's clock."""
    until = generation.images_until or generation.deadline_at
    return (min(until, generation.deadline_at) - generation.claimed_at).total_seconds()


def _before(generation: Generation) -> str:
    return generation.last_error or "none was tried"
