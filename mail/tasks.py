"""The queue ``mail``: sending what is due, and taking away what is old."""

from __future__ import annotations

from django.conf import settings
from django.db import close_old_connections
from structlog.contextvars import bound_contextvars

from mail.pruning import prune
from mail.stage import MailStage
from work.heartbeat import beat
from work.process import counted, run
from work.queue import app
from work.wake import taken

OLD = "old_mails"  # the stage's name


@app.task(name="mail.send")
def send() -> None:
    """Hand over the mails that are due."""
    run("mail", lambda: MailStage(settings.MAIL_SERVER))


@app.task(name="mail.prune")
def take_away() -> None:
    """Delete old mails, a bounded number a pass."""
    taken(OLD)
    beat(OLD)
    close_old_connections()
    with bound_contextvars(stage=OLD):
        counted(OLD, prune)
