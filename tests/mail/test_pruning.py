"""What of mails goes in the end, a bounded number a pass."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from mail import pruning
from mail.models import Mail, State
from tests.support.mails import Post


def aged(mail: Mail, days: float) -> None:
    Mail.objects.filter(pk=mail.pk).update(created_at=timezone.now() - timedelta(days=days))


def test_old_rows_go_and_queued_ones_stay(post: Post) -> None:
    old, young, queued = post.worked(post.queue()), post.worked(post.queue()), post.queue()
    aged(old, pruning.DAYS + 1)
    aged(young, pruning.DAYS - 1)
    aged(queued, pruning.DAYS + 1)
    assert pruning.prune() == 1
    assert set(Mail.objects.all()) == {young, queued}


def test_a_pass_is_bounded(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pruning, "BATCH", 50)
    created_at = timezone.now() - timedelta(days=pruning.DAYS + 1)
    most = pruning.BATCH * pruning.BATCHES
    rows = (
        Mail(
            kind="verify",
            to="a@example.com",
            state=State.FAILED,
            last_error="x",
            expires_at=created_at,
            created_at=created_at,
        )
        for _ in range(most + 7)
    )
    Mail.objects.bulk_create(rows)
    assert pruning.prune() == most
    assert pruning.prune() == 7
    assert pruning.prune() == 0


def test_who_leaves_emulated_mode_leaves_no_codes_behind(post: Post) -> None:
    mail = post.worked(post.queue())
    assert pruning.prune() == 0
    assert Mail.objects.get(pk=mail.pk).text
    post.use()
    assert pruning.prune() == 1
    kept = Mail.objects.get(pk=mail.pk)
    assert (kept.state, kept.emulated, kept.text, kept.html) == (State.SENT, True, "", "")
    assert pruning.prune() == 0
