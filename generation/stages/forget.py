"""Tells providers to forget what they keep of attempts that are settled."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Sequence

from django.conf import settings

from generation.backends.base import Reader, Unavailable
from generation.outputs import forgetting
from generation.outputs.forgetting import Memory
from generation.provider.router import Router

logger = logging.getLogger(__name__)


def let_forget(router: Router[Reader], loop: asyncio.AbstractEventLoop, seconds: float) -> int:
    """Work for up to ``seconds`` and one batch more; return how many attempts were forgotten.

    Ends early if nothing is due any more, or if no provider answers.
    """
    ends = time.monotonic() + seconds
    count = 0
    while True:
        due, memories = forgetting.claim_memories()
        outcomes: list[BaseException | None] = []
        if memories:
            outcomes = loop.run_until_complete(_forget_all(router, memories))
        good = sum(_write_back(*each) for each in zip(memories, outcomes, strict=True))
        count += good
        deaf = bool(memories) and not good
        if due < forgetting.BATCH or deaf or time.monotonic() >= ends:
            return count


async def _forget_all(
    router: Router[Reader], memories: Sequence[Memory]
) -> list[BaseException | None]:
    return await asyncio.gather(
        *(_forget(router, memory) for memory in memories), return_exceptions=True
    )


async def _forget(router: Router[Reader], memory: Memory) -> None:
    async with asyncio.timeout(settings.LEASE * 0.8):
        await router.of(memory.backend).forget(memory.operation_name, memory.place)


def _write_back(memory: Memory, outcome: BaseException | None) -> bool:
    """Write the outcome; return whether the provider has forgotten it."""
    if outcome is None:
        forgetting.forgotten(memory)
        return True
    known = isinstance(outcome, Unavailable | TimeoutError)
    logger.log(
        logging.WARNING if known else logging.ERROR,
        *("attempt %s is not forgotten yet: %s", memory.attempt_id, type(outcome).__name__),
    )
    forgetting.not_forgotten(memory)
    return False
