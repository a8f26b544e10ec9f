"""The OpenAPI page's words about credits."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema

balance = extend_schema(operation_id="get_credits", summary="Balance", tags=["Credits"])
transactions = extend_schema(operation_id="list_transactions", summary="Ledger", tags=["Credits"])
