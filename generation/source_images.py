"""A customer's image, made harmless: fetched with a guard, decoded in a child, drawn anew.

What a provider gets are bytes that our own encoder wrote. Nothing that hid behind the picture (a
script after the last chunk, EXIF, a second file format) is in them, and neither is the URL.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import MutableMapping, Sequence
from pathlib import Path
from weakref import WeakKeyDictionary

from aiohttp.abc import AbstractResolver

from common.safe_fetch import FetchError, fetch
from generation import image_child
from generation.backends.base import SourceImage

FETCH_SECONDS = 20.0
DECODE_SECONDS = 20.0  # by the wall; of CPU time the child has 10 s
_FETCHES_AT_ONCE = 30  # each may hold 20 MB; fewer, and slow servers would use up others' leases
_DECODES_AT_ONCE = 2  # each may hold 1 GB, 400 MB in practice
_CHILD = str(Path(image_child.__file__).resolve())


class InvalidSourceImage(Exception):
    """``source_image_urls[index]`` is of no use.

    ``str(error)`` is a sentence for the customer. It is the same whatever the reason, because the
    difference between "refused", "404" and "not an image" would be a scanner of our network;
    ``detail`` is for operators. ``is_passing``: it may be well a minute later, after
    ``retry_after`` seconds if the image's host said so.
    """

    def __init__(
        self,
        index: int,
        reason: str,
        *,
        is_passing: bool = False,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(f"source_image_urls[{index}] could not be used as an image")
        self.index = index
        self.detail = f"source_image_urls[{index}]: {reason}"
        self.is_passing = is_passing
        self.retry_after = retry_after


class UnusableImage(Exception):
    """The bytes are not an image we take, or decoding it went over a limit; for our own log."""


class _Slots:
    def __init__(self) -> None:
        self.fetch = asyncio.Semaphore(_FETCHES_AT_ONCE)
        self.decode = asyncio.Semaphore(_DECODES_AT_ONCE)


# A semaphore belongs to an event loop. A worker process has one loop, a test run has many.
_slots: MutableMapping[asyncio.AbstractEventLoop, _Slots] = WeakKeyDictionary()


async def load_source_images(
    urls: Sequence[str],
    *,
    allowed_origins: frozenset[str] = frozenset(),
    resolver: AbstractResolver | None = None,
) -> tuple[SourceImage, ...]:
    """All of ``urls`` side by side, in their order; see :func:`load_source_image`.

    One after the other, three slow servers would outlast a lease. Waits for all of them and then
    raises for the first bad entry, so that the same request always names the same one.
    """
    results = await asyncio.gather(
        *(
            load_source_image(url, index=index, allowed_origins=allowed_origins, resolver=resolver)
            for index, url in enumerate(urls)
        ),
        return_exceptions=True,
    )
    images = []
    for result in results:
        if isinstance(result, BaseException):
            raise result
        images.append(result)
    return tuple(images)


async def load_source_image(
    url: str,
    *,
    index: int,
    allowed_origins: frozenset[str] = frozenset(),
    resolver: AbstractResolver | None = None,
) -> SourceImage:
    """The image behind ``url``, at most 20 MB and 25 megapixels, re-encoded by us.

    ``index`` is the entry's place in ``source_image_urls``, for the error; ``allowed_origins`` and
    ``resolver`` are :func:`common.safe_fetch.fetch`'s. Takes up to 20 s to fetch and 20 s to
    decode, plus the wait for its turn: 30 at once in a process, 2 of them decoding.

    Raises :class:`InvalidSourceImage` for whatever is the customer's fault or cannot be told from
    it. An OSError means that no process could be started, which is ours.
    """
    try:
        async with _slots_of_this_loop().fetch:
            body = await fetch(
                url,
                max_bytes=image_child.MAX_BYTES,
                total_timeout=FETCH_SECONDS,
                allowed_origins=allowed_origins,
                resolver=resolver,
            )
            return await prepare(body.data)
    except FetchError as error:
        raise InvalidSourceImage(
            index, error.detail, is_passing=error.is_passing, retry_after=error.retry_after
        ) from error
    except UnusableImage as error:
        raise InvalidSourceImage(index, str(error)) from error


async def prepare(data: bytes) -> SourceImage:
    """Decode and re-encode ``data`` in a child process, see :mod:`generation.image_child`.

    Raises :class:`UnusableImage`, also when the child crashed, was killed or took over 20 s.
    """
    async with _slots_of_this_loop().decode:
        status, output, complaint = await _run_child(data)
    if status != 0:
        last_line = complaint.decode(errors="replace").strip().rpartition("\n")[2]
        raise UnusableImage(f"child ended with {status}: {last_line[:200]}")
    mime_type, _, image = output.partition(b"\n")
    return SourceImage(image, mime_type.decode())


async def _run_child(data: bytes) -> tuple[int | None, bytes, bytes]:
    # A plain process: Celery's daemonic workers may not have multiprocessing children. It gets no
    # environment, because that is where the secrets are, and -I keeps this folder out of sys.path.
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-I",
        _CHILD,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={},
    )
    try:
        async with asyncio.timeout(DECODE_SECONDS):
            output, complaint = await process.communicate(data)
    except TimeoutError as error:
        raise UnusableImage("took too long") from error
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()  # not wait(): a full pipe would keep that waiting
    return process.returncode, output, complaint


def _slots_of_this_loop() -> _Slots:
    return _slots.setdefault(asyncio.get_running_loop(), _Slots())
