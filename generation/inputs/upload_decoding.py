"""Draws an uploaded image anew, in the guarded child that source images by URL meet, too.

The web does this while a customer waits, so it is one image at a time on a host (upload_places.py):
a decoder may take 1 GB. Neither the image nor its new form is in our memory.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import selectors
import subprocess
import sys
import time
import uuid
from dataclasses import dataclass
from io import BufferedRandom
from typing import IO

from common.errors import InvalidRequest, ServiceUnavailable
from generation.inputs import image_limits, upload_places
from generation.inputs.image_limits import ANIMATED, CHILD, MAX_PIXELS, MAX_SIDE, TOO_LARGE
from generation.inputs.upload_body import spool

logger = logging.getLogger(__name__)

BLOCK = 64 * 1024
LAST_WORDS = 4096  # bytes of what the child says


class NotAnImage(InvalidRequest):
    """400: nothing that our decoder takes."""

    default_detail = "The file is not a JPEG, PNG or WebP image, or it is damaged"


class TooManyPixels(InvalidRequest):
    """400: a picture larger than a provider takes, or one that would burst the decoder."""

    default_detail = (
        f"The image is too large: at most {MAX_PIXELS // 1_000_000} megapixels and {MAX_SIDE} "
        "pixels a side"
    )


class Animated(InvalidRequest):
    """400: more than one picture in it."""

    default_detail = "Animated images are not taken"


@dataclass(frozen=True, slots=True)
class Picture:
    """What we keep. ``file`` stands at its beginning and is the caller's to close."""

    file: BufferedRandom
    content_type: str
    width: int
    height: int
    size: int
    sha256: str


def redraw(source: IO[bytes], account_id: uuid.UUID) -> Picture:
    """The account's picture in ``source``, upright, in sRGB, without metadata.

    Raises NotAnImage, TooManyPixels, Animated, ServiceUnavailable when there is no place in time,
    or OSError.
    """
    with upload_places.place(account_id), contextlib.ExitStack() as stack:
        result = stack.enter_context(spool())
        status, words = _run_child(source, result)
        if status != 0:
            raise _refusal(status, words)
        size = result.tell()
        content_type, width, height = words.split()
        result.seek(0)
        digest = hashlib.file_digest(result, "sha256").hexdigest()
        result.seek(0)
        stack.pop_all()
        return Picture(result, content_type, int(width), int(height), size, digest)


def _refusal(status: int, words: str) -> InvalidRequest:
    """What the child's end means to the customer, whose own bytes these are."""
    logger.info("upload refused: the child ended with %s: %.200s", status, words)
    _, _, reason = words.partition(": ")
    if reason == ANIMATED:
        return Animated()
    if reason == TOO_LARGE or words.startswith("DecompressionBombError"):
        return TooManyPixels()
    return NotAnImage()


def _run_child(source: IO[bytes], result: IO[bytes]) -> tuple[int, str]:
    """Its status and its last line of words; the image that it wrote is in ``result``.

    Raises ServiceUnavailable when it gets too little of the machine.
    """
    os.lseek(source.fileno(), 0, os.SEEK_SET)
    # No environment, because that is where the secrets are; -I keeps this folder out of sys.path.
    command = [sys.executable, "-I", CHILD]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=source, stdout=pipe, stderr=pipe, env={}) as child:
        try:
            words = _collect(child, result)
            return child.wait(), words.decode(errors="replace").strip().rpartition("\n")[2]
        finally:
            child.kill()


def _collect(child: subprocess.Popen[bytes], result: IO[bytes]) -> bytes:
    """Both pipes at once: a full one would stop it."""
    ends, words = time.monotonic() + image_limits.DECODE_SECONDS, b""
    with selectors.DefaultSelector() as selector:
        for pipe in (child.stdout, child.stderr):
            if pipe is not None:
                selector.register(pipe, selectors.EVENT_READ)
        while selector.get_map():
            ready = selector.select(max(0.0, ends - time.monotonic()))
            if not ready:
                raise ServiceUnavailable(retry_after=5)
            for key, _ in ready:
                block = os.read(key.fd, BLOCK)
                if not block:
                    selector.unregister(key.fileobj)
                elif key.fileobj is child.stdout:
                    result.write(block)
                else:
                    words = (words + block)[-LAST_WORDS:]
    return words
