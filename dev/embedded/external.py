"""Servers that were given by URL are not started, only asked whether they answer."""

from __future__ import annotations

import psycopg
import redis

from dev.embedded import StackError


def check_database(url: str) -> None:
    """StackError when no PostgreSQL answers at ``url`` within 5 seconds."""
    try:
        psycopg.connect(url, connect_timeout=5).close()
    except psycopg.Error as error:
        raise StackError(f"The server of DATABASE_URL does not answer: {error}") from error


def check_redis(url: str) -> None:
    """StackError when no Redis or Valkey answers at ``url`` within 5 seconds."""
    try:
        with redis.Redis.from_url(url, socket_connect_timeout=5, socket_timeout=5) as client:
            client.ping()
    except (redis.RedisError, ValueError) as error:
        raise StackError(f"The server of REDIS_URL does not answer: {error}") from error
