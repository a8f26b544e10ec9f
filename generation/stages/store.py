"""Copies finished outputs into our storage."""

from __future__ import annotations

from typing import Any

from common.crash import crash_point
from generation import lifecycle, metrics, waiting
from generation.models import Generation
from generation.models.states import State
from generation.outputs import as_ordered
from generation.outputs.delivery import Delivered, DeliveryFailed, deliver
from generation.provider import gate
from generation.stages.base import StageBase, fail_overdue
from work.stage import Step
from work.waits import backoff

MAX_DAMAGED = 4  # tries to fetch a whole file before the output counts as broken


class StoreStage(StageBase):
    """storing → completed: a file counts only when it is whole and was read back."""

    name = "store"
    states = (State.STORING,)
    concurrency = 4

    def work(self, generation: Generation) -> Step:
        """Fetch, check and keep the output."""
        return deliver(self.provider.of(generation.backend), generation)

    def in_time(self, generation: Generation, outcome: Any) -> Step | None:
        """Write back the delivery; a broken file is fetched again a few times."""
        if not self._is_settled(generation, outcome):
            if outcome.damaged:
                waiting.postpone(generation, backoff(generation.retries), str(outcome))
            else:  # not the file's fault: does not count towards MAX_DAMAGED
                wait = backoff(2, outcome.retry_after)
                waiting.postpone(generation, wait, str(outcome), counts=False)
        return None

    def at_deadline(self, generation: Generation, outcome: Any) -> None:
        """Deliver a file late if it is there. One that failed is not fetched again."""
        if not self._is_settled(generation, outcome):
            fail_overdue(generation)

    def _is_settled(self, generation: Generation, outcome: Any) -> bool:
        """Whether the delivery settled the generation. If not, it may be tried again."""
        if isinstance(outcome, Delivered):
            crash_point("store.after_put")
            differs = as_ordered.differences(generation, outcome.facts)
            words = "; ".join(differs.values())
            remembered = self.capabilities(generation).remembers
            if lifecycle.complete(
                generation, differs=words, remembered=remembered, **outcome.columns()
            ):
                metrics.count_not_as_ordered(differs)
            crash_point("store.after_save")
            return True
        if not isinstance(outcome, DeliveryFailed):
            raise outcome
        if outcome.ours:
            gate.hold()
        if not outcome.damaged or generation.retries + 1 < MAX_DAMAGED:
            return False
        lifecycle.fail(
            generation,
            "provider_error",
            "The provider's file was not playable",
            retryable=True,
            detail=str(outcome),
        )
        return True
