"""What is ordered, by whom, and what a create answers with."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from typing import Any

from accounts.caller import Caller
from generation.models import CatalogModel


@dataclass(frozen=True, slots=True)
class Order:
    """A validated request. ``body`` is the parsed object as it came, before defaults."""

    caller: Caller
    model: CatalogModel
    prompt: str
    shape: str
    source_image_urls: list[str] = field(default_factory=list)
    idempotency_key: str | None = None
    path: str = ""
    body: dict[str, Any] = field(default_factory=dict)
    retry_of: uuid.UUID | None = None
    grant: uuid.UUID | None = None  # the ledger entry that pays for it, unless the customer does
    note: dict[str, Any] = field(default_factory=dict)  # for the first event

    @property
    def parameters(self) -> dict[str, Any]:
        """What the row keeps of the request besides the prompt."""
        if self.model.kind == CatalogModel.Kind.IMAGE:
            return {"size": self.shape}
        return {"aspect_ratio": self.shape, "source_image_urls": self.source_image_urls}


@dataclass(frozen=True, slots=True)
class Created:
    """What a create answers with; ``balance`` is the one after the charge, also in a replay."""

    generation_id: uuid.UUID
    model: CatalogModel
    shape: str
    sources: int
    price: int
    balance: int
    estimated_time: str
    replayed: bool
