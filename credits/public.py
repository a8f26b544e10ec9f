"""The one public form of a ledger entry: in the API, the console and the customer's file."""

from __future__ import annotations

from typing import Any

from common.times import with_z
from credits.models import LedgerEntry

# Customers see neither which operator wrote an entry nor the operator's reference.
FIELDS = (
    *("id", "sequence", "kind", "amount", "balance_after", "generation_id", "description"),
    "created_at",
)


def to_dict(entry: LedgerEntry) -> dict[str, Any]:
    """``amount`` is signed; times are in UTC."""
    return {
        "id": str(entry.pk),
        "sequence": entry.sequence,
        "kind": entry.kind,
        "amount": entry.amount,
        "balance_after": entry.balance_after,
        "generation_id": None if entry.generation_id is None else str(entry.generation_id),
        "description": entry.description,
        "created_at": with_z(entry.created_at),
    }
