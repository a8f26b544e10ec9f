"""Which models are paused because the provider does not know their ids (any more)."""

from __future__ import annotations

import math
from datetime import timedelta

from django.db.models import DurationField, ExpressionWrapper, F
from django.db.models.functions import Now

from common.fresh import Fresh
from generation.models import CatalogModel
from generation.models.gate import ProviderGate


def _read() -> dict[str, int]:
    left = ExpressionWrapper(F("paused_until") - Now(), output_field=DurationField())
    rows = ProviderGate.objects.filter(paused_until__gt=Now()).values_list("model_id", left)
    return {name: math.ceil(time / timedelta(seconds=1)) for name, time in rows}


# As fresh as the catalog itself
paused = Fresh(1.0, _read)


def paused_for(model: CatalogModel) -> int:
    """Seconds until the model may be ordered again; 0 if it may be now."""
    return paused().get(model.pk, 0)
