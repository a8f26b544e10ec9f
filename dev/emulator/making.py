"""Makes what an operation was bought for: waits, renders, and puts the files where they belong."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace

from av.error import FFmpegError

from dev.emulator.errors import ApiError
from dev.emulator.fields import ImageField
from dev.emulator.options import Options
from dev.emulator.outcome import MIME_TYPE, Outcome, Video, failure, makes_files, played
from dev.emulator.render_video import Clip
from dev.emulator.rendering import Renderer
from dev.emulator.scenarios import Scenario
from dev.emulator.storage import ObjectStore
from dev.emulator.video_request import VideoRequest

SLOW_FACTOR = 10
LONGER = {"1080p": 1.5, "4k": 2.5}  # how much longer than at 720p a video takes
DAMAGE = {"": "object", "file": "", "connection": "connection"}  # by the value of ``truncated``
Namer = Callable[[int], str]  # the name in the bucket of the file with this number


class Maker:
    def __init__(self, options: Options, renderer: Renderer, store: ObjectStore) -> None:
        self._options = options
        self._renderer = renderer
        self._store = store

    def latency(self, kind: str, scenario: Scenario, resolution: str = "") -> float:
        """Seconds until a request of ``kind`` is done; a ``slow=N`` is N unscaled seconds."""
        usual = self._options.latency[kind] * LONGER.get(resolution, 1.0)
        if "slow" in scenario:
            return scenario.number("slow", usual * SLOW_FACTOR)
        return usual

    async def make(self, kind: str, request: VideoRequest, name: Namer) -> Outcome:
        """The outcome, once its time has come. Raises RenderingStoppedError at shutdown."""
        if "never" in request.scenario:
            await asyncio.Event().wait()
        latency = self.latency(kind, request.scenario, request.resolution)
        rest = asyncio.create_task(asyncio.sleep(latency))
        try:
            clips = self._clips(request)
            files = await asyncio.gather(*(self._file(clip) for clip in clips))
            await rest
            return self._outcome(request, list(zip(clips, files, strict=True)), name)
        except ApiError as error:
            return failure(3, str(error))
        except (FFmpegError, OSError, ValueError) as error:
            return failure(13, f"The emulator could not render: {error}")
        finally:
            rest.cancel()

    async def _file(self, clip: Clip) -> bytes:
        return self._options.replay or await self._renderer.video(clip)

    def _clips(self, request: VideoRequest) -> list[Clip]:
        if not makes_files(request.scenario):
            return []
        size = self._options.video_size(request.aspect_ratio, request.resolution)
        codec = "hevc" if "hevc" in request.scenario else "h264"
        clip = Clip("", size, request.seconds, 0, request.sound, codec=codec)
        samples = request.samples - (1 if "partial" in request.scenario else 0)
        if self._options.plain:
            return [clip] * samples
        clip = replace(
            clip,
            caption=request.caption,
            pad=request.pad,
            first=self._image(request.first),
            last=self._image(request.last),
            references=tuple(self._image(each) or b"" for each in request.references),
        )
        return [replace(clip, seed=(request.seed or 0) + number) for number in range(samples)]

    def _image(self, image: ImageField | None) -> bytes | None:
        if image is None or image.data is not None:
            return image.data if image else None
        bucket, _, name = image.uri.removeprefix("gs://").partition("/")
        stored = self._store.get(bucket, name)
        if stored is None:
            raise ApiError(400, f"The image {image.uri} does not exist.")
        return self._store.path(stored).read_bytes()

    def _outcome(
        self, request: VideoRequest, files: list[tuple[Clip, bytes]], name: Namer
    ) -> Outcome:
        outcome = played(request)
        if outcome.error:
            return outcome
        if request.storage and not self._store.has_bucket(request.storage[0]):
            return failure(7, f"Permission denied on the bucket {request.storage[0]}.")
        made = [self._put(request, *file, name(number)) for number, file in enumerate(files)]
        return replace(outcome, videos=tuple(made))

    def _put(self, request: VideoRequest, clip: Clip, data: bytes, name: str) -> Video:
        scenario = request.scenario
        damage = DAMAGE[scenario.value("truncated")] if "truncated" in scenario else ""
        if scenario.value("truncated") == "file":
            data = data[: len(data) * 2 // 3]
        if request.storage is None:
            return Video(data=data[: len(data) // 2] if damage else data)
        bucket = request.storage[0]
        if self._options.plain and "truncated" not in scenario:
            self._store.put_shared(bucket, name, data, MIME_TYPE, clip)
        else:
            self._store.put(bucket, name, data, MIME_TYPE, damage)
        return Video(uri=f"gs://{bucket}/{name}")
