"""One order of a pack, whichever surface it comes by: read, bought, or found again by its key."""

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

    ``path`` is a part of what the key stands for. Raises ValidationError for a body that names no
    pack, and the errors of ``buy``.
    """
    serializer = CheckoutSerializer(data=body)
    try:
        serializer.is_valid(raise_exception=True)
    except ValidationError:
        # what was on sale then is replayed, also when it was taken off sale meanwhile
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
