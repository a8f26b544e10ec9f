"""Balance and ledger, as a customer sees them: section 5 of the contract."""

from __future__ import annotations

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.authentication import arrival
from common.api.pagination import paginate
from credits import public
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
        return Response(page.body([public.to_dict(entry) for entry in page.rows]))
