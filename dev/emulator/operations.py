"""Long-running operations: begun by a submission, worked in the background, asked for by polls."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import Any

from dev.emulator.errors import ApiError
from dev.emulator.outcome import Outcome
from dev.emulator.render_video import RenderingStoppedError
from dev.emulator.scenarios import Scenario
from dev.emulator.tally import Tally
from dev.emulator.video_request import VideoRequest
from dev.emulator.wording import retry_after

KEPT_MAX = 10_000
INLINE_KEPT_MAX = 100  # operations that hold whole videos or images


@dataclass(slots=True)
class Operation:
    """One accepted submission; ``outcome`` is there once it is done.

    ``request`` is without its images, which may be large. ``contents`` is what an interaction
    repeats in its answers.
    """

    name: str
    api: str
    location: str
    model: str
    request: VideoRequest
    images: int
    contents: list[dict[str, Any]] = field(default_factory=list)
    outcome: Outcome | None = None
    cancelled: bool = False
    deleted: bool = False
    polls: int = 0
    begun: float = field(default_factory=time.time)
    task: asyncio.Task[None] | None = None

    @property
    def scenario(self) -> Scenario:
        """What the prompt's markers ask for."""
        return self.request.scenario

    @property
    def ended(self) -> bool:
        """No work is under way any more."""
        return self.outcome is not None or self.cancelled

    @property
    def large(self) -> bool:
        inline = any("data" in each for each in self.contents)
        return self.request.storage is None or (inline and not self.deleted)

    def as_dict(self) -> dict[str, Any]:
        """For tests; the parameters have Veo's names in both APIs."""
        asked, outcome = self.request, self.outcome or Outcome()
        error = outcome.error
        return {
            "name": self.name,
            "api": self.api,
            "location": self.location,
            "model": self.model,
            "done": self.outcome is not None,
            "error": {"code": error[0], "message": error[1]} if error else None,
            "cancelled": self.cancelled,
            "deleted": self.deleted,
            "labels": asked.labels,
            "prompt": asked.prompt,
            "negativePrompt": asked.negative_prompt or None,
            "seed": asked.seed,
            "generateAudio": asked.sound,
            "duration": asked.seconds,
            "resolution": asked.resolution,
            "aspectRatio": asked.aspect_ratio,
            "images": self.images,
            "polls": self.polls,
            "storage_uri": "gs://{}/{}".format(*asked.storage) if asked.storage else None,
            "files": [each.uri for each in outcome.videos if each.uri],
            "age_seconds": round(time.time() - self.begun, 3),
        }


class Operations:
    """All operations of this process; the oldest are dropped when there are very many."""

    def __init__(self, tally: Tally) -> None:
        self._tally = tally
        self._known: dict[str, Operation] = {}
        self._large: dict[str, Operation] = {}

    def begin(self, operation: Operation, work: Callable[[], Awaitable[Outcome]]) -> Operation:
        """Accept a submission; its ``work`` starts at once."""
        key = operation.name.rpartition("/")[2]
        self._known[key] = operation
        if operation.large:
            self._large[key] = operation
        operation.task = asyncio.create_task(self._work(operation, work))
        self._drop_old()
        return operation

    def _drop_old(self) -> None:
        # Finished ones only, oldest first; what still runs may be paid for and is never forgotten.
        for table, most in ((self._large, INLINE_KEPT_MAX), (self._known, KEPT_MAX)):
            surplus = len(table) - most
            if surplus > 0:
                old = [key for key, each in table.items() if each.ended]
                for key in old[:surplus]:
                    del self._known[key]
                    self._large.pop(key, None)

    async def _work(self, operation: Operation, work: Callable[[], Awaitable[Outcome]]) -> None:
        try:
            operation.outcome = await work()
        except RenderingStoppedError:
            return
        if operation.outcome.videos:
            self._tally.bill(operation.request.labels)

    def named(self, name: str) -> Operation:
        """The operation of this full name. Raises a 404 ApiError, also for a deleted one."""
        operation = self._known.get(name.rpartition("/")[2])
        if operation is None or operation.name != name or operation.deleted:
            raise ApiError(404, f"{name} was not found.")
        return operation

    def poll(self, name: str) -> Operation:
        """The operation, for its state. Raises a 404 or 503 ApiError, as its markers say."""
        operation = self.named(name)
        operation.polls += 1
        scenario = operation.scenario
        if operation.polls <= scenario.number("unavailable", 1) and "unavailable" in scenario:
            raise ApiError(503, "The service is currently unavailable.", retry_after(scenario))
        if "gone" in scenario and operation.outcome is not None:
            raise ApiError(404, f"{name} was not found.")
        return operation

    def cancel(self, operation: Operation) -> None:
        """End the work; what is finished already stays as it is."""
        if operation.task is not None and operation.outcome is None:
            operation.cancelled = True
            operation.task.cancel()

    def delete(self, operation: Operation) -> None:
        """Forget what callers may ask for; work that is under way goes on and is billed."""
        operation.deleted = True
        operation.contents = []
        self._large.pop(operation.name.rpartition("/")[2], None)

    def find(self, what: str) -> list[Operation]:
        """Operations whose id is, or one of whose label values is, ``what``."""
        direct = self._known.get(what)
        if direct is not None:
            return [direct]
        return [each for each in self._known.values() if what in each.request.labels.values()]

    async def clear(self) -> None:
        """Forget everything; what is being worked is abandoned."""
        tasks = [each.task for each in self._known.values() if each.task is not None]
        self._known.clear()
        self._large.clear()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def without_images(request: VideoRequest) -> VideoRequest:
    """The request to keep after its images were used."""
    return replace(request, first=None, last=None, references=())
