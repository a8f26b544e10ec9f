"""The only place that writes money. Every verb is one statement that decides and records.

``UPDATE … WHERE balance >= price`` re-reads the row after waiting for its lock, hands out the
entry's sequence number in the same stroke, and changes nothing when it refuses (decision 4). The
statements are in ``credits/statements.py``.
"""

from __future__ import annotations

import math
import uuid
from dataclasses import dataclass
from typing import Any, Literal

from django.conf import settings
from django.db import connection
from django.utils import timezone

from common import ids
from credits.models import Wallet
from credits.statements import POST, REFUND, SETTLE, TAKE_BACK

DAY = 86_400  # seconds


class LedgerRefusal(Exception):
    """The ledger cannot do this: no such wallet, charge or reversal, or not so many credits."""


@dataclass(frozen=True, slots=True)
class Posted:
    """An entry that was written; ``balance`` is in credits, after it."""

    entry_id: uuid.UUID
    balance: int


def open_wallet(account_id: uuid.UUID) -> Wallet:
    """Give a new account its wallet, with a balance of 0."""
    return Wallet.objects.create(account_id=account_id)


def refund(charge_id: uuid.UUID, description: str) -> uuid.UUID:
    """Give a charge back, whole; return the refund entry's id.

    There is no amount to get wrong, and UNIQUE (reverses) refuses a second one (IntegrityError).
    Belongs into the transaction that ends the generation. Raises LedgerRefusal for no such charge.
    """
    entry_id = ids.new()
    with connection.cursor() as cursor:
        cursor.execute(
            REFUND,
            {
                "id": entry_id,
                "charge": charge_id,
                "description": description[:200],
                "refund_step": DAY / settings.MAX_UNDELIVERED_PER_DAY,
            },
        )
        if cursor.rowcount != 1:
            raise LedgerRefusal(f"There is no charge {charge_id} to refund")
    return entry_id


def take_back(grant_id: uuid.UUID, generation_id: uuid.UUID, description: str) -> uuid.UUID:
    """Take back the grant that paid for an undelivered generation; return the adjustment's id.

    Call it after the refund, in the same transaction: then the balance is never lower than before.
    A second call raises IntegrityError. Raises LedgerRefusal for no such grant.
    """
    entry_id = ids.new()
    values: dict[str, Any] = {"id": entry_id, "grant": grant_id, "generation": generation_id}
    with connection.cursor() as cursor:
        cursor.execute(TAKE_BACK, values | {"description": description[:200]})
        if cursor.rowcount != 1:
            raise LedgerRefusal(f"There is no grant {grant_id} to take back")
    return entry_id


def refund_lead() -> float:
    """How many seconds a wallet's clock of refunds may be ahead for one more charge."""
    return DAY - DAY / settings.MAX_UNDELIVERED_PER_DAY


def refund_wait(wallet: Wallet) -> int:
    """Seconds until refunds leave room for a charge; 0 when they do."""
    if wallet.refunds_until is None:
        return 0
    lead = (wallet.refunds_until - timezone.now()).total_seconds()
    return max(0, math.ceil(lead - refund_lead()))


def settle(account_id: uuid.UUID) -> None:
    """Note that a charge's work was delivered: one open charge less. No entry, no credits."""
    with connection.cursor() as cursor:
        cursor.execute(SETTLE, [account_id])


def grant(
    account_id: uuid.UUID,
    amount: int,
    *,
    description: str,
    created_by: uuid.UUID | None = None,
    reference: str | None = None,
) -> Posted:
    """Give credits (``amount`` > 0). The same ``reference`` is granted once (IntegrityError)."""
    return _post("grant", account_id, amount, description, created_by, reference)


def purchase(
    account_id: uuid.UUID,
    amount: int,
    *,
    reference: str,
    description: str,
    created_by: uuid.UUID | None = None,
) -> Posted:
    """Credit a payment (``amount`` > 0); its ``reference`` counts once (IntegrityError)."""
    return _post("purchase", account_id, amount, description, created_by, reference)


def reverse(
    account_id: uuid.UUID, amount: int, *, reversal_id: uuid.UUID, description: str
) -> Posted:
    """Take back what a payment gave (``amount`` > 0), even from a balance that is too low for it.

    A ``reversal_id`` counts once (IntegrityError). Raises LedgerRefusal for no such wallet.
    """
    return _post("reversal", account_id, -amount, description, None, _reversal(reversal_id))


def reinstate(
    account_id: uuid.UUID, amount: int, *, reversal_id: uuid.UUID, description: str
) -> Posted:
    """Give back what that reversal took (``amount`` > 0): all of it or a part, once.

    A second one raises IntegrityError. Raises LedgerRefusal when that reversal did not take as much
    from this account.
    """
    return _post("reinstated", account_id, amount, description, None, _reversal(reversal_id))


def adjust(
    account_id: uuid.UUID,
    amount: int,
    *,
    description: str,
    created_by: uuid.UUID,
    reference: str | None = None,
) -> Posted:
    """Correct a balance by ``amount`` (either sign), by a member of staff, with a reason.

    Raises LedgerRefusal when the balance would end below 0, and IntegrityError for a
    ``reference`` that was used for an adjustment before.
    """
    return _post("adjustment", account_id, amount, description, created_by, reference)


def limit_open_charges(account_id: uuid.UUID, limit: int | None) -> None:
    """Bound what the account may have open at once; None = the setting. No entry, no credits."""
    Wallet.objects.filter(pk=account_id).update(max_open_charges=limit)


def _reversal(reversal_id: uuid.UUID) -> str:
    """The reference that a reversal and its reinstatement share."""
    return f"reversal:{reversal_id}"


def _post(
    kind: Literal["grant", "purchase", "adjustment", "reversal", "reinstated"],
    account_id: uuid.UUID,
    amount: int,
    description: str,
    created_by: uuid.UUID | None,
    reference: str | None,
) -> Posted:
    values: dict[str, Any] = {
        "id": ids.new(),
        "kind": kind,
        "account": account_id,
        "amount": amount,
        "reversed": -amount if kind == "reversal" else 0,
        "description": description[:200],
        "created_by": created_by,
        "reference": reference,
    }
    with connection.cursor() as cursor:
        cursor.execute(POST, values)
        row = cursor.fetchone()
    if row is None:
        raise LedgerRefusal(f"No wallet of {account_id}, or its balance does not allow {amount:+}")
    return Posted(entry_id=values["id"], balance=row[0])
