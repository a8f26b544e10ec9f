"""How fast the product works at the moment; faults and orders keep to it.

Faults are counted by pieces of work and not by seconds. Otherwise a run would judge the machine
instead of the product.
"""

from __future__ import annotations

import time
from collections import deque

import psycopg

INTERVAL = 0.1  # seconds between two looks
COUNTS = """
SELECT count(*) FILTER (WHERE finished_at IS NULL), count(*) FILTER (WHERE state = 'completed'),
       count(*) FILTER (WHERE state IN ('failed', 'canceled')),
       (SELECT count(*) FROM generation_generationevent),
       (SELECT count(*) FROM payments_payment
         WHERE state IN ('created', 'open', 'processing') OR next_attempt_at <= now()),
       (SELECT count(*) FROM payments_payment WHERE state = 'paid'),
       (SELECT count(*) FROM events_webhookdelivery AS delivery
          LEFT JOIN events_webhookendpoint AS endpoint ON endpoint.id = endpoint_id
         WHERE next_attempt_at IS NOT NULL AND COALESCE(endpoint.description, '') <> 'never'),
       (SELECT count(*) FROM events_webhookdelivery WHERE state = 'succeeded')
  FROM generation_generation
"""
LATENCY = 18.0  # seconds from an order to its end that the load aims at, well below the deadline
LEAST_OPEN, MOST_OPEN = 30, 150


class Pulse:
    """Call ``look`` often; the counts are those of the last look that the database answered."""

    def __init__(self, owner_url: str) -> None:
        self.open = self.completed = self.refunded = self.steps = 0
        self.unsettled = self.paid = 0  # payments
        self.unsent = self.sent = 0  # deliveries, but for those that nobody ever takes
        self.answered = 0.0  # when, by the monotonic clock
        self._url = owner_url
        self._connection: psycopg.Connection | None = None
        self._next = 0.0
        self._ends: deque[tuple[float, int]] = deque()  # moment, and number of ended generations

    @property
    def is_fresh(self) -> bool:
        """Whether the database answered the last look."""
        return self._connection is not None

    @property
    def places(self) -> int:
        """How many orders are allowed now: no more are open than end within LATENCY."""
        return max(LEAST_OPEN, min(MOST_OPEN, self._ended_lately())) - self.open

    def look(self, *, now: bool = False) -> bool:
        """Count, if it is time for it or has to be ``now``; whether there is a fresh answer."""
        moment = time.monotonic()
        if moment < self._next and not now:
            return False
        self._next = moment + INTERVAL
        try:
            if self._connection is None:
                self._connection = psycopg.connect(self._url, connect_timeout=2, autocommit=True)
            row = self._connection.execute(COUNTS).fetchone()
        except psycopg.OperationalError:
            self.close()
            return False  # it is being restarted
        if row is None:
            raise AssertionError("a count is always a row")
        self.open, self.completed, self.refunded, self.steps, *others = row
        self.unsettled, self.paid, self.unsent, self.sent = others
        self.answered = moment
        self._ends.append((moment, self.completed + self.refunded))
        while self._ends[0][0] < moment - LATENCY:
            self._ends.popleft()
        return True

    def close(self) -> None:
        """Let go of the connection; the next look makes another one."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def __str__(self) -> str:
        generations = f"{self.open} open, {self.completed} completed, {self.refunded} refunded"
        payments = f"{self.unsettled} payments under way, {self.paid} paid"
        return f"{generations}; {payments}; {self.unsent} webhooks to send, {self.sent} taken"

    def _ended_lately(self) -> int:
        return self._ends[-1][1] - self._ends[0][1] if self._ends else 0
