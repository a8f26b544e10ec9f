"""What a worker makes of each answer of a mail server."""

from __future__ import annotations

import logging
from datetime import timedelta

import pytest
from django.db.models.functions import Now
from django.utils import timezone

from mail import metrics, schedule
from mail.models import Mail, State
from mail.sending import NotTaken
from tests.support.mails import CODE, Post, due_now


def ended() -> dict[str, float]:
    return {end: metrics.ENDED.labels(end)._value.get() for end in metrics.ENDS}


@pytest.fixture
def counted() -> dict[str, float]:
    return ended()


def more(counted: dict[str, float]) -> dict[str, float]:
    return {end: value - counted[end] for end, value in ended().items() if value != counted[end]}


def assert_holds_no_text(mail: Mail) -> None:
    kept = Mail.objects.get(pk=mail.pk)
    assert (kept.text, kept.html) == ("", "")
    assert CODE not in str(vars(kept))


def test_a_mail_is_sent_and_its_text_goes(post: Post, counted: dict) -> None:
    post.open()
    mail = post.worked(post.queue())
    (got,) = post.office.taken
    assert got["Message-ID"] == f"<{mail.pk}@example.com>"
    assert got["From"] == "Reelmint <no-reply@example.com>"
    assert got["To"] == "alice@example.com"
    assert got["Subject"] == mail.subject
    assert got["Auto-Submitted"] == "auto-generated"
    assert got["Date"]
    for kind in ("plain", "html"):
        part = got.get_body((kind,))
        assert part is not None
        assert CODE in part.get_content()
    assert post.office.to == ["alice@example.com"]
    assert (mail.state, mail.last_error, mail.tries) == (State.SENT, "", 0)
    assert mail.sent_at is not None
    assert_holds_no_text(mail)
    assert more(counted) == {"sent": 1}
    assert post.work() == 0


def test_an_address_that_is_refused_fails_at_once(post: Post, counted: dict) -> None:
    post.open()
    post.office.answers["RCPT"] = "550 5.1.1 no such user"
    mail = post.worked(post.queue())
    assert (mail.state, mail.last_error) == (State.FAILED, "550 5.1.1 no such user")
    assert_holds_no_text(mail)
    assert more(counted) == {"bounced": 1}
    assert post.work() == 0
    assert post.office.taken == []


def test_a_mail_that_is_refused_fails_at_once_and_its_words_are_not_kept(
    post: Post, counted: dict
) -> None:
    post.open()
    post.office.answers["DATA"] = f"554 5.7.1 looks like spam: {CODE}"
    mail = post.worked(post.queue())
    assert (mail.state, mail.last_error) == (State.FAILED, "554 5.7.1 looks like spam: …")
    assert_holds_no_text(mail)
    assert more(counted) == {"failed": 1}


def test_a_mail_that_is_put_off_is_tried_five_times_more(post: Post, counted: dict) -> None:
    post.open()
    post.office.answers["RCPT"] = "451 4.7.1 come back later"
    mail = post.queue(lives=timedelta(days=1))
    for number, wait in enumerate(schedule.WAITS, start=1):
        began = timezone.now()
        post.worked(mail)
        assert (mail.state, mail.tries) == (State.QUEUED, number)
        assert mail.last_error == "451 4.7.1 come back later"
        assert mail.next_attempt_at is not None
        assert wait - 1 < (mail.next_attempt_at - began).total_seconds() < wait + 5
        assert mail.lease_token is None
        assert post.work() == 0  # not due yet
    assert CODE in mail.text
    post.worked(mail)
    assert (mail.state, mail.last_error) == (
        State.FAILED,
        "given up: 451 4.7.1 come back later",
    )
    assert_holds_no_text(mail)
    assert more(counted) == {"failed": 1}


def test_one_that_was_put_off_goes_out_later(post: Post) -> None:
    post.open()
    post.office.answers["DATA"] = "452 no room"
    mail = post.worked(post.queue())
    assert mail.state == State.QUEUED
    del post.office.answers["DATA"]
    mail = post.worked(mail)
    assert (mail.state, mail.last_error) == (State.SENT, "")
    assert len(post.office.taken) == 1


def test_what_is_of_no_use_any_more_is_not_sent(post: Post, counted: dict) -> None:
    post.open()
    mail = post.queue()
    Mail.objects.filter(pk=mail.pk).update(expires_at=Now())
    mail = post.worked(mail)
    assert mail.state == State.FAILED
    assert_holds_no_text(mail)
    assert post.office.taken == []
    assert more(counted) == {"expired": 1}


def test_nothing_is_kept_for_a_try_that_would_come_too_late(post: Post, counted: dict) -> None:
    post.use()  # nobody listens
    mail = post.worked(post.queue(lives=timedelta(seconds=5)))
    assert mail.state == State.FAILED
    assert mail.last_error.startswith("of no use at the next try: ConnectionRefusedError")
    assert_holds_no_text(mail)
    assert more(counted) == {"expired": 1}


def test_a_row_that_kills_its_workers_is_given_up(post: Post, counted: dict) -> None:
    post.open()
    mail = post.queue()
    Mail.objects.filter(pk=mail.pk).update(strikes=schedule.MOST_STRIKES)
    mail = post.worked(mail)
    assert mail.state == State.FAILED
    assert post.office.taken == []
    assert more(counted) == {"failed": 1}


def test_a_mail_that_was_queued_before_the_server_went_fails(post: Post) -> None:
    post.use()
    mail = post.queue()
    post.settings.MAIL_SERVER = None
    post.settings.ALLOW_EMULATOR = False
    mail = post.worked(mail)
    assert (mail.state, mail.last_error) == (State.FAILED, "no mail server is set (EMAIL_URL)")
    assert_holds_no_text(mail)


def test_in_emulated_mode_it_stays_readable(post: Post, counted: dict) -> None:
    mail = post.worked(post.queue())
    assert (mail.state, mail.emulated) == (State.SENT, True)
    assert CODE in mail.text
    assert more(counted) == {"sent": 1}


def test_who_comes_back_too_late_changes_nothing(post: Post, counted: dict) -> None:
    """Another worker claimed the row meanwhile: what we did is not written over what it does."""
    post.open()
    mail = post.queue()
    stage = post.stage()
    (claimed,) = stage.claim(5)
    due_now(mail)  # the lease is over
    assert post.work() == 1  # by the other one
    mail.refresh_from_db()
    stage.finish(claimed, NotTaken("the server took too long"))
    kept = Mail.objects.get(pk=mail.pk)
    assert (kept.state, kept.sent_at, kept.tries) == (State.SENT, mail.sent_at, 0)
    assert more(counted) == {"sent": 1}


def test_several_at_once(post: Post) -> None:
    post.open()
    mails = [post.queue(f"a{number}@example.com") for number in range(12)]
    assert post.work() >= 5
    while post.work():
        pass
    assert Mail.objects.filter(state=State.SENT).count() == len(mails)
    assert sorted(post.office.to) == sorted(mail.to for mail in mails)


def test_neither_body_nor_address_is_in_the_log(
    post: Post, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    post.open()
    post.office.answers["DATA"] = f"554 no: {CODE}"
    post.worked(post.queue("alice.private@example.com"))
    # the server of this test logs by a name in our own's place
    said = [each.getMessage() for each in caplog.records if each.name != "mail.log"]
    assert any("was not sent" in each for each in said)
    assert not [each for each in said if CODE in each or "alice" in each]
