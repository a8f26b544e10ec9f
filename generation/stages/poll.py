"""Looks at operations until they are done."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

from django.conf import settings

from common.crash import crash_point
from generation import lifecycle, waiting
from generation.backends import base
from generation.models import Attempt, Generation
from generation.models.states import State
from generation.provider import pace
from generation.provider.pace import Pace
from generation.provider.router import Router
from generation.stages.base import Looked, StageBase, reject
from work.stage import Done, Step
from work.waits import backoff, jitter


class PollStage(StageBase):
    """running → storing or failed."""

    name = "poll"
    states = (State.RUNNING,)
    concurrency = 200
    gathers = True

    def __init__(
        self, provider: Router[base.Reader], wake: Callable[[str], None] | None = None
    ) -> None:
        super().__init__(provider, wake)
        # Number and place of the newest attempt of each row that was claimed in this pass: others
        # are claimed while the first ones are still waited for.
        self._newest: dict[uuid.UUID, tuple[int, str]] = {}
        self._paces: dict[pace.Key, Pace | None] | None = None

    @property
    def lease(self) -> float:
        """Shorter than the others': a worker that dies had up to 200 operations in its hands."""
        return float(settings.POLL_LEASE)

    def claim(self, limit: int) -> list[Generation]:
        """Lease the due rows, and read the places of all of them by one query."""
        rows = super().claim(limit)
        attempts = Attempt.objects.filter(generation__in=rows).order_by("number")
        found = attempts.values_list("generation_id", "number", "prefix")
        self._newest |= {pk: (number, place) for pk, number, place in found}
        return rows

    def work(self, generation: Generation) -> Step:
        """Poll the operation, by its stored name alone."""
        crash_point("poll.after_claim")
        _, place = self._newest[generation.pk]
        backend = self.provider.of(generation.backend)
        return backend.poll(generation.operation_name or "", place)

    def together(self, done: list[Done[Generation]]) -> list[Done[Generation]]:
        """Most operations are still running: one statement says of all of them when to look again.

        At 10,000 operations in flight this is what PostgreSQL has to do 700 times a second.
        """
        running = [row for row, outcome in done if isinstance(outcome, base.Running)]
        if running:
            crash_point("poll.before_save")
            waiting.poll_again([(row, self._next_poll(row)) for row in running])
        return [each for each in done if not isinstance(each[1], base.Running)]

    def in_time(self, generation: Generation, outcome: Any) -> Step | None:
        """Write back the operation's state. A vanished operation may have left its output."""
        crash_point("poll.before_save")
        if isinstance(outcome, base.Running):  # one that could not be written with the others
            waiting.poll_again([(generation, self._next_poll(generation))])
        elif isinstance(outcome, base.Produced):
            number, _ = self._newest[generation.pk]
            if self.adopt(generation, outcome, number=number):
                pace.learn(generation, self._age(generation))
        elif isinstance(outcome, base.Rejected):
            reject(generation, outcome)
        elif isinstance(outcome, base.Unavailable):
            wait = backoff(generation.retries, outcome.retry_after)
            waiting.postpone(generation, max(self.poll_floor(generation), wait), str(outcome))
        elif isinstance(outcome, base.OperationGone):
            return self.look(generation)
        elif isinstance(outcome, Looked):
            if outcome.output is not None:
                self.adopt(generation, outcome.output, number=outcome.number)
            else:
                lifecycle.fail(
                    generation,
                    "provider_error",
                    "The provider lost this generation",
                    retryable=True,
                    detail="the operation is gone and its place empty",
                )
        else:
            raise outcome
        return None

    def _next_poll(self, generation: Generation) -> float:
        if self._paces is None:  # once a pass: it changes slowly
            self._paces = pace.learned()
        learned = self._paces.get(pace.key_of(generation))
        wait = pace.next_poll(learned, self._age(generation))
        return max(self.poll_floor(generation), jitter(wait))

    def _age(self, generation: Generation) -> float:
        """Seconds since the provider accepted it."""
        since = generation.accepted_at or generation.created_at
        return (generation.claimed_at - since).total_seconds()
