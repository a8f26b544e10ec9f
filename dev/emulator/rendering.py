"""Renders in threads (FFmpeg and Pillow leave the interpreter free), each thing only once."""

from __future__ import annotations

import asyncio
import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import replace

from dev.emulator.render_image import Still, render_image
from dev.emulator.render_video import Clip, render_video

CACHE_BYTES = 64 * 1024 * 1024


def _digest(data: bytes) -> bytes:
    """Stands for an image in a cache key, which must not keep 20 MB alive."""
    return hashlib.sha256(data).digest()


class Renderer:
    """Bounded rendering with a cache: equal requests share one file."""

    def __init__(self, threads: int = 2) -> None:
        self._stop = threading.Event()
        self._videos = ThreadPoolExecutor(threads, "video")
        self._images = ThreadPoolExecutor(1, "image")  # never behind a queue of videos
        self._done: OrderedDict[Hashable, bytes] = OrderedDict()
        self._doing: dict[Hashable, asyncio.Task[bytes]] = {}
        self._kept = 0

    async def video(self, clip: Clip) -> bytes:
        key = replace(
            clip,
            first=clip.first and _digest(clip.first),
            last=clip.last and _digest(clip.last),
            references=tuple(_digest(each) for each in clip.references),
        )
        return await self._once(key, self._videos, lambda: render_video(clip, self._stop))

    async def image(self, still: Still) -> bytes:
        key = replace(still, inputs=tuple(_digest(each) for each in still.inputs))
        return await self._once(key, self._images, lambda: render_image(still))

    async def _once(self, key: Hashable, pool: Executor, work: Callable[[], bytes]) -> bytes:
        if key in self._done:
            self._done.move_to_end(key)
            return self._done[key]
        if key not in self._doing:
            self._doing[key] = asyncio.create_task(self._render(key, pool, work))
        return await asyncio.shield(self._doing[key])

    async def _render(self, key: Hashable, pool: Executor, work: Callable[[], bytes]) -> bytes:
        try:
            data = await asyncio.get_running_loop().run_in_executor(pool, work)
        finally:
            del self._doing[key]
        self._done[key] = data
        self._kept += len(data)
        while self._kept > CACHE_BYTES and len(self._done) > 1:
            self._kept -= len(self._done.popitem(last=False)[1])
        return data

    def close(self) -> None:
        """Stop within a frame; what is being rendered is dropped."""
        self._stop.set()
        for pool in (self._videos, self._images):
            pool.shutdown(wait=False, cancel_futures=True)
