"""The OpenAPI page's words about waiting for the end."""

from __future__ import annotations

from drf_spectacular.utils import OpenApiParameter

from common.api.error_examples import bad_field
from common.api.openapi import header
from generation.api import held

HELD = [
    OpenApiParameter(
        "wait",
        {"type": "integer", "minimum": 1, "maximum": held.MOST},
        description="Hold the answer until the generation has ended, for so many seconds at most. "
        "One that runs out is 200 with `processing`.",
    ),
    OpenApiParameter(
        "Prefer",
        str,
        OpenApiParameter.HEADER,
        description="`wait=10` (RFC 7240), the same; the parameter wins. What cannot be read is "
        f"ignored, and {held.MOST} is the most.",
    ),
    header(
        "Preference-Applied",
        "`wait=10`: the answer was held. Absent, it was given at once: the generation had ended, "
        "or nobody could hold it.",
        [200, 304],
        {"type": "string", "pattern": "^wait=[0-9]+$"},
    ),
]
_BOUNDS = f"ust be a whole number from 1 to {held.MOST}"
BAD_WAIT = bad_field("wait", f"Wait m{_BOUNDS}", f"M{_BOUNDS}")
