"""Mails by a provider's HTTP API (extra ``mail``): django-anymail against a server on loopback."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest

from mail.models import State
from mail.server import parse
from tests.support.mails import CODE, Post
from tests.support.web_server import StandInServer

TOKEN = "hunter2-token"
TAKEN = {"ErrorCode": 0, "Message": "OK", "MessageID": "b7bc2f4a", "To": "alice@example.com"}


class Api:
    """Postmark's, as far as a mail needs it."""

    def __init__(self) -> None:
        self.status, self.answer = 200, TAKEN
        self.asked: list[dict[str, Any]] = []
        self.tokens: list[str | None] = []
        api = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers["Content-Length"])
                api.asked.append(json.loads(self.rfile.read(length)))
                api.tokens.append(self.headers["X-Postmark-Server-Token"])
                body = json.dumps(api.answer).encode()
                self.send_response(api.status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                pass

        self.server = StandInServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def postmark(post: Post) -> Iterator[Api]:
    api = Api()
    url = f"http://127.0.0.1:{api.server.server_port}/"
    post.settings.MAIL_SERVER = parse(f"anymail://postmark?server_token={TOKEN}&api_url={url}")
    post.settings.MAIL_FROM = "Reelmint <no-reply@example.com>"
    yield api
    api.server.shutdown()
    api.server.server_close()


def test_it_is_sent(post: Post, postmark: Api) -> None:
    mail = post.worked(post.queue())
    assert (mail.state, mail.last_error, mail.text) == (State.SENT, "", "")
    (asked,) = postmark.asked
    assert CODE in asked["TextBody"]
    assert CODE in asked["HtmlBody"]
    assert asked["To"] == "alice@example.com"
    assert postmark.tokens == [TOKEN]
    headers = {each["Name"]: each["Value"] for each in asked["Headers"]}
    assert headers["Message-ID"] == f"<{mail.pk}@example.com>"


@pytest.mark.parametrize(("status", "code"), [(401, 10), (422, 300)])
def test_a_refusal_is_final(status: int, code: int, post: Post, postmark: Api) -> None:
    postmark.status = status
    postmark.answer = {"ErrorCode": code, "Message": f"no {TOKEN} {CODE}"}
    mail = post.worked(post.queue())
    assert mail.state == State.FAILED
    assert str(status) in mail.last_error
    assert TOKEN not in mail.last_error
    assert CODE not in mail.last_error


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_busy_provider_is_asked_again(status: int, post: Post, postmark: Api) -> None:
    postmark.status, postmark.answer = status, {"ErrorCode": 100, "Message": "later"}
    mail = post.worked(post.queue())
    assert (mail.state, mail.tries) == (State.QUEUED, 1)


def test_one_that_is_away_is_asked_again(post: Post) -> None:
    url = f"http://127.0.0.1:{post.port}/"
    post.settings.MAIL_SERVER = parse(f"anymail://postmark?server_token={TOKEN}&api_url={url}")
    mail = post.worked(post.queue())
    assert (mail.state, mail.tries) == (State.QUEUED, 1)
    assert TOKEN not in mail.last_error
