"""What is ordered, its caller, and what a create answers."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from typing import Any

from accounts.caller import Caller
from generation.models import CatalogModel
from generation.offer.parameters import Parameters
from generation.offer.pricing import price_of


@dataclass(frozen=True, slots=True)
class Order:
    """A validated request. ``body`` is the parsed object as it came, before defaults.

    ``max_credits`` is the most that the customer pays, if the order says so.
    """

    caller: Caller
    model: CatalogModel
    prompt: str
    parameters: Parameters
    max_credits: int | None = None
    idempotency_key: str | None = None
    path: str = ""
    body: dict[str, Any] = field(default_factory=dict)
    retry_of: uuid.UUID | None = None
    webhook_url: str | None = None  # gets the event of its end
    grant: uuid.UUID | None = None  # the ledger entry that pays for it, unless the customer does
    event_data: dict[str, Any] = field(default_factory=dict)  # of the first event

    @property
    def price(self) -> int:
        """What it costs, in credits."""
        return price_of(self.model, self.parameters)


@dataclass(frozen=True, slots=True)
class CreateResult:
    """What a create answers with; ``balance`` is the one after the charge, also in a replay."""

    generation_id: uuid.UUID
    model: CatalogModel
    parameters: Parameters
    price: int
    balance: int
    estimated_time: str
    replayed: bool
