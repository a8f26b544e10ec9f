"""The OpenAPI page's words about credits."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiExample
from rest_framework import serializers

from common.api.error_examples import BAD_LIMIT
from common.api.form import TrueField
from common.api.openapi import LIMIT, OFFSET, PAGE, PageSerializer, operation
from credits.models import LedgerEntry

TAG = ["Credits"]


class BalanceSerializer(serializers.Serializer[Any]):
    __doc__ = "The account's credits."  # the page says it

    success = TrueField()
    credits_balance = serializers.IntegerField(
        help_text="Below 0 only after a payment was taken back."
    )


class LedgerEntrySerializer(serializers.Serializer[Any]):
    """One change of the balance."""

    id = serializers.UUIDField()
    sequence = serializers.IntegerField(min_value=1, help_text="1 for the oldest entry, no gaps.")
    kind = serializers.ChoiceField(
        LedgerEntry.Kind.values,
        help_text="`reversal`: what a payment gave is taken back; `reinstated`: it is given again.",
    )
    amount = serializers.IntegerField(help_text="Signed: a charge is negative.")
    balance_after = serializers.IntegerField(help_text="Below 0 only after a reversal.")
    generation_id = serializers.UUIDField(
        allow_null=True, help_text="What was charged for or refunded."
    )
    description = serializers.CharField()
    created_at = serializers.DateTimeField()


class LedgerSerializer(PageSerializer):
    """A page of the ledger, newest first."""

    results = LedgerEntrySerializer(many=True)


_GENERATION = "7d0f6c1e-6a5b-4a55-9f0e-2b8f0f6b1a10"
_PAGE: dict[str, Any] = {
    "success": True,
    "count": 2,
    "count_is_capped": False,
    "next": None,
    "previous": None,
    "results": [
        {
            "id": "b3f1e2a0-58d1-4f8c-9a44-1f0e6c3a7d31",
            "sequence": 2,
            "kind": "charge",
            "amount": -240,
            "balance_after": 260,
            "generation_id": _GENERATION,
            "description": "veo3_fast generation",
            "created_at": "2026-11-22T12:00:00.123456Z",
        },
        {
            "id": "0a7c4d52-9a0c-4b76-8a1e-5d3f2b1c9e30",
            "sequence": 1,
            "kind": "grant",
            "amount": 500,
            "balance_after": 500,
            "generation_id": None,
            "description": "Welcome credits",
            "created_at": "2026-11-22T11:58:12.654321Z",
        },
    ],
}

_REVERSED = _PAGE | {
    "count": 3,
    "results": [
        {
            "id": "5c1d9e47-3b0f-4d52-8e6a-9a2f7c4b1d08",
            "sequence": 3,
            "kind": "reversal",
            "amount": -500,
            "balance_after": -240,
            "generation_id": None,
            "description": "Payment refunded",
            "created_at": "2026-11-22T12:30:00.123456Z",
        },
        *_PAGE["results"],
    ],
}

balance = operation(
    "get_credits",
    summary="See the balance",
    description="How many there are.",
    tags=TAG,
    responses={200: BalanceSerializer},
    examples=[
        OpenApiExample(
            "Some are left", {"success": True, "credits_balance": 260}, response_only=True
        )
    ],
)
transactions = operation(
    "list_transactions",
    summary="List the ledger",
    tags=TAG,
    parameters=[LIMIT, OFFSET, PAGE],
    responses={200: LedgerSerializer},
    examples=[
        OpenApiExample("A grant and a charge", _PAGE, response_only=True),
        OpenApiExample("A payment was taken back", _REVERSED, response_only=True),
    ],
    fails=[BAD_LIMIT],
)
