"""STARTTLS, TLS from the start, and the log-in: nothing travels in the open."""

from __future__ import annotations

import logging
import ssl

import pytest

from mail.models import State
from tests.support.mails import PASSWORD, USER, Post


def test_starttls_and_log_in(post: Post, certificate: ssl.SSLContext) -> None:
    post.open(
        tls_context=certificate,
        require_starttls=True,
        auth_required=True,
        authenticator=post.office.log_in,
    )
    post.use(user=f"{USER}:{PASSWORD}", query="?starttls=yes")
    mail = post.worked(post.queue())
    assert (mail.state, mail.last_error) == (State.SENT, "")
    assert (post.office.over_tls, post.office.logged_in) == ([True], [True])


def test_tls_from_the_start(post: Post, certificate: ssl.SSLContext) -> None:
    post.open_tls(certificate)
    post.use("smtps")
    mail = post.worked(post.queue())
    assert (mail.state, mail.last_error) == (State.SENT, "")
    assert len(post.office.taken) == 1


def test_a_wrong_password_fails_at_once_and_is_nowhere(
    post: Post, certificate: ssl.SSLContext, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    post.open(
        tls_context=certificate,
        require_starttls=True,
        auth_required=True,
        authenticator=post.office.log_in,
    )
    post.use(user=f"{USER}:wrong-{PASSWORD}", query="?starttls=yes")
    mail = post.worked(post.queue())
    assert mail.state == State.FAILED
    assert mail.last_error.startswith("535 ")
    said = [each.getMessage() for each in caplog.records if each.name != "mail.log"]
    assert PASSWORD not in mail.last_error + "".join(said)
    assert post.office.taken == []


def test_a_server_without_starttls_gets_nothing(post: Post) -> None:
    post.open()
    post.use(query="?starttls=yes")
    mail = post.worked(post.queue())
    assert (mail.state, mail.tries) == (State.QUEUED, 1)
    assert mail.last_error.startswith("SMTPNotSupportedError")
    assert post.office.taken == []


@pytest.mark.parametrize("query", ["?starttls=yes", ""])
def test_a_server_that_nobody_vouches_for_gets_nothing(
    query: str, post: Post, certificate: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    if query:
        post.open(tls_context=certificate)
        post.use(query=query)
    else:
        post.open_tls(certificate)
        post.use("smtps")
    monkeypatch.delenv("SSL_CERT_FILE")
    mail = post.worked(post.queue())
    assert (mail.state, mail.tries) == (State.QUEUED, 1)
    assert mail.last_error.startswith("SSLCertVerificationError")
    assert post.office.taken == []
