"""The operators' page of mails: everything but what they say."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from mail import outbox
from mail.kinds import Kind
from mail.models import Mail, State
from tests.support.mails import CODE, Post, post
from tests.support.people import inside, make_staff

__all__ = ["post"]
LIST = reverse("admin:mail_mail_changelist")


@pytest.fixture
def browser() -> Client:
    return inside(make_staff("support"))


def change(mail: Mail) -> str:
    return reverse("admin:mail_mail_change", args=[mail.pk])


def test_never_what_a_mail_says(browser: Client, post: Post) -> None:
    """Not even read: a queued one holds a code that works, one of emulated mode as well."""
    queued, shown = post.queue("queued@example.com"), post.worked(post.queue())
    with CaptureQueriesContext(connection) as asked:
        pages = [browser.get(path) for path in (LIST, change(queued), change(shown))]
    for page in pages:
        assert page.status_code == 200
        assert CODE not in page.text
    assert "queued@example.com" in pages[1].text
    for query in asked.captured_queries:
        assert '"mail_mail"."text"' not in query["sql"].partition("FROM")[0]
        assert '"mail_mail"."html"' not in query["sql"].partition("FROM")[0]


def test_what_became_of_a_mail(browser: Client, post: Post) -> None:
    post.open()
    post.office.answers["RCPT"] = "550 5.1.1 no such <b>user</b>"
    mail = post.worked(post.queue())
    page = browser.get(change(mail)).text
    assert "550 5.1.1 no such &lt;b&gt;user&lt;/b&gt;" in page
    assert "failed" in page


def test_a_mail_is_found_by_its_address_and_its_message_id(browser: Client, post: Post) -> None:
    mail, other = post.queue("Alice@Example.com"), post.queue("bob@example.com")
    for term in ("alice@example.COM ", str(mail.pk), f"<{mail.pk}@example.com>"):
        page = browser.get(LIST, {"q": term}).text
        assert change(mail) in page, term
        assert change(other) not in page, term
    assert change(mail) not in browser.get(LIST, {"q": "alice"}).text


def test_filters(browser: Client, post: Post) -> None:
    shown = post.worked(outbox.queue(Kind.PASSWORD_CHANGED, "a@example.com", {}))
    queued = post.queue()
    assert shown.state == State.SENT
    page = browser.get(LIST, {"state": "sent"}).text
    assert change(shown) in page
    assert change(queued) not in page
    page = browser.get(LIST, {"kind": "verify", "state": "queued"}).text
    assert change(queued) in page
    assert change(shown) not in page
    assert browser.get(LIST, {"state": "lost", "kind": "x"}).status_code == 200
    assert browser.get(LIST, {"text__contains": CODE}).status_code == 400
