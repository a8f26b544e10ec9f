"""The stage ``mail``: hands over the mails that are due, and writes back what became of them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from common.crash import crash_point
from common.telemetry.redaction import cut_text
from mail import ending, mode, schedule
from mail.models import Mail, State
from mail.outbox import NO_SERVER
from mail.sending import Courier, NotTaken, Outcome, Refused, Taken
from mail.server import Server
from work import due
from work.stage import Done, Step

LEASE = 120.0  # seconds, of a real machine: no server is quicker since a demo's clock is
PATIENCE = 10.0  # for each answer of a server
LONGEST = 45.0  # for all of them; well within the lease


class MailStage:
    """Sends each mail by a connection of its own, in a thread: the libraries have no event loop."""

    name = "mail"
    noun = "mail"
    concurrency = 5  # as many threads as the loop has on any machine
    gathers = False
    gap = 0.0
    keeps_claiming = 0.0
    patience = PATIENCE  # a mail that is being taken is one that would be sent twice

    def __init__(
        self, server: Server | None, patience: float = PATIENCE, longest: float = LONGEST
    ) -> None:
        self._server, self._patience, self._longest = server, patience, longest

    def claim(self, limit: int) -> list[Mail]:
        return due.claim(Mail, [State.QUEUED], limit, LEASE)

    def traces(self, rows: Sequence[Mail]) -> dict[Any, str]:
        return {}

    def start(self, mail: Mail) -> Step | None:
        """Hand the mail over, unless there is no use in it."""
        if mail.claimed_at >= mail.expires_at:
            ending.failed(mail, "expired", mail.last_error or "of no use any more")
        elif mail.strikes > schedule.MOST_STRIKES:
            ending.failed(mail, "failed", "each worker that held it died")
        elif self._server is not None:
            return self._hand_over(mail, self._server)
        elif mode.is_emulated():
            ending.shown(mail)
        else:
            ending.failed(mail, "failed", NO_SERVER)
        return None

    async def _hand_over(self, mail: Mail, server: Server) -> Outcome:
        courier = Courier(mail, server, self._patience)
        work = asyncio.get_running_loop().run_in_executor(None, courier.run)
        try:
            done, _ = await asyncio.wait({work}, timeout=self._longest)
        finally:
            if not work.done():
                courier.cut()
        return work.result() if done else NotTaken("the server took too long")

    def together(self, done: list[Done[Mail]]) -> list[Done[Mail]]:
        return done

    def finish(self, mail: Mail, outcome: Any) -> Step | None:
        """Write back what came of it."""
        crash_point("mail.after_handover")
        if isinstance(outcome, Taken):
            ending.sent(mail)
        elif isinstance(outcome, Refused):
            ending.failed(mail, "bounced" if outcome.is_address else "failed", outcome.detail)
        elif isinstance(outcome, NotTaken):
            _try_again(mail, outcome.detail)
        else:
            raise outcome
        return None

    def hand_back(self, mails: list[Mail]) -> None:
        ending.hand_back(mails)

    def drop(self, mail: Mail, error: BaseException) -> None:
        """Our own code failed. The lease stays, so the row comes back when it ends."""
        ending.keep_error(mail, cut_text(f"{type(error).__name__}: {error}"))


def _try_again(mail: Mail, reason: str) -> None:
    at = schedule.next_try(mail)
    if at is not None:
        ending.later(mail, at, reason)
    elif mail.tries >= len(schedule.WAITS):
        ending.failed(mail, "failed", f"given up: {reason}")
    else:
        ending.failed(mail, "expired", f"of no use at the next try: {reason}")
