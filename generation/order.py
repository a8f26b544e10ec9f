"""What is ordered, by whom, and what a create answers with."""

from __future__ import annotations

import hashlib
import json
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

    ``max_credits`` is the most that the customer pays, if he said so.
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
    grant: uuid.UUID | None = None  # the ledger entry that pays for it, unless the customer does
    note: dict[str, Any] = field(default_factory=dict)  # for the first event

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


def fingerprint(path: str, body: dict[str, Any]) -> bytes:
    """What "the same request" means: path and parsed object before defaults (contract, 7).

    A field that is null is as if absent, here as for what the request asks for.
    """
    return _digest(path, {name: value for name, value in body.items() if value is not None})


def is_of(stored: bytes, path: str, body: dict[str, Any]) -> bool:
    """Whether a fingerprint that was ``stored`` with a row is of this request."""
    # until 1.0 the fields that were sent as null were part of it
    return stored in (fingerprint(path, body), _digest(path, body))


def _digest(path: str, body: dict[str, Any]) -> bytes:
    canonical = json.dumps([path, body], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).digest()
