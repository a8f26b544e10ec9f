"""A customer's image, made harmless: fetched with a guard, decoded in a child, drawn anew.

What a provider gets are bytes that our own encoder wrote. Nothing that hid behind the picture (a
script after the last chunk, EXIF, a second file format) is in them, and neither is the URL.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Hashable, MutableMapping, Sequence
from urllib.parse import urlsplit
from weakref import WeakKeyDictionary, WeakValueDictionary

from aiohttp.abc import AbstractResolver

from common.safe_fetch import FetchError, fetch
from generation.backends.base import SourceImage
from generation.inputs.image_limits import CHILD, DECODE_SECONDS, MAX_BYTES

FETCH_SECONDS = 20.0
_DECODES_AT_ONCE = 2  # each may hold 1 GB, 400 MB in practice


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
        self.reason = reason
        self.detail = f"source_image_urls[{index}]: {reason}"
        self.is_passing = is_passing
        self.retry_after = retry_after

    def at(self, index: int) -> InvalidSourceImage:
        """The same error for another index, for callers that asked for some entries only."""
        passing, wait = self.is_passing, self.retry_after
        return InvalidSourceImage(index, self.reason, is_passing=passing, retry_after=wait)


class UnusableImage(Exception):
    """The bytes are not an image we take, or decoding it went over a limit; for our own log.

    ``is_passing``: the machine was too busy for the little time that a child gets of it.
    """

    def __init__(self, reason: str, *, is_passing: bool = False) -> None:
        super().__init__(reason)
        self.is_passing = is_passing


class _Slots:
    """Decoders: two in all, and one for each account, so that nobody takes both."""

    def __init__(self) -> None:
        self.all = asyncio.Semaphore(_DECODES_AT_ONCE)
        self._of_one: MutableMapping[Hashable, asyncio.Lock] = WeakValueDictionary()

    def of(self, caller: Hashable) -> asyncio.Lock:
        return self._of_one.setdefault(caller, asyncio.Lock())


# A semaphore belongs to an event loop. A worker process has one loop, a test run has many.
_slots: MutableMapping[asyncio.AbstractEventLoop, _Slots] = WeakKeyDictionary()


async def load_source_images(
    urls: Sequence[str],
    *,
    seconds: float,
    caller: Hashable = None,
    allowed_origins: frozenset[str] = frozenset(),
    resolver: AbstractResolver | None = None,
) -> tuple[SourceImage, ...]:
    """The images behind ``urls``, in their order, each of at most 20 MB and 25 megapixels, redrawn.

    They are fetched side by side, or three slow servers would need three times as long, and decoded
    one after the other, as all of one ``caller`` are. ``seconds`` cover all of it, waiting for a
    decoder included. ``allowed_origins`` and ``resolver`` are :func:`common.safe_fetch.fetch`'s.

    Raises :class:`InvalidSourceImage` for whatever is the customer's fault or cannot be told from
    it: the first entry that is hopeless, so that the same request always names the same one, else
    the first that may be well later. An OSError means that no process could be started: ours.
    """
    ends = asyncio.get_running_loop().time() + seconds
    fetches = [_fetched(url, seconds, allowed_origins, resolver) for url in urls]
    results = await asyncio.gather(*fetches, return_exceptions=True)
    images = []
    for index, body in enumerate(_bodies(urls, results)):
        try:
            async with _slots_of_this_loop().of(caller), asyncio.timeout_at(ends):
                images.append(await prepare(body))
        except UnusableImage as error:
            detail = f"{error} at {_host(urls[index])}"
            raise InvalidSourceImage(index, detail, is_passing=error.is_passing) from error
        except TimeoutError as error:
            detail = f"not decoded within {seconds:g} s"
            raise InvalidSourceImage(index, detail, is_passing=True) from error
    return tuple(images)


def _bodies(urls: Sequence[str], results: Sequence[bytes | BaseException]) -> list[bytes]:
    """All bodies. Else raises for the first hopeless one, or the first that may be well later."""
    bodies, failed = [], []
    for index, result in enumerate(results):
        if isinstance(result, FetchError):
            failed.append((result.is_passing, index, result))
        elif isinstance(result, BaseException):
            raise result
        else:
            bodies.append(result)
    for is_passing, index, error in sorted(failed, key=lambda each: each[:2]):
        detail = f"{error.detail} at {_host(urls[index])}"
        raise InvalidSourceImage(
            index, detail, is_passing=is_passing, retry_after=error.retry_after
        ) from error
    return bodies


async def _fetched(
    url: str,
    seconds: float,
    allowed_origins: frozenset[str],
    resolver: AbstractResolver | None,
) -> bytes:
    """The body that the host sends, at most 20 MB within 20 s. Raises FetchError."""
    body = await fetch(
        url,
        max_bytes=MAX_BYTES,
        total_timeout=min(FETCH_SECONDS, seconds),
        allowed_origins=allowed_origins,
        resolver=resolver,
    )
    return body.data


async def prepare(data: bytes) -> SourceImage:
    """Decode and re-encode ``data`` in a child process, see :mod:`generation.inputs.image_child`.

    Raises :class:`UnusableImage`, also when the child crashed, was killed or took over 20 s.
    """
    async with _slots_of_this_loop().all:
        status, image, words = await _run_child(data)
    last_line = words.decode(errors="replace").strip().rpartition("\n")[2]
    if status != 0:
        raise UnusableImage(f"child ended with {status}: {last_line[:200]}")
    mime_type, _, _ = last_line.split()
    return SourceImage(image, mime_type)


async def _run_child(data: bytes) -> tuple[int | None, bytes, bytes]:
    # A plain process: Celery's daemonic workers may not have multiprocessing children. It gets no
    # environment, because that is where the secrets are, and -I keeps this folder out of sys.path.
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-I",
        CHILD,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={},
    )
    try:
        async with asyncio.timeout(DECODE_SECONDS):
            output, complaint = await process.communicate(data)
    except TimeoutError as error:
        raise UnusableImage("took too long", is_passing=True) from error
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()  # not wait(): a full pipe would keep that waiting
    return process.returncode, output, complaint


def _host(url: str) -> str:
    """Of all that a customer wrote, what operators need; its query may be a secret."""
    return urlsplit(url).hostname or "?"


def _slots_of_this_loop() -> _Slots:
    return _slots.setdefault(asyncio.get_running_loop(), _Slots())
