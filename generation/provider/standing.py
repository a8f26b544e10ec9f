"""How each model on sale stands with its provider, as operators are told."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models.functions import Now

from generation.models import CatalogModel
from generation.models.gate import ProviderGate
from generation.provider.model_ids import ids_of


@dataclass(frozen=True, slots=True)
class Standing:
    """``unknown`` are the ids of a model's row that the last probe did not find."""

    model: str
    unknown: tuple[str, ...] = ()
    paused_until: datetime | None = None
    on_fallback: bool = False

    @property
    def warnings(self) -> list[str]:
        """A sentence for each thing that an operator should look at."""
        found = [
            f"the provider does not know {each}, asked for {self.model}" for each in self.unknown
        ]
        if self.paused_until is not None:
            found.append(f"{self.model} is paused until {self.paused_until:%Y-%m-%d %H:%M:%S} UTC")
        if self.on_fallback:
            found.append(f"{self.model} is made by its fallback")
        return found


def standings() -> list[Standing]:
    """The standings of all models, in the catalog's order, by one statement."""
    rows = CatalogModel.objects.select_related("gate").annotate(now=Now())
    return [standing_of(row, row.now) for row in rows]


def standing_of(model: CatalogModel, now: datetime) -> Standing:
    """The standing of one row. A model that is not on sale has no warnings."""
    gate: ProviderGate | None = getattr(model, "gate", None)
    retired = model.retires_at is not None and model.retires_at <= now
    if gate is None or not model.enabled or retired:
        return Standing(model.name)
    paused = gate.paused_until is not None and gate.paused_until > now
    return Standing(
        model.name,
        tuple(each for each in ids_of(model) if gate.known.get(each) is False),
        gate.paused_until if paused else None,
        gate.fallback_until is not None and bool(model.provider_model_fallback),
    )
