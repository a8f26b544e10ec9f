"""The library's window, asked of Redis in two halves: sent now, read when the answer is needed.

In between the asker works on something else, and mostly finds the answer there: what costs a
request most of its time with Redis is to wait for it. A connection of its own for each thread that
asks at the same time does without the pool of redis-py, which costs more than the question.
"""

from __future__ import annotations

import time
from collections import deque
from typing import Any

from limits import RateLimitItem
from limits.storage import RedisStorage
from redis.exceptions import RedisError


class RedisWindow:
    """Takes places in moving windows by the scripts of ``limits``."""

    def __init__(self, storage: RedisStorage) -> None:
        self._storage = storage
        self._hit, self._look = storage.lua_acquire_moving_window, storage.lua_moving_window
        client: Any = storage.get_connection()  # typed for what redis and valkey share
        self._pool = client.connection_pool
        self._idle: deque[Any] = deque()  # connections; redis-py leaves most of it untyped

    def send(self, item: RateLimitItem, who: str) -> SentHit:
        """Ask for a place. Raises RedisError and OSError."""
        key = self._storage.prefixed_key(item.key_for(who))
        now, window = time.time(), item.get_expiry()
        commands = [
            ("EVALSHA", self._hit.sha, 1, key, now, item.amount, window, 1),
            ("EVALSHA", self._look.sha, 1, key, now - window, item.amount),
        ]
        connection = self._connection()
        connection.send_packed_command(connection.pack_commands(commands))
        return SentHit(connection, self._idle, now, window)

    def _connection(self) -> Any:
        try:
            connection = self._idle.pop()
        except IndexError:
            return self._pool.connection_class(**self._pool.connection_kwargs)
        try:
            alive = not connection.can_read()  # there is something to read of one that was closed
        except (RedisError, OSError):
            alive = False
        if not alive:
            connection.disconnect()  # sending connects it anew
        return connection


class SentHit:
    """A question that is under way; its answer has to be read, once, also if nobody wants it."""

    def __init__(self, connection: Any, idle: deque[Any], now: float, window: int) -> None:
        self._connection, self._idle = connection, idle
        self._now, self._window = now, window

    def read(self) -> tuple[bool, int, float]:
        """Whether there was a place, how many are taken now, and when (Unix) the next is free.

        Raises RedisError and OSError; NoScriptError of a Redis that does not know the scripts yet.
        """
        try:
            allowed, found = self._connection.read_response(), self._connection.read_response()
        except BaseException:
            self._connection.disconnect()  # there may be an answer that nobody has read
            raise
        self._idle.append(self._connection)
        began, taken = found or (self._now, 0)
        return bool(allowed), int(taken), float(began) + self._window
