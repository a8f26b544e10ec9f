"""What the lifecycle means, in plain Python: the model that the database is compared with.

No locks, no SQL, no ORM. A verb is allowed or not by the state of the row and the lease of its
caller; ``MEANING`` says what it changes. Times are a single question: is the row due now?
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field

from generation import lifecycle
from generation.models.states import OPEN, TERMINAL, UNDELIVERED, State


@dataclass
class Row:
    """One generation as it must be."""

    who: int
    kind: str
    price: int
    granted: bool = False  # the house paid for it
    state: State = State.QUEUED
    lease: uuid.UUID | None = None
    due: bool = True
    overdue: bool = False
    strikes: int = 0
    retries: int = 0
    unknown: int = 0
    error: str = ""
    attempts: list[str] = field(default_factory=list)  # the outcome of each, in their order
    events: list[str] = field(default_factory=lambda: [str(State.QUEUED)])

    @property
    def is_open(self) -> bool:
        return self.state in OPEN

    @property
    def is_refunded(self) -> bool:
        return self.state in UNDELIVERED

    def held_by(self, lease: uuid.UUID | None) -> bool:
        return self.is_open and lease is not None and lease == self.lease

    def shown(self, account: uuid.UUID) -> tuple[object, ...]:
        """The columns of lifecycle_rows.generations()."""
        flags = (self.state, self.lease, self.due, self.is_refunded, self.strikes, self.retries)
        return (*flags, self.unknown, self.error, len(self.events), account, self.price)

    def go(self, state: State, *, due: bool, outcome: str = "") -> None:
        """What every change of state has in common."""
        self.state, self.lease, self.strikes, self.retries = state, None, 0, 0
        self.due = (due or self.overdue) and state not in TERMINAL
        self.events.append(str(state))
        if outcome and self.attempts:
            self.attempts[-1] = outcome

    def end(self, state: State, error: str = "", outcome: str = "") -> None:
        self.go(state, due=False, outcome=outcome)
        self.error = error


def begin(row: Row) -> None:
    lease, retries = row.lease, row.retries
    row.go(State.SUBMITTING, due=False)
    # the same worker goes on, for the length of a lease, and the back-off where it was
    row.lease, row.retries, row.due = lease, retries, False
    row.attempts.append("asked")


def requeue(row: Row) -> None:
    retries = row.retries
    row.go(State.QUEUED, due=False, outcome="not_accepted")
    row.retries = retries + 1


def doubt(row: Row) -> None:
    row.go(State.SUBMIT_UNKNOWN, due=True, outcome="unknown")
    row.unknown += 1


def asks_allowed(kind: str) -> int:
    """How many lost answers end a generation; one number, or one for each kind."""
    allowed: object = lifecycle.MAX_UNKNOWN_ATTEMPTS
    return int(allowed[kind] if isinstance(allowed, dict) else str(allowed))


def give_up(row: Row) -> None:
    if row.unknown >= asks_allowed(row.kind):
        row.end(State.FAILED, "submission_lost")
    else:
        row.go(State.QUEUED, due=True)


def reject(row: Row) -> None:
    """Refused when asked, or after it was accepted, which it then was all the same."""
    asked = bool(row.attempts) and row.attempts[-1] == "asked"
    row.end(State.FAILED, "provider_rejected", "rejected" if asked else "")


def postpone(row: Row) -> None:
    row.lease, row.strikes, row.due = None, 0, row.overdue


def complain(row: Row) -> None:
    postpone(row)
    row.retries += 1


def poll_again(row: Row) -> None:
    postpone(row)
    row.retries = 0


def hand_back(row: Row) -> None:
    row.lease, row.due, row.strikes = None, True, max(row.strikes - 1, 0)


def images_ready(row: Row) -> None:
    row.lease, row.strikes, row.due = None, 0, True


Effect = Callable[[Row], None]
# A verb, the states that it may start from, and what it does to the row.
MEANING: dict[str, tuple[tuple[State, ...], Effect]] = {
    "begin_attempt": ((State.QUEUED,), begin),
    "accept": (
        (State.SUBMITTING,),
        lambda row: row.go(State.RUNNING, due=False, outcome="accepted"),
    ),
    "requeue": ((State.SUBMITTING,), requeue),
    "doubt": ((State.SUBMITTING,), doubt),
    "give_up_waiting": ((State.SUBMIT_UNKNOWN,), give_up),
    "adopt": (
        (State.SUBMITTING, State.SUBMIT_UNKNOWN, State.RUNNING),
        lambda row: row.go(State.STORING, due=True, outcome="adopted"),
    ),
    "complete": ((State.STORING,), lambda row: row.end(State.COMPLETED)),
    "fail": (OPEN, lambda row: row.end(State.FAILED, "timeout")),
    "reject": (OPEN, reject),
    "postpone": (OPEN, postpone),
    "complain": (OPEN, complain),
    "poll_again": ((State.RUNNING,), poll_again),
    "keep_error": (OPEN, lambda row: None),
    "hand_back": (OPEN, hand_back),
    "images_ready": ((State.QUEUED,), images_ready),
    "await_images": ((State.QUEUED,), complain),
}

# What a worker without bad luck does from each open state, the usual first.
ONWARDS: dict[State, tuple[str, ...]] = {
    State.QUEUED: ("begin_attempt",),
    State.SUBMITTING: ("accept", "doubt", "requeue"),
    State.SUBMIT_UNKNOWN: ("give_up_waiting", "adopt"),
    State.RUNNING: ("adopt", "poll_again"),
    State.STORING: ("complete", "complain"),
}


def allows(verb: str, row: Row, lease: uuid.UUID | None) -> bool:
    """Whether a caller with this lease gets its way."""
    return row.held_by(lease) and row.state in MEANING[verb][0]


def sensible(row: Row) -> list[str]:
    """The verbs that the row's state allows."""
    return [verb for verb, (states, _) in MEANING.items() if row.state in states]
