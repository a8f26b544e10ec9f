"""What the stages have in common: claiming, overdue and poison rows, waiting."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings

from generation import lifecycle, waiting
from generation.backends import base
from generation.models import Attempt, Generation
from generation.models.states import State
from generation.origin import traceparents
from generation.provider.router import Router
from work import due
from work.stage import Done, Step

MISSING_WAIT = 60.0  # seconds until a row is tried again whose backend this build does not have
MAX_STRIKES = 5  # claims in a row that ended without a write-back
SOMETHING_WRONG = "The generation could not be finished because of an error on our side"


def is_overdue(generation: Generation) -> bool:
    """Whether its deadline had passed when it was claimed."""
    return generation.claimed_at >= generation.deadline_at


@dataclass(frozen=True, slots=True)
class Looked:
    """What a look into the attempts' places found."""

    attempt: Attempt | None
    output: base.Produced | None

    @property
    def number(self) -> int | None:
        return self.attempt.number if self.attempt else None

    @property
    def in_doubt(self) -> Attempt | None:
        """The attempt, unless the provider had accepted it by name: then it was only late."""
        accepted = self.attempt is None or self.attempt.outcome == Attempt.Outcome.ACCEPTED
        return None if accepted else self.attempt


class StageBase:
    """Claiming, overdue rows and our own errors are the same in every stage."""

    name: str
    noun = "generation"
    states: tuple[State, ...]
    concurrency = 50
    gathers = False
    gap = 0.0
    keeps_claiming = 0.0
    patience = 0.0

    def __init__(
        self, provider: Router[base.Reader], wake: Callable[[str], None] | None = None
    ) -> None:
        """``wake`` hints that another stage has work; without it the next tick does."""
        self.provider = provider
        self.wake = wake or (lambda stage: None)

    def claim(self, limit: int) -> list[Generation]:
        """Lease due rows of this stage's states."""
        return due.claim(Generation, self.states, limit, self.lease)

    def traces(self, rows: Sequence[Generation]) -> dict[Any, str]:
        """The traces of the requests that ordered them."""
        return traceparents([row.pk for row in rows])

    @property
    def lease(self) -> float:
        """Seconds; longer than the stage's longest call and a stall of its machine."""
        return float(settings.LEASE)

    def start(self, generation: Generation) -> Step | None:
        """Deal with a poison row or an overdue one, else do the stage's work."""
        if generation.strikes > MAX_STRIKES:
            detail = f"claimed {generation.strikes} times without a write-back"
            lifecycle.fail(generation, "provider_error", SOMETHING_WRONG, detail=detail)
            return None
        if generation.state != State.QUEUED and not self.provider.has(generation.backend):
            _wait_for_a_build(generation, generation.backend)
            return None
        if is_overdue(generation) and generation.state != State.STORING:
            return self.look(generation)
        return self.work(generation)

    def work(self, generation: Generation) -> Step | None:
        raise NotImplementedError

    def together(self, done: list[Done[Generation]]) -> list[Done[Generation]]:
        """Leave all to be written back one by one, as most stages do."""
        return done

    def finish(self, generation: Generation, outcome: Any) -> Step | None:
        """Write back what a step came to; the deadline is decided first, and here alone."""
        if is_overdue(generation):
            self.at_deadline(generation, outcome)
            return None
        return self.in_time(generation, outcome)

    def in_time(self, generation: Generation, outcome: Any) -> Step | None:
        """Write back what the stage's own step came to, or go on with another one."""
        raise NotImplementedError

    def at_deadline(self, generation: Generation, outcome: Any) -> None:
        """The last look: what is there is delivered late, else the deadline is final."""
        if isinstance(outcome, Looked) and outcome.output is not None:
            self.adopt(generation, outcome.output, outcome.in_doubt, number=outcome.number)
        elif isinstance(outcome, Looked | base.Unavailable):
            fail_overdue(generation)
        else:
            raise outcome

    def look(self, generation: Generation) -> Step | None:
        """Look into the place of every attempt that may have been bought, newest first."""
        attempts = generation.attempts.exclude(
            outcome__in=[Attempt.Outcome.NOT_ACCEPTED, Attempt.Outcome.REJECTED]
        )
        may_have_been = list(attempts.order_by("-number"))
        for attempt in may_have_been:
            if not self.provider.has(attempt.backend):
                _wait_for_a_build(generation, attempt.backend)
                return None
        return self._look(kind_of(generation), may_have_been)

    async def _look(self, kind: base.Kind, attempts: list[Attempt]) -> Looked:
        for attempt in attempts:
            found = await self.provider.of(attempt.backend).find_output(attempt.prefix, kind)
            if found is not None:
                return Looked(attempt, found)
        return Looked(None, None)

    def capabilities(self, generation: Generation) -> base.Capabilities:
        return self.provider.capabilities(generation.backend)

    def poll_floor(self, generation: Generation) -> float:
        """The least seconds between two polls that its provider asks for."""
        return self.capabilities(generation).poll_floor * settings.TIME_SCALE

    def adopt(
        self, generation: Generation, output: base.Produced, *asked: Any, number: int | None = None
    ) -> bool:
        """Adopt an output, and wake the store stage, so that it need not wait for a tick."""
        uri, cost = output.uri, output.cost
        adopted = lifecycle.adopt(generation, uri, *asked, number=number, cost=cost)
        if adopted:
            self.wake("store")
        return adopted

    def hand_back(self, generations: list[Generation]) -> None:
        """Make rows due at once. A row that was asked for is put in doubt by its next claim."""
        waiting.hand_back(generations)

    def drop(self, generation: Generation, error: BaseException) -> None:
        """Our own code failed. The lease stays; when it ends the row comes back, up to 5 times."""
        waiting.keep_error(generation, f"{type(error).__name__}: {error}")


def _wait_for_a_build(generation: Generation, backend: str) -> None:
    """Wait for a build that has the backend, even past the deadline: no other can look."""
    wait = MISSING_WAIT * settings.TIME_SCALE
    waiting.await_build(generation, wait, f"this build has no backend {backend!r}")


def kind_of(generation: Generation) -> base.Kind:
    return "video" if generation.kind == "video" else "image"


def fail_overdue(generation: Generation) -> None:
    """Fail it: the deadline is over and nothing was found."""
    lifecycle.fail(
        generation,
        "timeout",
        "The generation did not finish in time",
        retryable=True,
        detail=f"deadline over while {generation.state}; before: {generation.last_error or '-'}",
    )


def reject(generation: Generation, error: base.Rejected, attempt: Attempt | None = None) -> None:
    """Fail it for a provider's final no: words for the customer, reasons for operators.

    Without ``attempt`` the no is about the attempt whose operation was polled.
    """
    if attempt is None:
        attempt = generation.attempts.filter(operation_name=generation.operation_name).last()
    lifecycle.fail(
        generation,
        error.code,
        str(error),
        retryable=error.retryable,
        detail=error.detail[:500],
        attempt=attempt,
        refusal={"category": error.category, "support_codes": list(error.support_codes)},
    )
