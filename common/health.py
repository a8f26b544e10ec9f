"""Whether this process lives, and whether it can serve; for load balancers and compose."""

from __future__ import annotations

import redis
from django.conf import settings
from django.db import DatabaseError, connection
from django.http import HttpRequest, JsonResponse
from redis.backoff import NoBackoff
from redis.retry import Retry

_redis = redis.Redis.from_url(
    settings.REDIS_URL,
    socket_timeout=0.3,
    socket_connect_timeout=0.3,
    retry=Retry(NoBackoff(), 0),  # a balancer waits for the answer; redis-py's own takes seconds
)


def livez(request: HttpRequest) -> JsonResponse:
    """200 while the process answers at all."""
    return JsonResponse({"status": "ok"})


def readyz(request: HttpRequest) -> JsonResponse:
    """200 when requests can be served: the database answers. Redis away is only a warning."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return JsonResponse({"status": "unavailable", "database": "away"}, status=503)
    try:
        _redis.ping()
    except redis.RedisError:
        return JsonResponse({"status": "ok", "database": "ok", "broker": "away"})
    return JsonResponse({"status": "ok", "database": "ok", "broker": "ok"})
