"""Redis, as wake-ups and signs of life ask it: one client a process."""

from __future__ import annotations

import redis
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry


def redis_client(url: str) -> redis.Redis:
    """A client that gives up after half a second; redis-py's own tries three times more."""
    return redis.Redis.from_url(
        url,
        socket_timeout=0.5,
        socket_connect_timeout=0.5,
        health_check_interval=30,
        retry=Retry(NoBackoff(), 0),
    )


CLIENT = redis_client(settings.REDIS_URL)
