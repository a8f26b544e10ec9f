"""What is written into the outbox, of each kind."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from mail import outbox
from mail.kinds import LIVES, SUBJECTS, Kind
from mail.models import Mail, State
from tests.support.mails import Post
from tests.support.network_watch import Watch, watch

__all__ = ["watch"]

CONTEXTS: dict[Kind, dict[str, str]] = {
    Kind.VERIFY: {"code": "123456"},
    Kind.RESET: {"link": "https://example.com/reset/a/b/?x=1&y=2"},
    Kind.PASSWORD_CHANGED: {},
    Kind.EMAIL_CONFIRM: {"link": "https://example.com/confirm-email/b/"},
    Kind.EMAIL_CHANGED: {"new_email": "o'hara+<x>@example.com"},
    Kind.SECOND_FACTOR_CHANGED: {"change": "New recovery codes were made"},
}


@pytest.mark.parametrize("kind", Kind)
def test_each_kind_says_what_it_is_given(kind: Kind) -> None:
    mail = outbox.queue(kind, "alice@example.com", CONTEXTS[kind])
    kept = Mail.objects.get(pk=mail.pk)
    assert (kept.state, kept.to, kept.kind) == (State.QUEUED, "alice@example.com", kind)
    assert kept.subject == SUBJECTS[kind]
    for value in CONTEXTS[kind].values():
        assert value in kept.text
        assert value not in kept.subject  # which stays when the text is gone
    assert "<img" not in kept.html
    assert "{" not in kept.text + kept.html
    assert kept.expires_at - kept.created_at == LIVES[kind]
    assert kept.next_attempt_at == kept.created_at
    assert kept.user is None


def test_html_is_escaped_and_text_is_not() -> None:
    mail = outbox.queue(Kind.EMAIL_CHANGED, "a@example.com", {"new_email": "<b>&@example.com"})
    assert "<b>&@example.com" in mail.text
    assert "&lt;b&gt;&amp;@example.com" in mail.html
    assert "<b>" not in mail.html


def test_it_lives_as_long_as_its_code(alice) -> None:
    user = alice.user
    lives = timedelta(minutes=3)
    mail = outbox.queue(Kind.VERIFY, user.email, {"code": "1"}, user=user, lives=lives)
    assert timedelta(minutes=2) < mail.expires_at - timezone.now() <= lives
    assert Mail.objects.get(user=user) == mail


def test_without_its_cause_there_is_no_mail() -> None:
    with transaction.atomic():
        outbox.queue(Kind.VERIFY, "a@example.com", {"code": "123456"})
        transaction.set_rollback(True)
    assert not Mail.objects.exists()


def test_where_nothing_can_be_sent_it_fails_and_holds_no_text(settings) -> None:
    settings.ALLOW_EMULATOR = False
    mail = outbox.queue(Kind.VERIFY, "a@example.com", {"code": "123456"})
    kept = Mail.objects.get(pk=mail.pk)
    assert (kept.state, kept.text, kept.html) == (State.FAILED, "", "")
    assert "EMAIL_URL" in kept.last_error


def test_whatever_stands_as_an_address_is_written() -> None:
    for to in ("ü@example.com", "a" * 242 + "@example.com", '"\x01"@example.com'):
        assert outbox.queue(Kind.VERIFY, to, {"code": "1"}).to == to


def test_nothing_is_sent_and_nobody_is_asked_in_the_transaction(post: Post, watch: Watch) -> None:
    """Not before the commit either: a worker stopped, the cause is answered at once."""
    post.open()
    with transaction.atomic():
        mail = post.queue()
        assert post.office.taken == []
    assert watch.inside == []
    assert post.office.taken == []
    post.worked(mail)
    assert len(post.office.taken) == 1
    assert watch.sent > 5
    assert watch.inside == []
