"""Where Vertex AI is."""

from __future__ import annotations

import re

LOCATION = re.compile(r"[a-z0-9-]{1,63}")
MULTI_REGIONS = frozenset({"us", "eu"})


def vertex_url(location: str) -> str:
    """Google's own address for a location (a region, ``global``, or the multi-regions)."""
    if location == "global":
        return "https://aiplatform.googleapis.com"
    if location in MULTI_REGIONS:
        return f"https://aiplatform.{location}.rep.googleapis.com"
    return f"https://{location}-aiplatform.googleapis.com"
