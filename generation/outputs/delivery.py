"""From the provider's bucket into our storage: fetched, read back as playable, then kept."""

from __future__ import annotations

import asyncio
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.files import File
from django.core.files.storage import default_storage

from generation import kinds
from generation.backends.base import DamagedOutput, Fetched, Reader, Unavailable
from generation.models import Generation
from generation.outputs.playable import NotPlayable, inspect_image, inspect_video

KEPT_WITHIN = 0.9  # of the lease: what comes later could not be written back


@dataclass(frozen=True, slots=True)
class Delivered:
    """A file in our storage; ``facts`` are what was read back from it."""

    key: str
    content_type: str
    size: int
    sha256: str
    facts: dict[str, Any]

    def columns(self) -> dict[str, Any]:
        """As the row keeps it."""
        return {
            "output_key": self.key,
            "output_type": self.content_type,
            "output_size": self.size,
            "output_sha256": self.sha256,
            "output_facts": self.facts,
        }


class DeliveryFailed(Exception):
    """It failed this time. ``damaged``: because of the file; ``ours``: of our disk or bucket."""

    def __init__(
        self,
        message: str,
        *,
        damaged: bool = False,
        ours: bool = False,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.damaged = damaged
        self.ours = ours
        self.retry_after = retry_after


async def deliver(backend: Reader, generation: Generation) -> Delivered:
    """Fetch the generation's output, check it and keep it. Raises DeliveryFailed.

    The key is made of the generation's id, so a second time overwrites the same bytes. The work
    file's name has the lease, so two workers never write into the same one.
    """
    ends = asyncio.get_running_loop().time() + settings.LEASE * KEPT_WITHIN
    work = Path(settings.WORK_DIR) / f"{generation.pk}.{generation.lease_token}"
    work.parent.mkdir(parents=True, exist_ok=True)
    try:
        fetched = await backend.fetch_output(generation.output_uri, work)
        async with asyncio.timeout_at(ends):  # its thread may go on; what it writes is the same
            return await asyncio.to_thread(_keep, generation, fetched)
    except (DamagedOutput, NotPlayable) as error:
        raise DeliveryFailed(str(error), damaged=True) from error
    except Unavailable as error:
        raise DeliveryFailed(str(error), retry_after=error.retry_after) from error
    except OSError as error:  # a full disk, a bucket of ours that refuses or does not answer
        raise DeliveryFailed(f"{type(error).__name__}: {error}", ours=True) from error
    finally:
        work.unlink(missing_ok=True)


def _keep(generation: Generation, fetched: Fetched) -> Delivered:
    if generation.kind == "video":
        facts = asdict(inspect_video(fetched.path))
        kind = kinds.MP4
    else:
        image = inspect_image(fetched.path)
        facts = asdict(image)
        kind = kinds.BY_FORMAT[image.format]
    key = f"outputs/{generation.pk.hex[:2]}/{generation.pk}.{kind.extension}"
    with fetched.path.open("rb") as file:
        kept = default_storage.save(key, File(file))
    if kept != key or default_storage.size(key) != fetched.size:
        raise DeliveryFailed("the storage did not keep the file as it was", ours=True)
    return Delivered(key, kind.mime_type, fetched.size, fetched.sha256, facts)
