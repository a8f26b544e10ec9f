"""Whom mails are to: nothing that stands in an address becomes a header or a second reader."""

from __future__ import annotations

import pytest

from mail import outbox
from mail.kinds import Kind
from mail.models import State
from tests.support.mails import Post

LONG = f"{'a' * 64}@{'b' * 63}.{'c' * 63}.example.com"


@pytest.mark.parametrize(
    "to",
    [
        "alice@example.com\nBcc: bob@example.com",
        "alice@example.com\r\n\r\nhello",
        "alice@example.com, bob@example.com",
        "alice@example.com;bob@example.com",
        "alice@example.com\x0bBcc: bob@example.com",
        '"\x01"@example.com',
        "alice",
        "alice@",
        "@example.com",
        "",
        "alice@ex ample.com",
        f"alice@{'x' * 70}ü.com",
    ],
)
def test_what_is_no_address_gets_no_mail(to: str, post: Post) -> None:
    post.open()
    mail = post.worked(post.queue(to))
    assert mail.state == State.FAILED
    assert post.office.to == []
    assert (mail.text, mail.html) == ("", "")


@pytest.mark.parametrize(
    ("to", "asked_for"),
    [
        (LONG, LONG),
        ("o'hara+a@example.com", "o'hara+a@example.com"),
        ("a@bücher.example", "a@xn--bcher-kva.example"),
    ],
)
def test_what_is_one_gets_its_mail(to: str, asked_for: str, post: Post) -> None:
    post.open()
    assert post.worked(post.queue(to)).state == State.SENT
    assert post.office.to == [asked_for]


def test_values_of_others_stay_in_the_body(post: Post) -> None:
    post.open()
    new = "Ünï\r\nBcc: bob@example.com\r\n.\r\n" + "x" * 5000
    mail = outbox.queue(Kind.EMAIL_CHANGED, "alice@example.com", {"new_email": new})
    assert post.worked(mail).state == State.SENT
    assert post.office.to == ["alice@example.com"]
    (got,) = post.office.taken
    assert got["Bcc"] is None
    part = got.get_body(("plain",))
    assert part is not None
    assert "Ünï" in part.get_content()
    assert "x" * 5000 in part.get_content()


@pytest.mark.parametrize(
    "sender", [f"{'Reelmint ' * 40}<no-reply@example.com>", "Rëelmint <no-reply@bücher.example>"]
)
def test_a_sender_with_a_long_or_foreign_name(sender: str, post: Post) -> None:
    post.open()
    post.settings.MAIL_FROM = sender
    mail = post.worked(post.queue())
    assert (mail.state, mail.last_error) == (State.SENT, "")
    (got,) = post.office.taken
    assert got["From"].addresses[0].display_name == sender.partition(" <")[0].strip()
    assert got["Message-ID"].isascii()
