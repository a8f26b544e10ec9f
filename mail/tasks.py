"""The queue ``mail``: sending due mails, and deleting old ones."""

from __future__ import annotations

from django.conf import settings

from mail.pruning import prune
from mail.stage import MailStage
from work.process import counted, run, task_of
from work.queue import app

OLD = "old_mails"  # the stage's name


@app.task(name="mail.send")
def send() -> None:
    """Hand over the mails that are due."""
    run("mail", lambda: MailStage(settings.MAIL_SERVER))


@app.task(name="mail.prune")
def take_away() -> None:
    """Delete old mails, a bounded number a pass."""
    with task_of(OLD):
        counted(OLD, prune)
