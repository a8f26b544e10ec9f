"""Names of variables that are nearly ours: a setting that was misspelt is silently the default."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

# Ours or our libraries', and not read by config/settings.py.
READ_ELSEWHERE = frozenset(
    {
        "GOOGLE_APPLICATION_CREDENTIALS",
        "METRICS_DIR",  # common/telemetry/metrics_folder.py, before there are settings
        "ALLOW_DEBUGGERS",  # common/memory_privacy.py, likewise
        *("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_HEADERS"),
        *("OTEL_SERVICE_NAME", "OTEL_TRACES_SAMPLER_ARG"),
        # docker-compose.yml's
        *("POSTGRES_PASSWORD", "OWNER_DATABASE_PASSWORD", "APP_DATABASE_PASSWORD", "PORT"),
        *("PYTHON_IMAGE", "POSTGRES_IMAGE", "VALKEY_IMAGE"),
        # google-auth's, near enough to one of ours
        *("GOOGLE_CLOUD_QUOTA_PROJECT", "GOOGLE_CLOUD_REGION"),
    }
)
NEAR = 0.85  # difflib's measure: one letter missing or wrong in seven, two swapped in twelve


def misspelt(names: Iterable[str], known: Iterable[str]) -> dict[str, str]:
    """Each of ``names`` that is nearly one of ``known``, and the one it is nearest to.

    Not those of other programs: they have to be near, and as long within two letters.
    """
    ours = set(known) | READ_ELSEWHERE
    found = {}
    for name in sorted(set(names) - ours):
        if len(name) < 5 or name.startswith("OTEL_"):
            continue
        candidates = [each for each in ours if abs(len(each) - len(name)) <= 2]
        if near := get_close_matches(name.upper(), candidates, n=1, cutoff=NEAR):
            found[name] = near[0]
    return found
