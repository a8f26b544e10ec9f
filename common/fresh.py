"""Answers that may be a little old, so that a question is asked no oftener than needed."""

from __future__ import annotations

import math
import threading
import time
import weakref
from collections.abc import Callable
from typing import Any, ClassVar, Generic, TypeVar, TypeVarTuple

Answer = TypeVar("Answer")
Key = TypeVarTuple("Key")


class Fresh(Generic[Answer, *Key]):
    """What ``ask(*key)`` answered at most ``seconds`` ago, for each key.

    One thread asks. The others get the old answer meanwhile, for ``grace`` seconds more; of one
    that is older they ask as well. Without an answer they wait. ``at_first`` stands in for the
    answer that nobody has got yet, and then any old one will do, too.

    ``others_wait`` is for answers that are worth nothing once they are old. ``share`` bounds the
    part of a process's time that asking may take: an answer that was slow holds longer. ``most``
    bounds the keys that are remembered: the one whose answer is the oldest goes.
    """

    _all: ClassVar[weakref.WeakSet[Any]] = weakref.WeakSet()

    def __init__(
        self,
        seconds: float,
        ask: Callable[[*Key], Answer],
        *,
        at_first: Answer | None = None,
        grace: float = 0.25,
        others_wait: bool = False,
        share: float = math.inf,
        most: float = math.inf,
    ) -> None:
        self.seconds = seconds
        self._ask = ask
        self._unknown = None if at_first is None else (-math.inf, 0.0, at_first)
        self._any_will_do = at_first is not None
        self._grace = grace
        self._others_wait = others_wait
        self._share = share
        self._most = most
        self._room = threading.Lock()
        # when it came, how long it holds at least, and the answer
        self._known: dict[tuple[*Key], tuple[float, float, Answer]] = {}
        self._locks: dict[tuple[*Key], threading.Lock] = {}
        self._all.add(self)

    def __call__(self, *key: *Key) -> Answer:
        """Raises what ``ask`` raises; the next caller asks again."""
        known = self._known.get(key, self._unknown)
        if known is not None and self._holds(known):
            return known[2]
        lock = self._locks.setdefault(key, threading.Lock())
        if not lock.acquire(blocking=known is None or self._others_wait):
            if known is None or not (self._any_will_do or self._holds(known, self._grace)):
                known = self._renewed(*key)
            return known[2]
        try:
            known = self._known.get(key)
            if known is None or not self._holds(known):  # nobody asked while we waited
                known = self._renewed(*key)
            return known[2]
        finally:
            lock.release()

    def _holds(self, known: tuple[float, float, Answer], longer: float = 0.0) -> bool:
        came_at, at_least, _ = known
        return time.monotonic() - came_at < max(self.seconds, at_least) + longer

    def _renewed(self, *key: *Key) -> tuple[float, float, Answer]:
        known = self._known[key] = self._answered(*key)
        if len(self._known) > self._most:
            with self._room:
                self._forget_the_oldest()
        return known

    def _forget_the_oldest(self) -> None:
        """A tenth of them at once, so that a full memory is not looked through for each key."""
        by_age = sorted(self._known.copy().items(), key=lambda item: item[1][0])
        for key, _ in by_age[: max(0, len(by_age) - int(self._most * 0.9))]:
            self._known.pop(key, None)
            self._locks.pop(key, None)

    def _answered(self, *key: *Key) -> tuple[float, float, Answer]:
        began = time.monotonic()
        answer = self._ask(*key)
        ended = time.monotonic()
        return ended, (ended - began) / self._share, answer

    def clear(self) -> None:
        self._known.clear()

    @classmethod
    def clear_all(cls) -> None:
        """Forget every answer of this process; tests begin with none."""
        for each in list(cls._all):
            each.clear()
