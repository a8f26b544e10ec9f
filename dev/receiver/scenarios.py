"""What a receiver does with a delivery, and how often: the last part of a hook's path says it."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

FINE = "fine"
CLOSE_UNREAD = "close-unread"
WORDS = (
    *(FINE, "slow", "hang", "drip", "endless", "garbage", CLOSE_UNREAD, "close-read", "dies"),
    *("500", "429", "301", "410"),
)


class UnknownScenarioError(ValueError):
    """Nobody plays that; the message is for the person who asked for it."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """Words in their order, each with how many deliveries of an event it takes; None = all."""

    acts: tuple[tuple[str, int | None], ...] = ()

    def word(self, attempt: int) -> str:
        """What is played for the delivery of that number, counted from 1, of one event."""
        before = 0
        for word, times in self.acts:
            if times is None or attempt <= before + times:
                return word
            before += times
        return FINE


def parse(text: str) -> Scenario:
    """``500=2+hang=1``: two answers 500 for each event, then one that hangs, then all is fine."""
    return Scenario(tuple(_act(part) for part in text.split("+") if part))


def _act(part: str) -> tuple[str, int | None]:
    word, equals, times = part.partition("=")
    if word not in WORDS:
        raise UnknownScenarioError(f"{word} is none of {', '.join(WORDS)}")
    if not equals:
        return word, None
    if not (times.isascii() and times.isdigit()):
        raise UnknownScenarioError(f"{part}: how often is a whole number")
    return word, int(times)


def chain(*words: str, times: int = 1) -> str:
    """The path of a receiver that plays each of the words as often, and is fine then."""
    return "+".join(itertools.starmap("{}={}".format, ((word, times) for word in words)))
