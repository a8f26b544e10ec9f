"""The mailbox: every code to everybody where all is emulated, and no such page anywhere else."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from mail import outbox
from mail.kinds import Kind
from mail.models import Mail
from mail.server import parse
from tests.support.mails import CODE, Post, post

__all__ = ["post"]
LIST = reverse("console:mailbox")


def page_of(mail: Mail) -> str:
    return reverse("console:mailbox-mail", args=[mail.pk])


def test_a_newcomer_reads_the_code_before_and_after_it_was_sent(post: Post) -> None:
    """Whatever the worker does meanwhile; nobody is logged in."""
    mail = post.queue()
    for _ in range(2):
        for path in (LIST, page_of(mail)):
            answer = Client().get(path)
            assert answer.status_code == 200
            found = re.findall(r"\b\d{6}\b", re.sub(r"<[^>]*>", " ", answer.text))
            assert found == [CODE]
            assert answer.headers["Cache-Control"] == "no-store"
            assert answer.headers["Referrer-Policy"] == "strict-origin"
        post.worked(mail)


def test_the_newest_first_and_fifty_of_them() -> None:
    mails = [
        outbox.queue(Kind.VERIFY, f"a{number}@example.com", {"code": "1"}) for number in range(53)
    ]
    shown = re.findall(r">(a\d+@)example", Client().get(LIST).text)
    assert shown == [f"a{number}@" for number in range(52, 2, -1)]
    assert Client().get(page_of(mails[0])).status_code == 200


def test_a_link_is_text_and_what_others_wrote_is_escaped() -> None:
    outbox.queue(Kind.RESET, "a@example.com", {"link": "https://example.com/reset/a/b/?x=1&y=2"})
    outbox.queue(Kind.EMAIL_CHANGED, "<b>@example.com", {"new_email": "<script>x</script>"})
    page = Client().get(LIST).text
    assert "https://example.com/reset/a/b/?x=1&amp;y=2" in page
    assert 'href="https://example.com' not in page
    assert "<script>x" not in page
    assert "<b>@" not in page


def test_an_empty_mailbox() -> None:
    assert "No mail yet" in Client().get(LIST).text


@pytest.mark.parametrize("mode", ["a server", "no emulator allowed", "a real provider"])
def test_there_is_none_in_any_other_mode(mode: str, settings: Any) -> None:
    mail = outbox.queue(Kind.VERIFY, "a@example.com", {"code": CODE})
    if mode == "a server":
        settings.MAIL_SERVER = parse("smtps://mail.example.com")
    elif mode == "no emulator allowed":
        settings.ALLOW_EMULATOR = False
    else:
        settings.VERTEX_BASE_URL = ""
    for path in (LIST, page_of(mail)):
        for method in ("GET", "HEAD", "POST", "DELETE"):
            answer = Client().generic(method, path)
            assert answer.status_code == 404
            assert CODE not in answer.text
    token = re.compile(r'X-CSRFToken": "\w+')
    texts = {token.sub("", Client().get(path).text) for path in (LIST, "/nothing/")}
    assert len(texts) == 1


@pytest.mark.parametrize("mail", ["x", "a\0b", "1" * 5000, "00000000-0000-4000-8000-000000000000"])
def test_a_mail_that_is_none(mail: str) -> None:
    answer = Client().get(reverse("console:mailbox-mail", args=[mail]))
    assert answer.status_code in {400, 404}


def test_other_methods_are_refused(post: Post) -> None:
    mail = post.queue()
    for path in (LIST, page_of(mail)):
        assert Client().post(path).status_code == 405
        assert Client().head(path).status_code == 200
