"""Which of a row's ids the provider is asked for, and what follows if it does not know them.

An order whose id is unknown was not bought. It then asks for the fallback; without one it fails,
is refunded, and the model is not sold for a while (decision 84). Times are the database's, scaled
by ``TIME_SCALE``.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models.functions import Now

from generation.backends.base import ModelGone, Rejected
from generation.models import Attempt, CatalogModel, Generation
from generation.models.gate import ProviderGate
from generation.offer import catalog

IN_A_ROW = 3
UNASKED = 900.0  # seconds without the first id, while the fallback serves
FIRST_PAUSE, LONGEST_PAUSE = 900.0, 14_400.0  # seconds without sales, doubled each time
NO_MODEL = "This model cannot be used at the moment. We have been told."
GONE: dict[str, Any] = {"category": "model_gone", "support_codes": []}  # an attempt's refusal

# What a switch of the row's ends, and what the columns are without any of it
CLEAN: dict[str, Any] = {
    "gone": 0,
    "pauses": 0,
    "first_gone": 0,
    "known": {},
    **dict.fromkeys(("paused_until", "probe_until", "fallback_until", "known_at")),
}


def ids_of(model: CatalogModel) -> list[str]:
    """The provider's ids that the row may ask for, the first one first."""
    both = (catalog.provider_model(model), model.provider_model_fallback)
    return list(dict.fromkeys(filter(None, both)))


def id_to_ask(generation: Generation) -> str:
    """The provider's id for a new attempt: the row's, or its fallback while that is unknown.

    One order at a time may find out whether the provider knows the first one again.
    """
    model = generation.model
    first, fallback = catalog.provider_model(model), model.provider_model_fallback
    if not fallback or fallback == first:
        return first
    if generation.attempts.filter(provider_model=first, refusal__category="model_gone").exists():
        return fallback
    gate = ProviderGate.objects.filter(pk=model.pk, fallback_until__isnull=False)
    if not gate.exists():
        return first
    lease = Now() + timedelta(seconds=settings.LEASE)
    return (
        first if gate.filter(fallback_until__lte=Now()).update(fallback_until=lease) else fallback
    )


def falls_back(generation: Generation, attempt: Attempt) -> bool:
    """Whether a fallback is left for the order whose ``attempt`` met an unknown id."""
    model = generation.model
    fallback = model.provider_model_fallback
    return bool(fallback) and attempt.provider_model == catalog.provider_model(model) != fallback


def refusal(gone: ModelGone) -> Rejected:
    """What an unknown id means for an order without a fallback: a no that only we can mend."""
    return Rejected(
        "provider_error",
        NO_MODEL,
        category=GONE["category"],
        detail=str(gone),
        retryable=True,
        operator_fault=True,
    )


def record_answer(gate: ProviderGate, asked: str, now: datetime, *, known: bool) -> None:
    """Record what an answer says about the id ``asked``. The caller has the gate's lock.

    An id that the row does not name any more is ignored: an operator has changed the row.
    """
    first, fallback = catalog.provider_model(gate.model), gate.model.provider_model_fallback
    if asked not in (first, fallback):
        return
    if known:
        gate.gone, gate.pauses = 0, 0
        gate.paused_until = None
    if known and asked == first:
        gate.first_gone, gate.fallback_until = 0, None
    elif not known and asked == first and fallback not in ("", first):
        gate.first_gone = min(gate.first_gone + 1, 1000)
        if gate.first_gone >= IN_A_ROW:
            gate.fallback_until = now + timedelta(seconds=UNASKED * settings.TIME_SCALE)
    elif not known:
        _count(gate, now)


def remember(name: str, known: dict[str, bool | None]) -> None:
    """Keep what a probe told of the ids, for operators."""
    first = ProviderGate(model_id=name, next_submit_at=Now(), window_ends_at=Now())
    ProviderGate.objects.bulk_create([first], ignore_conflicts=True)
    ProviderGate.objects.filter(pk=name).update(known=known, known_at=Now())


def start_again(name: str) -> None:
    """Forget what was learned about the row, which an operator changed; it is sold again."""
    ProviderGate.objects.filter(pk=name).update(**CLEAN)


def _count(gate: ProviderGate, now: datetime) -> None:
    """Pause at the third in a row. After a pause one more is enough, and the next is longer."""
    gate.gone = min(gate.gone + 1, 1000)
    if gate.paused_until is not None and gate.paused_until > now:
        return  # asked before the pause
    if gate.pauses or gate.gone >= IN_A_ROW:
        pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(gate.pauses, 8))
        gate.paused_until = now + timedelta(seconds=pause * settings.TIME_SCALE)
        gate.pauses = min(gate.pauses + 1, 1000)
