"""Asks the providers whether they know the ids of the models on sale. It only warns.

Nobody has verified that a provider answers 404 for an id that it retired. So the result changes
only what operators are told, and nothing that is sold.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models.functions import Now

from generation.backends.base import Reader
from generation.models import CatalogModel
from generation.models.gate import ProviderGate
from generation.provider import model_ids
from generation.provider.router import Router

logger = logging.getLogger(__name__)

EVERY = 600.0  # seconds between two probes of a row
LONGEST = 10.0  # seconds; the process has files to store that a customer waits for

Known = dict[str, bool | None]  # by id; None = it cannot be told


def probe_models(
    router: Router[Reader], loop: asyncio.AbstractEventLoop, *, all_rows: bool = False
) -> dict[str, Known]:
    """Probe the rows on sale whose answers are old, or about other ids; return answers by row."""
    rows = CatalogModel.objects.filter(enabled=True).select_related("gate").annotate(now=Now())
    due = [row for row in rows if all_rows or _is_due(row, row.now)]
    found = loop.run_until_complete(_ask(router, due)) if due else {}
    for name, known in found.items():
        model_ids.remember(name, known)
        for unknown in (each for each, is_known in known.items() if is_known is False):
            logger.warning("the provider does not know %s, asked for %s", unknown, name)
    return found


def _is_due(row: CatalogModel, now: datetime) -> bool:
    gate: ProviderGate | None = getattr(row, "gate", None)
    if gate is None or gate.known_at is None or set(gate.known) != set(model_ids.ids_of(row)):
        return True
    return now - gate.known_at >= timedelta(seconds=EVERY * settings.TIME_SCALE)


async def _ask(router: Router[Reader], rows: Sequence[CatalogModel]) -> dict[str, Known]:
    asked = [(row, each) for row in rows for each in model_ids.ids_of(row)]
    answers = await asyncio.gather(*(_knows(router, row, each) for row, each in asked))
    found: dict[str, Known] = {row.name: {} for row in rows}
    for (row, each), answer in zip(asked, answers, strict=True):
        found[row.name][each] = answer
    return found


async def _knows(router: Router[Reader], row: CatalogModel, model: str) -> bool | None:
    try:
        async with asyncio.timeout(LONGEST):
            return await router.of(row.backend, row.location).knows(model, row.location)
    except TimeoutError:
        return None
