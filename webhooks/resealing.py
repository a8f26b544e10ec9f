"""Sealing secrets with the newest key, before a former SECRET_KEY is dropped."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from django.db import models

from common import sealing
from events.models import DefaultSecret, WebhookEndpoint

BATCH = 500  # rows in memory at once
FIELDS = ("secret", "previous_secret")


@dataclass
class Resealed:
    """Numbers of secrets. ``closed`` names the owner of each secret that no key opens."""

    anew: int = 0
    already: int = 0
    closed: list[str] = field(default_factory=list)


def reseal() -> Resealed:
    """Seal row by row, each in a transaction of its own. It may run at any time, and repeatedly."""
    found = Resealed()
    for model, name in ((WebhookEndpoint, "we_"), (DefaultSecret, "the default secret of ")):
        for pk in _keys_of(model):
            while not _reseal_row(model, pk, found, f"{name}{pk.hex}"):
                pass  # it was rotated meanwhile
    return found


def _keys_of(model: type[models.Model]) -> Iterator[uuid.UUID]:
    last = uuid.UUID(int=0)
    while keys := list(
        _rows(model).filter(pk__gt=last).order_by("pk").values_list("pk", flat=True)[:BATCH]
    ):
        yield from keys
        last = keys[-1]


def _reseal_row(model: type[models.Model], pk: uuid.UUID, found: Resealed, name: str) -> bool:
    """Seal a row's secrets anew; False if they were changed since they were read."""
    row = _rows(model).filter(pk=pk).values(*FIELDS).first()
    if row is None:
        return True  # deleted meanwhile, with its secrets
    opened: dict[str, str] = {}
    closed = already = 0
    for column in FIELDS:
        if not (sealed := row[column]):
            continue
        if sealing.is_newest(sealed):
            already += 1
            continue
        try:
            opened[column] = sealing.seal_anew(sealed)
        except sealing.DoesNotOpenError:
            closed += 1
    if opened and not _rows(model).filter(pk=pk, **row).update(**opened):
        return False
    found.anew += len(opened)
    found.already += already
    found.closed += [name] * closed
    return True


def _rows(model: type[models.Model]) -> models.QuerySet[Any]:
    """The rows with a secret; deleted endpoints have none."""
    return model._default_manager.exclude(secret="")
