"""The settings of webhooks: whom they may be sent to. webhooks/checks.py says what starts."""

from __future__ import annotations

import re

from config.env import Env

ORIGIN = re.compile(r"https?://[a-z0-9.:\[\]-]+:[0-9]{1,5}")  # as common/fetchable.py writes it


def receivers(env: Env) -> tuple[frozenset[str], bool]:
    """Origins that may be anywhere, and whether plain http is taken."""
    origins = env.words("WEBHOOK_ALLOWED_ORIGINS")
    env.problems += [
        f"WEBHOOK_ALLOWED_ORIGINS: {origin!r} is no origin with its port, such as "
        "http://127.0.0.1:9001"
        for origin in origins
        if not ORIGIN.fullmatch(origin)
    ]
    return frozenset(origins), env.flag("WEBHOOK_ALLOW_HTTP", False)
