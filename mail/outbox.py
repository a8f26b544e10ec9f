"""Writing a mail into the outbox. Nothing is sent here: a worker does that."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from functools import partial

from django.db import transaction
from django.template.loader import render_to_string
from django.utils import timezone

from accounts.models import User
from mail import mode
from mail.kinds import LIVES, SUBJECTS, Kind
from mail.models import Mail, State
from work.wake import wake

STAGE = "mail"
NO_SERVER = "no mail server is set (EMAIL_URL)"


def queue(
    kind: Kind,
    to: str,
    context: Mapping[str, str],
    *,
    user: User | None = None,
    lives: timedelta | None = None,
) -> Mail:
    """Write a mail in the transaction of its cause; it goes out after the commit.

    ``context`` has the variables of the kind's templates (``mail/kinds.py``). ``lives`` is how long
    the mail is of use. If no mail can be sent it is written as failed, so that operators see it.
    """
    now = timezone.now()
    mail = Mail(
        kind=kind,
        to=to,
        subject=str(SUBJECTS[kind]),
        user=user,
        expires_at=now + (LIVES[kind] if lives is None else lives),
        created_at=now,
    )
    if mode.can_send():
        mail.text = render_to_string(f"mail/{kind}.text", dict(context)).strip() + "\n"
        mail.html = render_to_string(f"mail/{kind}.html", dict(context))
        mail.next_attempt_at = now
        transaction.on_commit(partial(wake, STAGE))
    else:
        mail.state, mail.last_error = State.FAILED, NO_SERVER
    mail.save(force_insert=True)
    return mail


__all__ = ["Kind", "queue"]
