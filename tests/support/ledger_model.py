"""What a wallet and its entries must be, in plain Python: the model of the ledger."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field

from accounts.caller import Caller
from generation.order import CreateResult
from tests.support.people import Person

COLUMNS = ("sequence", "kind", "amount", "balance_after", "reverses", "reference")
Line = tuple[int, str, int, int, uuid.UUID | None, str | None]  # see COLUMNS


@dataclass
class Purse:
    """What a wallet and its entries must be."""

    person: Person
    caller: Caller
    lines: list[Line] = field(default_factory=list)
    open: int = 0
    reversed: int = 0

    @property
    def balance(self) -> int:
        return self.lines[-1][3] if self.lines else 0

    @property
    def account(self) -> uuid.UUID:
        return self.person.account.pk

    def post(
        self,
        kind: str,
        amount: int,
        reference: str | None = None,
        reverses: uuid.UUID | None = None,
    ) -> None:
        after = self.balance + amount
        self.lines.append((len(self.lines) + 1, kind, amount, after, reverses, reference))


@dataclass
class Bought:
    """A charge and the answer it was bought with."""

    purse: Purse
    answer: CreateResult
    charge: uuid.UUID
    prompt: str
    refunded: bool = False
