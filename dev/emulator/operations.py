"""Long-running operations: begun by a submission, worked in the background, asked for by polls."""

from __future__ import annotations

import asyncio
import base64
import secrets
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from av.error import FFmpegError

from dev.emulator.errors import ApiError
from dev.emulator.fields import ImageField
from dev.emulator.options import Options
from dev.emulator.render_video import Clip, RenderingStoppedError
from dev.emulator.rendering import Renderer
from dev.emulator.scenarios import Scenario
from dev.emulator.storage import ObjectStore
from dev.emulator.tally import Tally
from dev.emulator.validation import VideoRequest
from dev.emulator.wording import blocked_prompt, filtered_video, retry_after, rpc_error

KEPT_MAX = 10_000
INLINE_KEPT_MAX = 100  # answers that hold whole videos
SLOW_FACTOR = 10
RESPONSE_TYPE = "type.googleapis.com/cloud.ai.large_models.vision.GenerateVideoResponse"


@dataclass(slots=True)
class Operation:
    """One accepted submission. ``outcome`` is ``response`` or ``error`` once it is done."""

    name: str
    labels: dict[str, str]
    scenario: Scenario
    storage: tuple[str, str] | None
    outcome: dict[str, Any] | None = None
    polls: int = 0
    begun: float = field(default_factory=time.time)
    task: asyncio.Task[None] | None = None

    def as_dict(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "done": self.outcome is not None,
            "error": (self.outcome or {}).get("error"),
            "labels": self.labels,
            "polls": self.polls,
            "storage_uri": "gs://{}/{}".format(*self.storage) if self.storage else None,
            "age_seconds": round(time.time() - self.begun, 3),
        }


class Operations:
    """All operations of this process; the oldest are dropped when there are very many."""

    def __init__(
        self, options: Options, renderer: Renderer, store: ObjectStore, tally: Tally
    ) -> None:
        self._options = options
        self._renderer = renderer
        self._store = store
        self._tally = tally
        self._known: dict[str, Operation] = {}
        self._inline: dict[str, Operation] = {}

    def begin(self, model_path: str, kind: str, request: VideoRequest) -> Operation:
        """Accept a submission; the work starts at once. ``kind`` chooses the latency."""
        key = str(uuid.uuid4())
        operation = Operation(
            f"{model_path}/operations/{key}", request.labels, request.scenario, request.storage
        )
        self._known[key] = operation
        if request.storage is None:
            self._inline[key] = operation
        operation.task = asyncio.create_task(self._work(operation, kind, request))
        self._drop_old()
        return operation

    def _drop_old(self) -> None:
        # Finished ones only, oldest first; what still runs may be paid for and is never forgotten.
        for table, most in ((self._inline, INLINE_KEPT_MAX), (self._known, KEPT_MAX)):
            surplus = len(table) - most
            if surplus > 0:
                old = [key for key, each in table.items() if each.outcome is not None]
                for key in old[:surplus]:
                    del self._known[key]
                    self._inline.pop(key, None)

    def poll(self, name: str) -> dict[str, Any]:
        """The operation as fetchPredictOperation shows it. Raises a 404 or 503 ApiError."""
        operation = self._known.get(name.rpartition("/operations/")[2])
        if operation is None or operation.name != name:
            raise ApiError(404, f"Operation {name} was not found.")
        operation.polls += 1
        scenario = operation.scenario
        if operation.polls <= scenario.number("unavailable", 1) and "unavailable" in scenario:
            raise ApiError(503, "The service is currently unavailable.", retry_after(scenario))
        if operation.outcome is None:
            return {"name": name}
        if "gone" in scenario:
            raise ApiError(404, f"Operation {name} was not found.")
        return {"name": name, "done": True, **operation.outcome}

    def find(self, what: str) -> list[Operation]:
        """Operations whose id is, or one of whose label values is, ``what``."""
        direct = self._known.get(what)
        if direct is not None:
            return [direct]
        return [each for each in self._known.values() if what in each.labels.values()]

    async def clear(self) -> None:
        """Forget everything; what is being worked is abandoned."""
        tasks = [each.task for each in self._known.values() if each.task is not None]
        self._known.clear()
        self._inline.clear()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def latency(self, kind: str, scenario: Scenario) -> float:
        """Seconds until a request of ``kind`` is done; a ``slow=N`` is N unscaled seconds."""
        usual = self._options.latency[kind]
        if "slow" in scenario:
            return scenario.number("slow", usual * SLOW_FACTOR)
        return usual

    async def _work(self, operation: Operation, kind: str, request: VideoRequest) -> None:
        rest = asyncio.create_task(asyncio.sleep(self.latency(kind, request.scenario)))
        try:
            files = await self._files(request)
            await rest
            if "never" in request.scenario:
                await asyncio.Event().wait()
            operation.outcome = self._outcome(request, files)
            if "videos" in operation.outcome.get("response", {}):
                self._tally.bill(request.labels)
        except RenderingStoppedError:
            return
        except ApiError as error:
            operation.outcome = rpc_error(3, str(error))
        except (FFmpegError, OSError, ValueError) as error:
            operation.outcome = rpc_error(13, f"The emulator could not render: {error}")
        finally:
            rest.cancel()

    async def _files(self, request: VideoRequest) -> list[bytes]:
        scenario = request.scenario
        fileless = {"filtered", "error", "empty"} & scenario.words.keys()
        if fileless or scenario.value("gone") == "empty":
            return []
        samples = request.samples - (1 if "partial" in scenario else 0)
        clip = self._clip(request)
        each = [self._renderer.video(clip(request.seed + number)) for number in range(samples)]
        files = list(await asyncio.gather(*each))
        if scenario.value("truncated") == "file":
            return [data[: len(data) * 2 // 3] for data in files]
        return files

    def _clip(self, request: VideoRequest) -> Any:
        first, last = self._image(request.first), self._image(request.last)
        references = tuple(self._image(each) or b"" for each in request.references)
        size = self._options.video_size(request.aspect_ratio)

        def clip(seed: int) -> Clip:
            if self._options.plain:
                return Clip("", size, request.seconds, 0, request.sound)
            return Clip(
                request.caption, size, request.seconds, seed, request.sound, request.pad,
                first, last, references,
            )  # fmt: skip

        return clip

    def _image(self, image: ImageField | None) -> bytes | None:
        if image is None or image.data is not None:
            return image.data if image else None
        bucket, _, name = image.uri.removeprefix("gs://").partition("/")
        stored = self._store.get(bucket, name)
        if stored is None:
            raise ApiError(400, f"The image {image.uri} does not exist.")
        return self._store.path(stored).read_bytes()

    def _outcome(self, request: VideoRequest, files: list[bytes]) -> dict[str, Any]:
        scenario = request.scenario
        if "error" in scenario:
            code = int(scenario.number("error", 13))
            return rpc_error(code)
        if scenario.value("filtered") == "prompt":
            return rpc_error(3, blocked_prompt(scenario.support_code("filtered")))
        if request.storage and not self._store.has_bucket(request.storage[0]):
            return rpc_error(7, f"Permission denied on the bucket {request.storage[0]}.")
        response: dict[str, Any] = {"@type": RESPONSE_TYPE, "raiMediaFilteredCount": 0}
        for word, count in (("filtered", request.samples), ("partial", 1)):
            if word in scenario:
                reason = filtered_video(count, scenario, word)
                response["raiMediaFilteredCount"] = count
                response["raiMediaFilteredReasons"] = [reason]
        if files:
            response["videos"] = list(self._delivered(request, files))
        return {"response": response}

    def _delivered(self, request: VideoRequest, files: list[bytes]) -> Iterator[dict[str, str]]:
        damage = ""
        if "truncated" in request.scenario:
            damage = {"": "object", "file": "", "connection": "connection"}[
                request.scenario.value("truncated")
            ]
        # The real service makes a folder of its own, a long number, under the given prefix.
        folder = str(10**18 + secrets.randbelow(9 * 10**18))
        for number, data in enumerate(files):
            if request.storage is None:
                content = data[: len(data) // 2] if damage else data
                yield {
                    "bytesBase64Encoded": base64.b64encode(content).decode(),
                    "mimeType": "video/mp4",
                }
                continue
            bucket, prefix = request.storage
            slash = "" if not prefix or prefix.endswith("/") else "/"
            name = f"{prefix}{slash}{folder}/sample_{number}.mp4"
            self._store.put(bucket, name, data, "video/mp4", damage)
            yield {"gcsUri": f"gs://{bucket}/{name}", "mimeType": "video/mp4"}
