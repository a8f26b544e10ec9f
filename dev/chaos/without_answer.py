"""Control run silence-is-success: a receiver that did not answer is believed to have got it."""

from __future__ import annotations

from webhooks import send
from webhooks.send import Answer


async def believe(kind: object, started: float) -> Answer:
    """In the place of what says why there was no answer."""
    del kind, started
    return Answer(200, None, 100)


send._not_answered = believe
