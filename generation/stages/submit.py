"""Asks the provider, once an attempt; looks for what may have been bought."""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings

from common.crash import crash_point
from generation import lifecycle, waiting
from generation.backends import base
from generation.inputs.images import UploadLost, images_of, keys_of
from generation.models import Attempt, Generation
from generation.models.states import State
from generation.offer.parameters import Parameters, why_not_sold
from generation.provider import gate, model_ids, pace
from generation.provider.pace import Pace
from generation.provider.requests import request_of
from generation.provider.router import Router
from generation.stages.base import (
    SOMETHING_WRONG,
    Looked,
    StageBase,
    reject,
)
from work import due
from work.stage import DATABASE_ERRORS, Step
from work.waits import backoff, jitter

logger = logging.getLogger(__name__)

IN_DOUBT_OR_TOO_LATE = "(state <> 'queued' OR deadline_at <= now())"
NOT_SOLD = "The model no longer offers this"
# Missing images are prepared again this often. Retries because of a busy host count, too.
MAX_LOST_IMAGES = 6
_Claim = tuple[uuid.UUID, uuid.UUID | None]  # a row and its lease


@dataclass(frozen=True, slots=True)
class Images:
    """The prepared images, as the provider gets them."""

    images: tuple[base.SourceImage, ...]


@dataclass(frozen=True, slots=True)
class NoImages:
    """Our storage has lost them (``lost``), or does not answer."""

    detail: str
    lost: bool


class SubmitStage(StageBase):
    """queued → submitting → running or storing; submit_unknown until its time is over."""

    name = "submit"
    states = (State.QUEUED, State.SUBMITTING, State.SUBMIT_UNKNOWN)
    concurrency = 20
    # Each request is sent before the next intent is committed, so that a crash leaves few to look
    # for.
    gap = 0.005
    patience = 20.0  # for requests at the provider: one that is cut off has to be looked for

    provider: Router[base.Backend]

    def __init__(
        self, provider: Router[base.Backend], wake: Callable[[str], None] | None = None
    ) -> None:
        super().__init__(provider, wake)
        # By claim: an answer that cannot be written back yet may still be here when the row, which
        # was written after all, has been claimed again.
        self._attempts: dict[_Claim, Attempt] = {}
        self._paces: dict[pace.Key, Pace | None] | None = None
        self._uncertain: set[_Claim] = set()  # whose intent may have been committed

    def claim(self, limit: int) -> list[Generation]:
        """Lease rows in doubt or too late, then rows that the provider may be asked for now."""
        rows = due.claim(Generation, self.states, limit, settings.LEASE, IN_DOUBT_OR_TOO_LATE)
        return rows + gate.claim(limit - len(rows))

    def work(self, generation: Generation) -> Step | None:
        """Ask the provider, or look for what an earlier request may have made."""
        if generation.state == State.SUBMITTING:  # its worker died: nobody knows how far it came
            attempt = generation.attempts.filter(outcome=Attempt.Outcome.ASKED).first()
            if attempt is None:  # it is in doubt already: that COMMIT got no answer
                return None
            seconds = self._doubt_seconds(generation)
            lifecycle.doubt(generation, attempt, "the worker was lost", seconds)
            return None
        if generation.state == State.SUBMIT_UNKNOWN:
            return self.look(generation)
        asked = Parameters.of(generation.kind, generation.parameters)
        if (detail := why_not_sold(generation.model, asked)) is not None:
            # the row was changed since; never deliver something else in silence
            lifecycle.fail(generation, "provider_rejected", NOT_SOLD, detail=detail)
            return None
        if generation.source_image_urls:
            return _read(generation, keys_of(generation))
        return self._ask(generation, ())

    def _ask(self, generation: Generation, images: tuple[base.SourceImage, ...]) -> Step | None:
        """Commit the intent, then ask: in this order, or a crash could buy twice."""
        crash_point("submit.after_claim")
        try:
            attempt = self._begin(generation)
        except base.Unavailable as error:  # the row's backend is none of this build's
            waiting.postpone(generation, backoff(generation.retries), str(error))
            return None
        if attempt is None:
            return None
        crash_point("submit.after_intent")
        generation.state, generation.backend = State.SUBMITTING, attempt.backend
        request = request_of(generation, attempt, images)
        self._attempts[_claim(generation)] = attempt
        return self.provider.of(attempt.backend, attempt.location).submit(request)

    def _begin(self, generation: Generation) -> Attempt | None:
        """Commit the intent and return its attempt; None when fenced off.

        If a COMMIT got no answer, the next try finds that attempt.
        """
        route = self.provider.route(generation.model, model_ids.id_to_ask(generation))
        try:
            attempt = lifecycle.begin_attempt(generation, route)
        except DATABASE_ERRORS:
            self._uncertain.add(_claim(generation))
            raise
        if attempt is None and _claim(generation) in self._uncertain:
            attempt = lifecycle.committed_intent(generation)
        self._uncertain.discard(_claim(generation))
        return attempt

    def in_time(self, generation: Generation, outcome: Any) -> Step | None:
        """Write back an answer of the provider, prepared images, or a look."""
        if (attempt := self._attempts.get(_claim(generation))) is not None:
            self._finish_ask(generation, attempt, outcome)
            # not before it is written: it may be tried again
            del self._attempts[_claim(generation)]
        elif isinstance(outcome, Images):
            return self._ask(generation, outcome.images)
        elif isinstance(outcome, NoImages):
            _without_images(generation, outcome)
        elif isinstance(outcome, UploadLost):
            logger.error("generation %s: %s", generation.pk, outcome)
            lifecycle.fail(generation, "provider_error", SOMETHING_WRONG, detail=str(outcome))
        elif generation.state == State.SUBMIT_UNKNOWN:
            self._finish_look(generation, outcome)
        else:
            raise outcome
        return None

    def _finish_ask(self, generation: Generation, attempt: Attempt, outcome: Any) -> None:
        crash_point("submit.accepted_before_save")
        if isinstance(outcome, base.Accepted):
            lifecycle.accept(
                generation, attempt, outcome.operation_name, self._first_poll(generation)
            )
            crash_point("submit.after_save")
        elif isinstance(outcome, base.Produced):
            self.adopt(generation, outcome, attempt, Attempt.Outcome.ACCEPTED)
        elif isinstance(outcome, base.NotAccepted):
            wait = backoff(generation.retries, outcome.retry_after)
            lifecycle.requeue(generation, attempt, wait, str(outcome))
        elif isinstance(outcome, base.ModelGone) and model_ids.falls_back(generation, attempt):
            lifecycle.requeue(generation, attempt, 0.0, str(outcome), refusal=model_ids.GONE)
        elif isinstance(outcome, base.ModelGone):
            reject(generation, model_ids.refusal(outcome), attempt)
        elif isinstance(outcome, base.Rejected):
            reject(generation, outcome, attempt)
        else:  # Unknown, and anything unforeseen after the question was sent
            detail = f"{type(outcome).__name__}: {outcome}"[:500]
            lifecycle.doubt(generation, attempt, detail, self._doubt_seconds(generation))
        wish = getattr(outcome, "retry_after", None)
        gate.record(generation.model_id, gate.judge(outcome), wish, asked=attempt.provider_model)

    def _finish_look(self, generation: Generation, outcome: Any) -> None:
        if isinstance(outcome, Looked) and outcome.output is not None:
            self.adopt(generation, outcome.output, outcome.attempt)
        elif isinstance(outcome, Looked):
            if generation.unknown_until and generation.claimed_at >= generation.unknown_until:
                recovers = self.capabilities(generation).recovers
                lifecycle.give_up_waiting(generation, recovers=recovers)
            else:
                waiting.postpone(generation, jitter(60.0 * settings.TIME_SCALE))
        elif isinstance(outcome, base.Unavailable):
            waiting.postpone(
                generation, backoff(generation.retries, outcome.retry_after), str(outcome)
            )
        else:
            raise outcome

    def _doubt_seconds(self, generation: Generation) -> float:
        return doubt_seconds(generation, self.capabilities(generation).recovers)

    def _first_poll(self, generation: Generation) -> float:
        if self._paces is None:  # once a pass: it changes slowly
            self._paces = pace.learned()
        learned = self._paces.get(pace.key_of(generation))
        wait = pace.first_poll(generation, learned)
        return max(self.poll_floor(generation), wait if learned else jitter(wait))


def _claim(generation: Generation) -> _Claim:
    return generation.pk, generation.lease_token


async def _read(
    generation: Generation, keys: Mapping[uuid.UUID, str]
) -> Images | NoImages | UploadLost:
    try:
        async with asyncio.timeout(settings.READ_TIMEOUT):
            return Images(await asyncio.to_thread(images_of, generation, keys))
    except UploadLost as error:
        return error
    except FileNotFoundError:
        return NoImages("no prepared source images in our storage", lost=True)
    except OSError as error:
        return NoImages(f"{type(error).__name__}: {error}", lost=False)


def _without_images(generation: Generation, outcome: NoImages) -> None:
    """Prepare the images (again): they were lost, or an older release has prepared none."""
    wait = backoff(generation.retries)
    if not outcome.lost:
        waiting.postpone(generation, wait, outcome.detail)
    elif generation.retries < MAX_LOST_IMAGES:
        waiting.await_images(generation, wait if generation.retries else 0.0, outcome.detail)
    else:
        lifecycle.fail(
            generation, "provider_error", SOMETHING_WRONG, retryable=True, detail=outcome.detail
        )


def doubt_seconds(generation: Generation, recovers: bool) -> float:
    """How long a late output may still appear, in seconds.

    A video may be under way for minutes. An image is only written by us, from the answer that did
    not come: after the call's own time limit nothing will turn up. The same goes for a backend
    that cannot find what an unanswered submit made (``recovers`` is False).
    """
    if generation.kind == "video" and recovers:
        return float(settings.UNKNOWN_WINDOW)
    return float(2 * settings.SUBMIT_TIMEOUT)
