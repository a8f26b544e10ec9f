"""An order of a pack, from the API or the console: read, then bought or found again by its key."""

from __future__ import annotations

from typing import Any

from rest_framework.exceptions import ValidationError

from accounts.caller import Caller
from payments.api.requests import CheckoutSerializer
from payments.buying import Bought, Purchase, buy, replay_of


def order(
    caller: Caller,
    body: dict[str, Any],
    *,
    address: str,
    path: str,
    idempotency_key: str | None = None,
) -> Bought:
    """Buy what ``body`` names, as the contract's section 10 has it.

    The key stands for ``path`` and ``body`` together. Raises ValidationError for a body that names
    no pack, and the errors of ``buy``.
    """
    serializer = CheckoutSerializer(data=body)
    try:
        serializer.is_valid(raise_exception=True)
    except ValidationError:
        # a replay is never refused, though the pack may have been taken off sale since
        again = replay_of(caller, idempotency_key, path, body) if idempotency_key else None
        if again is None:
            raise
        return again
    return buy(
        Purchase(
            caller=caller,
            pack=serializer.validated_data["pack"],
            address=address,
            idempotency_key=idempotency_key,
            path=path,
            body=body,
        )
    )
