"""What is asked inside Django, in `manage.py shell` on a stack: claims and the ledger's check."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from statistics import median
from typing import Any

from django.conf import settings
from django.db import connection, transaction

from common import due
from credits.check import check_ledger
from generation import gate
from generation.models import Generation
from generation.states import State

BATCH = 20
# The seeded rows are due in a year; a claim needs some that are due now.
MAKE_DUE = """
UPDATE generation_generation SET next_attempt_at = now() - interval '1 minute'
 WHERE id IN (SELECT id FROM generation_generation WHERE next_attempt_at IS NOT NULL
               ORDER BY next_attempt_at DESC LIMIT 1000)
"""


def tell(found: dict[str, Any]) -> None:
    """For benchmarks/growth.py."""
    json.dump(found, sys.stdout)


def claims(times: int) -> dict[str, float]:
    """Milliseconds (median) that a claim of a batch takes; nothing of it stays."""
    asked: dict[str, Callable[[], Any]] = {
        "submit": lambda: gate.claim(BATCH),
        "poll": lambda: due.claim(Generation, (State.RUNNING,), BATCH, settings.LEASE),
    }
    found = {}
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(MAKE_DUE)
        for kind, ask in asked.items():
            found[kind] = median(_milliseconds(ask) for _ in range(times))
        transaction.set_rollback(True)
    return found


def ledger() -> dict[str, float]:
    """How many entries check_ledger read, in how many seconds. A difference is an error."""
    began = time.perf_counter()
    result = check_ledger()
    took = time.perf_counter() - began
    if result.differences:
        raise ValueError(result.differences[0].problem)
    return {"entries": result.counts["entries"], "seconds": took}


def _milliseconds(ask: Callable[[], Any]) -> float:
    began = time.perf_counter()
    ask()
    return (time.perf_counter() - began) * 1e3
