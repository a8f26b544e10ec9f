"""Control run naive-resubmit: a lost answer is taken for a refusal and the request is repeated."""

from __future__ import annotations

from generation import lifecycle
from generation.models import Attempt, Generation


def ask_again(generation: Generation, attempt: Attempt, detail: str, seconds: float) -> bool:
    """In the place of ``lifecycle.doubt``: what most programs do after a timeout."""
    del seconds
    return lifecycle.requeue(generation, attempt, 0.0, detail)


lifecycle.doubt = ask_again
