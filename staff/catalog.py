"""What staff do to a model of the catalog, with its audit entry, in one transaction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.db import transaction

from generation.models import CatalogModel
from generation.models.gate import ProviderGate
from generation.offer import availability, catalog
from generation.provider import model_ids
from staff import audit


def save(row: CatalogModel, columns: Iterable[str]) -> dict[str, Any]:
    """Write ``columns`` of the row, and end its pause; what changed, for the audit entry.

    Other processes read the catalog within a second. What runs goes on by the names it keeps.
    """
    names = list(columns)
    before = CatalogModel.objects.select_for_update().get(pk=row.pk)
    if names:
        row.save(update_fields=names)
    changes = {name: [getattr(before, name), getattr(row, name)] for name in names}
    gate = ProviderGate.objects.select_for_update().filter(pk=row.pk).first()
    if gate is not None and gate.pauses:
        changes["paused"] = [True, False]
    model_ids.start_again(row.name)
    transaction.on_commit(catalog.sold.clear)
    transaction.on_commit(availability.paused.clear)
    return changes


def change_by(
    command: str, row: CatalogModel, columns: Iterable[str], reason: str
) -> Mapping[str, Any]:
    """Change the row by a command; what changed."""
    with transaction.atomic():
        changes = save(row, columns)
        if changes:
            audit.record_bare(
                None,
                "change_catalogmodel",
                target_type=CatalogModel._meta.label_lower,
                target_id=row.name,
                reason=reason,
                changes={**changes, "by": command},
            )
    return changes
