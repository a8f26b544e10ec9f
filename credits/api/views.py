"""Balance and ledger, as a customer sees them: section 5 of the contract."""

from __future__ import annotations

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.authentication import arrival
from common.api.pagination import paginate
from common.times import with_z
from credits.api import document
from credits.models import LedgerEntry, Wallet


class BalanceView(APIView):
    @document.balance
    def get(self, request: Request) -> Response:
        wallet = Wallet.objects.get(account_id=arrival(request).caller.account_id)
        return Response({"success": True, "credits_balance": wallet.balance})


class TransactionsView(APIView):
    @document.transactions
    def get(self, request: Request) -> Response:
        """Newest first, in pages; each balance is the next older one's plus the amount."""
        entries = LedgerEntry.objects.filter(wallet_id=arrival(request).caller.account_id)
        page = paginate(request, entries, ("sequence",))
        return Response(page.body([to_dict(entry) for entry in page.rows]))


def to_dict(entry: LedgerEntry) -> dict[str, Any]:
    """The one public form of an entry; ``amount`` is signed."""
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
