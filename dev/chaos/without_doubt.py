"""Control run naive-resubmit: an answer that was lost is taken for a refusal and asked again."""

from __future__ import annotations

from generation import lifecycle
from generation.models import Attempt, Generation


def ask_again(generation: Generation, attempt: Attempt, detail: str, window: float) -> bool:
    """In the place of ``lifecycle.doubt``: what most programs do after a timeout."""
    del window
    return lifecycle.requeue(generation, attempt, 0.0, detail)


lifecycle.doubt = ask_again
