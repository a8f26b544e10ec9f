"""Ends what is older than its account keeps it, then deletes the files that belonged to it."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Sequence

from django.conf import settings
from django.core.files.storage import default_storage

from common.crash import crash_point
from generation.backends.base import Reader, Unavailable
from generation.outputs import retention
from generation.outputs.retention import Files
from generation.provider.router import Router

logger = logging.getLogger(__name__)


def let_expire(router: Router[Reader], loop: asyncio.AbstractEventLoop, seconds: float) -> int:
    """Work for up to ``seconds`` and one batch more; return how many generations lost their files.

    Rows are marked before their files are deleted. A storage that refuses stops the next batch:
    otherwise its backlog would grow by all that is due.
    """
    ends = time.monotonic() + seconds
    count = 0
    while True:
        forgotten, expired = retention.erase_prompts(), retention.expire_outputs()
        crash_point("retention.after_rows")
        deleted, tried = _delete_due(router, loop, ends)
        count += deleted
        refused = tried > 0 and deleted == 0
        if refused or time.monotonic() >= ends or max(forgotten, expired) < retention.BATCH:
            return count


def _delete_due(
    router: Router[Reader], loop: asyncio.AbstractEventLoop, ends: float
) -> tuple[int, int]:
    """Delete the files of due erasures; return how many were completed, and how many tried."""
    deleted = tried = 0
    while files := retention.claim_erasures():
        outcomes = loop.run_until_complete(_delete_all(router, files))
        crash_point("retention.after_files")
        good = sum(_write_back(*each) for each in zip(files, outcomes, strict=True))
        deleted, tried = deleted + good, tried + len(files)
        if not good or time.monotonic() >= ends:
            break
    return deleted, tried


async def _delete_all(router: Router[Reader], files: Sequence[Files]) -> list[BaseException | None]:
    return await asyncio.gather(*(_delete(router, each) for each in files), return_exceptions=True)


async def _delete(router: Router[Reader], files: Files) -> None:
    """Delete our file first, since links led to it, then the provider's. Both may be missing."""
    async with asyncio.timeout(settings.LEASE * 0.8):
        await asyncio.to_thread(default_storage.delete, files.key)
        for backend, place in files.places:
            await router.of(backend).remove_outputs(place)


def _write_back(files: Files, outcome: BaseException | None) -> bool:
    """Write the outcome; return whether all of them are deleted."""
    if outcome is None:
        retention.erased(files)
        return True
    detail = f"{type(outcome).__name__}: {outcome}"
    known = isinstance(outcome, Unavailable | TimeoutError | OSError)
    logger.log(
        logging.WARNING if known else logging.ERROR,
        *("the files of generation %s are not deleted yet: %s", files.generation_id, detail),
    )
    retention.not_erased(files, detail)
    return False
