"""The settings of the customers' pages."""

from __future__ import annotations

from config.env import Env
from config.unfold import CONTENT_SECURITY_POLICY

DAY = 86_400  # seconds
BUCKETS = "https://storage.googleapis.com"  # where our signed links to outputs lead


def session_times(env: Env) -> tuple[int, int]:
    """Seconds that a session lives without a request, and in all."""
    return (
        env.integer("CONSOLE_SESSION_IDLE", 14 * DAY, least=60),
        env.integer("CONSOLE_SESSION_LIFETIME", 90 * DAY, least=60),
    )


def content_policy(output_storage: str) -> dict[str, list[str]]:
    """What the console's pages may load: the strict policy, and outputs from where they lie.

    A link of ours is redirected to the bucket, and browsers check where that leads, too.
    """
    policy: dict[str, list[str]] = dict(CONTENT_SECURITY_POLICY["DIRECTIVES"])
    if output_storage == "gcs":
        for directive in ("media-src", "img-src"):
            policy[directive] = [*policy[directive], BUCKETS]
    return policy
