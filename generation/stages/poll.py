"""Looks at operations until they are done."""

from __future__ import annotations

from typing import Any

from django.conf import settings

from common.crash import crash_point
from generation import lifecycle
from generation.backends import base
from generation.engine import Step
from generation.models import Generation
from generation.stages.base import (
    Looked,
    StageBase,
    backoff,
    claimed_at,
    is_overdue,
    jitter,
    reject,
)
from generation.states import State

# Seconds since the provider accepted it -> seconds until the next poll (design.md, decision 17).
POLL_STEPS = ((60.0, 5.0), (180.0, 10.0), (float("inf"), 30.0))


class PollStage(StageBase):
    """running → storing or failed."""

    states = (State.RUNNING,)
    concurrency = 200

    def work(self, generation: Generation) -> Step:
        """One look at the operation, by its stored name alone."""
        crash_point("poll.after_claim")
        attempt = generation.attempts.order_by("-number")[0]
        return self.provider.backend.poll(generation.operation_name or "", attempt.prefix)

    def finish(self, generation: Generation, outcome: Any) -> Step | None:
        """Write back the operation's state; a vanished one may have left its output."""
        crash_point("poll.before_save")
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
