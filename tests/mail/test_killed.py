"""A worker that is killed, for real, when the server has the mail and the table does not say so."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

from mail.models import State
from tests.support.boot import ROOT
from tests.support.mails import Post, due_now

RUN = (
    "from django.conf import settings; from mail.stage import MailStage; "
    "from work.engine import Engine; Engine().run(MailStage(settings.MAIL_SERVER), 0.0)"
)


def test_a_mail_may_come_twice_and_has_the_same_id_then(post: Post) -> None:
    post.open()
    mail = post.queue()
    died = subprocess.run(
        [sys.executable, "-c", f"import django; django.setup(); {RUN}"],
        cwd=ROOT,
        env=os.environ
        | {"DJANGO_SETTINGS_MODULE": "config.settings", "MAIL_FROM": "no-reply@example.com"}
        | {"EMAIL_URL": f"smtp://localhost:{post.port}", "CRASH_POINTS": "mail.after_handover=1"},
        capture_output=True,
        text=True,
    )
    assert died.returncode == -signal.SIGKILL, died.stderr
    mail.refresh_from_db()
    assert (mail.state, mail.strikes) == (State.QUEUED, 1)
    assert mail.lease_token is not None
    assert post.work() == 0  # as long as the lease lasts
    due_now(mail)
    assert post.work() == 1
    mail.refresh_from_db()
    assert (mail.state, mail.strikes) == (State.SENT, 0)
    assert [got["Message-ID"] for got in post.office.taken] == [f"<{mail.pk}@example.com>"] * 2
