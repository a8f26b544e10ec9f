"""Idempotency keys as Stripe keeps them.

The first answer of a key is kept, an error of execution included, and given again. Requests that
were refused before they were executed leave the key unused.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from dev.stripe.wire.errors import StripeError

KEY_MAX = 255
KEPT_SECONDS = 24 * 3600.0
KEPT_MAX = 10_000


@dataclass(slots=True)
class Answer:
    """What the first request of a key was told; ``status`` is 0 while it runs."""

    asked: tuple[str, str, str]
    status: int = 0
    body: str = ""
    request_id: str = ""
    begun: float = field(default_factory=time.monotonic)


class Keys:
    """The keys of the last 24 hours (scaled), and what they were used for."""

    def __init__(self, time_scale: float) -> None:
        self._kept_seconds = KEPT_SECONDS * time_scale
        self._known: dict[str, Answer] = {}

    def begin(self, key: str, asked: tuple[str, str, str]) -> tuple[Answer, bool]:
        """The answer of ``key``, and whether it was given before; a new one is to be ended.

        ``asked`` is method, path and body. Raises a 400 or 409 StripeError.
        """
        if len(key) > KEY_MAX:
            raise StripeError("Idempotency keys are at most 255 characters.")
        self._drop_old()
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = Answer(asked)
            return known, False
        if known.asked != asked:
            raise StripeError(
                "Keys for idempotent requests can only be used with the same parameters they were "
                f"first used with. Try using a key other than '{key}' if you meant to execute a "
                "different request.",
                kind="idempotency_error",
            )
        if not known.status:
            raise StripeError(
                "There is currently another in-progress request using this Idempotent Key "
                f"({key}).",
                status=409,
                kind="idempotency_error",
                code="idempotency_key_in_use",
            )
        return known, True

    def end(self, key: str, answer: Answer, status: int, body: str, request_id: str) -> None:
        """Keep what was answered; a status of 0 leaves the key unused."""
        answer.status, answer.body, answer.request_id = status, body, request_id
        if not status:
            self._known.pop(key, None)

    def clear(self) -> None:
        self._known.clear()

    def _drop_old(self) -> None:
        oldest = time.monotonic() - self._kept_seconds
        while self._known:
            key, answer = next(iter(self._known.items()))
            if len(self._known) <= KEPT_MAX and answer.begun >= oldest:
                return
            del self._known[key]
