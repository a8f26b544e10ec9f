"""Which deliveries are sent next: at most two of a target at a time, however many wait.

A target is an endpoint, or an account whose orders name their own URLs. Targets whose last attempt
was slow or failed share half of the slots, and with new ones 40 of 50; they let others go first
(decision 102).
"""

from __future__ import annotations

import copy
import uuid
from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta

from common.statement import Statement
from events.models import WebhookDelivery
from work import due

LEASE = 35.0  # seconds, of a real machine: an attempt takes 15 of them at most
SLOTS = 50  # deliveries under way in a process
OF_A_TARGET = 2
OF_SLOW = SLOTS // 2  # for targets whose last attempt was slow or failed
OF_UNPROVEN = SLOTS - 10  # for these, and for targets to which nothing was ever sent
PROMPT = 5.0  # seconds; an attempt that takes longer is slow
STANDS_BACK = timedelta(minutes=1)  # so much later a slow target has its turn
WALK_MOST = 1_000  # targets that one look visits; the next look goes on behind them

# Goes from target to target in the index delivery_due, and takes of each the row that is due first.
WALK = """
WITH RECURSIVE walk AS (
    (SELECT target, next_attempt_at, 1 AS number FROM events_webhookdelivery
      WHERE next_attempt_at IS NOT NULL AND target > %(behind)s::uuid
      ORDER BY target, next_attempt_at LIMIT 1)
    UNION ALL
    SELECT further.target, further.next_attempt_at, walk.number + 1
      FROM walk CROSS JOIN LATERAL (
           SELECT target, next_attempt_at FROM events_webhookdelivery
            WHERE next_attempt_at IS NOT NULL AND target > walk.target
            ORDER BY target, next_attempt_at LIMIT 1) AS further
     WHERE walk.number < %(most)s::int
)"""
LOOK = Statement(
    """{walk}
SELECT walk.target, walk.next_attempt_at, walk.next_attempt_at <= now(), walk.number,
       CASE WHEN endpoint.id IS NULL THEN secret.is_prompt ELSE endpoint.is_prompt END
  FROM walk LEFT JOIN events_webhookendpoint AS endpoint ON endpoint.id = walk.target
       LEFT JOIN events_defaultsecret AS secret ON secret.account_id = walk.target
 WHERE walk.next_attempt_at <= now() OR walk.number = %(most)s::int
""",
    walk=WALK,
)

# Takes so many rows of each target, and at most one suspect of all (work/due.py).
# The inner limit is a constant: with a parameter the planner expects a tenth of all waiting rows.
CLAIM = due.Claim(
    WebhookDelivery,
    """
WITH head AS (
    SELECT row.id, row.strikes, row.next_attempt_at, wanted.room, wanted.target
      FROM unnest(%(targets)s::uuid[], %(rooms)s::int[]) AS wanted (target, room)
     CROSS JOIN LATERAL (
           SELECT id, strikes, next_attempt_at FROM events_webhookdelivery
            WHERE target = wanted.target AND next_attempt_at <= now()
            ORDER BY next_attempt_at LIMIT {of_a_target} FOR UPDATE SKIP LOCKED) AS row
), first AS (
    SELECT * FROM (
           SELECT *, row_number() OVER (PARTITION BY target ORDER BY next_attempt_at) AS place
             FROM head) AS numbered
     WHERE place <= room
), due AS (
    SELECT id FROM first
     WHERE strikes < %(suspect)s::int OR id = (
           SELECT id FROM first WHERE strikes >= %(suspect)s::int
            ORDER BY next_attempt_at, id LIMIT 1)
)""",
    of_a_target=str(OF_A_TARGET),
)
START = uuid.UUID(int=0)


@dataclass(frozen=True, slots=True)
class Target:
    """A target with a due delivery. ``is_prompt`` is None if nothing was ever sent there."""

    id: uuid.UUID
    since: datetime
    is_prompt: bool | None


class UnderWay:
    """How much a process is sending at the moment: by target, and by the kind of target."""

    def __init__(self) -> None:
        self.targets: Counter[uuid.UUID] = Counter()
        self.kinds: Counter[bool | None] = Counter()  # by ``is_prompt``

    def begins(self, target: uuid.UUID, is_prompt: bool | None) -> None:
        self.targets[target] += 1
        self.kinds[is_prompt] += 1

    def ends(self, target: uuid.UUID, is_prompt: bool | None) -> None:
        self.targets[target] -= 1
        self.kinds[is_prompt] -= 1
        if not self.targets[target]:
            del self.targets[target]

    def has_room(self, is_prompt: bool | None) -> bool:
        """Whether one more of that kind may be sent."""
        slow, new = self.kinds[False], self.kinds[None]
        return bool(is_prompt) or (
            slow + new < OF_UNPROVEN and (is_prompt is None or slow < OF_SLOW)
        )


class Queue:
    """The claims of one process. It remembers which target its last look came to."""

    def __init__(self) -> None:
        self._behind = START

    def claim(self, limit: int, under_way: UnderWay) -> list[WebhookDelivery]:
        """Lease up to ``limit`` due deliveries, as far as those under way leave room."""
        rooms = share_out(self.look(), limit, under_way)
        if not rooms:
            return []
        return CLAIM.rows(LEASE, targets=list(rooms), rooms=list(rooms.values()))

    def look(self) -> list[Target]:
        """Those of the next targets in line that have something due."""
        rows = LOOK.all({"behind": self._behind, "most": WALK_MOST})
        self._behind = next((row[0] for row in rows if row[3] == WALK_MOST), START)
        return [Target(id_, since, prompt) for id_, since, is_due, _, prompt in rows if is_due]


def share_out(targets: list[Target], limit: int, under_way: UnderWay) -> dict[uuid.UUID, int]:
    """How many deliveries of each target may be claimed: one of each, before any gets two."""
    rooms: Counter[uuid.UUID] = Counter()
    then = copy.deepcopy(under_way)
    for room in range(1, OF_A_TARGET + 1):
        for target in sorted(targets, key=_turn):
            if rooms.total() >= limit:
                break
            is_free = under_way.targets[target.id] + room <= OF_A_TARGET
            if is_free and then.has_room(target.is_prompt):
                then.begins(target.id, target.is_prompt)
                rooms[target.id] += 1
    return dict(rooms)


def _turn(target: Target) -> datetime:
    return target.since + STANDS_BACK if target.is_prompt is False else target.since
