"""What the three stages do with a due row. Each step waits for the network; each finish writes."""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings

from common import due
from generation import catalog, lifecycle
from generation.backends import base
from generation.delivery import Delivered, DeliveryFailed, deliver
from generation.engine import MAX_STRIKES, Step
from generation.models import Attempt, Generation
from generation.provider import Provider
from generation.source_images import InvalidSourceImage, load_source_images
from generation.states import State

SOMETHING_WRONG = "The generation could not be finished because of an error on our side"
MAX_DAMAGED = 4  # tries to fetch a whole file before the output counts as broken

# Seconds since the provider accepted it -> seconds until the next poll (design.md, decision 17).
POLL_STEPS = ((60.0, 5.0), (180.0, 10.0), (float("inf"), 30.0))


def jitter(seconds: float) -> float:
    """±20 %, so that what came due together does not stay together."""
    return seconds * random.uniform(0.8, 1.2)  # noqa: S311 - not a secret


def backoff(retries: int, retry_after: float | None = None) -> float:
    """Full jitter, 2 s to 60 s, scaled; a wish of the provider's is honoured up to 5 minutes."""
    ceiling = min(60.0, 2.0 * 2 ** min(retries, 6)) * settings.TIME_SCALE
    return max(random.uniform(ceiling / 2, ceiling), min(retry_after or 0.0, 300.0))  # noqa: S311


def claimed_at(generation: Generation) -> datetime:
    """The database's time of the claim, see common/due.py."""
    moment: datetime = generation.claimed_at  # type: ignore[attr-defined]  # a column of the claim
    return moment


def is_overdue(generation: Generation) -> bool:
    """Whether its deadline had passed when it was claimed."""
    return claimed_at(generation) >= generation.deadline_at


@dataclass(frozen=True, slots=True)
class Looked:
    """What a look into the attempts' prefixes found."""

    attempt: Attempt | None
    output: base.Produced | None


class StageBase:
    """Claiming, overdue rows and our own errors are the same in every stage."""

    states: tuple[State, ...]
    concurrency = 50

    def __init__(self, provider: Provider, wake: Callable[[str], None] | None = None) -> None:
        """``wake`` hints that another stage has work; without it the next tick does."""
        self.provider = provider
        self.wake = wake or (lambda stage: None)

    def claim(self, limit: int) -> list[Generation]:
        """Lease due rows of this stage's states."""
        return due.claim(Generation, self.states, limit, settings.LEASE)

    def start(self, generation: Generation) -> Step | None:
        """Deal with a poison row or an overdue one, else do the stage's work."""
        if generation.strikes > MAX_STRIKES:
            detail = f"claimed {generation.strikes} times without a write-back"
            lifecycle.fail(generation, "provider_error", SOMETHING_WRONG, detail=detail)
            return None
        if is_overdue(generation) and generation.state != State.STORING:
            return self.look(generation)
        return self.work(generation)

    def work(self, generation: Generation) -> Step | None:
        """The stage's own step."""
        raise NotImplementedError

    def finish(self, generation: Generation, outcome: Any) -> Step | None:
        """Write back a look; stages add their own outcomes."""
        if isinstance(outcome, Looked | base.Unavailable) and is_overdue(generation):
            self.finish_overdue(generation, outcome)
        elif isinstance(outcome, BaseException):
            raise outcome
        return None

    def finish_overdue(self, generation: Generation, outcome: Looked | base.Unavailable) -> None:
        """The last look: what is there is delivered late, else the deadline is final."""
        if isinstance(outcome, Looked) and outcome.output is not None:
            self.adopt(generation, outcome.output.uri, outcome.attempt)
        else:
            fail_overdue(generation)

    def look(self, generation: Generation) -> Step:
        """Look into the prefix of every attempt that may have been bought, newest first."""
        attempts = generation.attempts.exclude(
            outcome__in=[Attempt.Outcome.NOT_ACCEPTED, Attempt.Outcome.REJECTED]
        )
        return self._look(list(attempts.order_by("-number")))

    async def _look(self, attempts: list[Attempt]) -> Looked:
        for attempt in attempts:
            found = await self.provider.backend.find_output(attempt.prefix)
            if found is not None:
                return Looked(attempt, found)
        return Looked(None, None)

    def adopt(self, generation: Generation, uri: str, *asked: Any) -> None:
        """There is an output: the store stage is to have it now, not at its next tick."""
        if lifecycle.adopt(generation, uri, *asked):
            self.wake("store")

    def drop(self, generation: Generation, error: BaseException) -> None:
        """Our own code failed: the lease stays, so the row comes back when it ends, 5 times."""
        Generation.objects.filter(pk=generation.pk, lease_token=generation.lease_token).update(
            last_error=f"{type(error).__name__}: {error}"[:500]
        )


def fail_overdue(generation: Generation) -> None:
    """The deadline is over and nothing was found."""
    lifecycle.fail(generation, "timeout", "The generation did not finish in time", retryable=True)


class SubmitStage(StageBase):
    """queued → submitting → running or storing; submit_unknown until its window closes."""

    states = (State.QUEUED, State.SUBMITTING, State.SUBMIT_UNKNOWN)
    concurrency = 20

    def __init__(self, provider: Provider, wake: Callable[[str], None] | None = None) -> None:
        super().__init__(provider, wake)
        self._asked: dict[uuid.UUID, Attempt] = {}

    def work(self, generation: Generation) -> Step | None:
        """Ask the provider, or look whether it had been asked successfully."""
        if generation.state == State.SUBMITTING:  # its worker died: nobody knows how far it came
            attempt = generation.attempts.get(outcome=Attempt.Outcome.ASKED)
            lifecycle.doubt(generation, attempt, "the worker was lost", self._window(generation))
            return None
        if generation.state == State.SUBMIT_UNKNOWN:
            return self.look(generation)
        if generation.source_image_urls:
            return load_source_images(
                generation.source_image_urls,
                allowed_origins=settings.SOURCE_IMAGE_ALLOWED_ORIGINS,
            )
        return self._ask(generation, ())

    def _ask(self, generation: Generation, images: tuple[base.SourceImage, ...]) -> Step | None:
        """Commit the intent, then ask: in this order, or a crash could buy twice."""
        model = catalog.provider_model(generation.model)
        attempt = lifecycle.begin_attempt(
            generation, self.provider.project, self.provider.location, model
        )
        if attempt is None:
            return None
        generation.state = State.SUBMITTING
        request = base.SubmitRequest(
            kind="video" if generation.kind == "video" else "image",
            model=model,
            prompt=generation.prompt,
            aspect_ratio=generation.shape,
            prefix=attempt.prefix,
            source_images=images,
            labels={"generation": str(generation.pk), "attempt": str(attempt.number)},
        )
        self._asked[generation.pk] = attempt
        return self.provider.backend.submit(request)

    def finish(self, generation: Generation, outcome: Any) -> Step | None:
        """Write back an answer of the provider, prepared images, or a look."""
        if (attempt := self._asked.pop(generation.pk, None)) is not None:
            self._finish_ask(generation, attempt, outcome)
        elif isinstance(outcome, InvalidSourceImage):
            lifecycle.fail(generation, "invalid_source_image", str(outcome))
        elif isinstance(outcome, tuple):
            return self._ask(generation, outcome)
        elif generation.state == State.SUBMIT_UNKNOWN and not is_overdue(generation):
            self._finish_look(generation, outcome)
        else:
            return super().finish(generation, outcome)
        return None

    def _finish_ask(self, generation: Generation, attempt: Attempt, outcome: Any) -> None:
        if isinstance(outcome, base.Accepted):
            first_poll = jitter(generation.model.first_poll_seconds * settings.TIME_SCALE)
            lifecycle.accept(generation, attempt, outcome.operation_name, first_poll)
        elif isinstance(outcome, base.Produced):
            self.adopt(generation, outcome.uri, attempt, Attempt.Outcome.ACCEPTED)
        elif isinstance(outcome, base.NotAccepted):
            wait = backoff(generation.retries, outcome.retry_after)
            lifecycle.requeue(generation, attempt, wait, str(outcome))
        elif isinstance(outcome, base.Rejected):
            reject(generation, outcome, attempt)
        else:  # Unknown, and anything unforeseen after the question was sent
            detail = f"{type(outcome).__name__}: {outcome}"[:500]
            lifecycle.doubt(generation, attempt, detail, self._window(generation))

    def _finish_look(self, generation: Generation, outcome: Any) -> None:
        if isinstance(outcome, Looked) and outcome.output is not None:
            self.adopt(generation, outcome.output.uri, outcome.attempt)
        elif isinstance(outcome, Looked):
            if generation.unknown_until and claimed_at(generation) >= generation.unknown_until:
                lifecycle.give_up_waiting(generation)
            else:
                lifecycle.postpone(generation, jitter(60.0 * settings.TIME_SCALE))
        elif isinstance(outcome, base.Unavailable):
            lifecycle.postpone(
                generation, backoff(generation.retries, outcome.retry_after), str(outcome)
            )
        else:
            raise outcome

    def _window(self, generation: Generation) -> float:
        """How long a late output may still appear, in seconds.

        A video may be under way for minutes. An image is only written by us, from the answer that
        did not come: after the call's own time limit nothing will turn up.
        """
        if generation.kind == "video":
            return float(settings.UNKNOWN_WINDOW)
        return float(2 * settings.SUBMIT_TIMEOUT)


class PollStage(StageBase):
    """running → storing or failed."""

    states = (State.RUNNING,)
    concurrency = 200

    def work(self, generation: Generation) -> Step:
        """One look at the operation, by its stored name alone."""
        attempt = generation.attempts.order_by("-number")[0]
        return self.provider.backend.poll(generation.operation_name or "", attempt.prefix)

    def finish(self, generation: Generation, outcome: Any) -> Step | None:
        """Write back the operation's state; a vanished one may have left its output."""
        if is_overdue(generation):
            return super().finish(generation, outcome)
        if isinstance(outcome, base.Running):
            lifecycle.postpone(generation, self._next_poll(generation))
        elif isinstance(outcome, base.Produced):
            self.adopt(generation, outcome.uri)
        elif isinstance(outcome, base.Rejected):
            reject(generation, outcome)
        elif isinstance(outcome, base.Unavailable):
            lifecycle.postpone(
                generation, backoff(generation.retries, outcome.retry_after), str(outcome)
            )
        elif isinstance(outcome, base.OperationGone):
            return self.look(generation)
        elif isinstance(outcome, Looked):
            if outcome.output is not None:
                self.adopt(generation, outcome.output.uri)
            else:
                lifecycle.fail(
                    generation,
                    "provider_error",
                    "The provider lost this generation",
                    retryable=True,
                    detail="the operation is gone and its prefix empty",
                )
        else:
            raise outcome
        return None

    def _next_poll(self, generation: Generation) -> float:
        since = generation.accepted_at or generation.created_at
        age = (claimed_at(generation) - since).total_seconds() / settings.TIME_SCALE
        step = next(step for until, step in POLL_STEPS if age < until)
        return jitter(step * settings.TIME_SCALE)


class StoreStage(StageBase):
    """storing → completed: a file counts only when it is whole and was read back."""

    states = (State.STORING,)
    concurrency = 4

    def work(self, generation: Generation) -> Step:
        """Fetch, check and keep the output."""
        return deliver(self.provider.backend, generation)

    def finish(self, generation: Generation, outcome: Any) -> Step | None:
        """Write back the delivery; a broken file is fetched again a few times."""
        if isinstance(outcome, Delivered):
            lifecycle.complete(generation, **outcome.columns())
        elif isinstance(outcome, DeliveryFailed) and outcome.damaged:
            if generation.retries + 1 >= MAX_DAMAGED:
                lifecycle.fail(
                    generation,
                    "provider_error",
                    "The provider's file was not playable",
                    retryable=True,
                    detail=str(outcome),
                )
            elif is_overdue(generation):
                fail_overdue(generation)
            else:
                lifecycle.postpone(generation, backoff(generation.retries), str(outcome))
        elif isinstance(outcome, DeliveryFailed):
            if is_overdue(generation):
                fail_overdue(generation)
            else:
                # not the file's fault: does not count towards MAX_DAMAGED
                wait = backoff(2, outcome.retry_after)
                lifecycle.postpone(generation, wait, str(outcome), counts=False)
        else:
            raise outcome
        return None


def reject(generation: Generation, error: base.Rejected, attempt: Attempt | None = None) -> None:
    """A final no of the provider's, in the words it has for the customer."""
    lifecycle.fail(
        generation,
        error.code,
        str(error),
        retryable=error.retryable,
        detail=error.detail[:500],
        attempt=attempt,
    )
