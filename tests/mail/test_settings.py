"""EMAIL_URL and MAIL_FROM: what is taken, what is refused, and that nothing of it is told."""

from __future__ import annotations

import pytest

from config.env import Env
from config.mail import mail_from, mail_server
from mail import mode
from mail.server import Server, parse

SECRET = "hunter2-%2Fp"
FROM = {"MAIL_FROM": "Reelmint <no-reply@example.com>"}


def smtp(url: str) -> dict:
    return parse(url).options


def test_starttls_and_tls_from_the_start() -> None:
    found = smtp(f"smtp://me%40example.com:{SECRET}@mail.example.com")
    assert found == {
        "host": "mail.example.com",
        "port": 587,
        "username": "me@example.com",
        "password": "hunter2-/p",
        "use_tls": True,
        "use_ssl": False,
    }
    found = smtp("smtps://me:x@mail.example.com:4650/")
    assert (found["port"], found["use_tls"], found["use_ssl"]) == (4650, False, True)
    assert smtp("smtps://mail.example.com")["port"] == 465


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]"])
def test_nothing_travels_to_a_server_of_this_machine(host: str) -> None:
    assert not smtp(f"smtp://me:x@{host}:25")["use_tls"]
    assert smtp(f"smtp://me:x@{host}:25?starttls=yes")["use_tls"]


def test_a_relay_without_tls_gets_no_password() -> None:
    assert not smtp("smtp://relay.internal:25?starttls=no")["use_tls"]
    with pytest.raises(ValueError, match="in the open"):
        parse("smtp://me:x@relay.internal:25?starttls=no")


def test_a_providers_api() -> None:
    found = parse(f"anymail://postmark?server_token={SECRET}")
    assert found.backend == "anymail.backends.postmark.EmailBackend"
    assert found.options == {"server_token": "hunter2-/p"}
    assert found.place == "anymail://postmark"


@pytest.mark.parametrize(
    "url",
    [
        f"mail.example.com:{SECRET}",
        f"http://me:{SECRET}@mail.example.com",
        f"smtp://me:{SECRET}@",
        f"smtp://me:{SECRET}@mail.example.com:port",
        f"smtp://me:{SECRET}@mail.example.com:0",
        f"smtp://me:{SECRET}@mail.example.com:99999",
        f"smtp://me:{SECRET}/x@mail.example.com",
        f"smtp://me:{SECRET}#x@mail.example.com",
        f"smtp://me:{SECRET}@mail.example.com/folder",
        f"smtp://me:{SECRET}@mail.example.com?tls=maybe",
        f"smtp://me:{SECRET}@mail.example.com?starttls=maybe",
        f"smtps://me:{SECRET}@mail.example.com?starttls=yes",
        f"smtp://me:{SECRET}@mail.example.com\nX: y",
        f"smtp://me:{SECRET}@[::1",
        f"smtp://:{SECRET}@mail.example.com",
        "smtp://me@mail.example.com",
        f"anymail://{SECRET}",
        f"anymail://me:{SECRET}@postmark",
        f"anymail://postmark?{SECRET}",
        f"anymail://postmark?=&{SECRET}=1",
        "smtp://",
        "://",
    ],
)
def test_a_malformed_url_is_refused_without_being_quoted(url: str) -> None:
    env = Env({"EMAIL_URL": url} | FROM)
    assert mail_server(env) is None
    (problem,) = env.problems
    assert problem.startswith("EMAIL_URL: ")
    assert "hunter2" not in problem


def test_what_is_kept_of_it_tells_no_secret() -> None:
    for url in (
        f"smtp://me:{SECRET}@mail.example.com",
        f"anymail://postmark?server_token={SECRET}",
    ):
        assert "hunter2" not in repr(parse(url))
        assert "hunter2" not in str(parse(url))


def test_no_url_is_no_server() -> None:
    env = Env({})
    assert mail_server(env) is None
    assert mail_from(env) == "Reelmint <no-reply@localhost>"
    assert env.problems == []


def test_a_server_needs_to_know_whom_mails_are_from() -> None:
    env = Env({"EMAIL_URL": "smtps://mail.example.com"})
    mail_server(env)
    assert env.problems == ["MAIL_FROM: must be set with EMAIL_URL, to an address of yours"]


@pytest.mark.parametrize(
    "given", ["Reelmint", "a@b", "a@example.com\nBcc: b@example.com", "<>", "a@b@example.com"]
)
def test_a_sender_that_is_none_is_refused(given: str) -> None:
    env = Env({"MAIL_FROM": given})
    mail_from(env)
    assert [problem.partition(":")[0] for problem in env.problems] == ["MAIL_FROM"]


@pytest.mark.parametrize("given", ["a@example.com", "Reelmint <a@example.com>", "Ü <a@bü.example>"])
def test_a_sender(given: str) -> None:
    env = Env({"MAIL_FROM": given})
    assert mail_from(env) == given
    assert env.problems == []


EMULATOR, GOOGLE = "http://127.0.0.1:9000", "https://europe-west1-aiplatform.googleapis.com"


@pytest.mark.parametrize(
    ("server", "allowed", "provider", "can_send", "is_emulated"),
    [
        (None, True, EMULATOR, True, True),
        (None, False, EMULATOR, False, False),
        (None, True, "", False, False),
        (None, True, GOOGLE, False, False),
        (parse("smtps://mail.example.com"), True, EMULATOR, True, False),
        (parse("smtps://mail.example.com"), False, "", True, False),
    ],
)
def test_the_modes(
    settings, server: Server | None, allowed: bool, provider: str, can_send: bool, is_emulated: bool
) -> None:
    settings.MAIL_SERVER = server
    settings.ALLOW_EMULATOR, settings.VERTEX_BASE_URL = allowed, provider
    assert (mode.can_send(), mode.is_emulated()) == (can_send, is_emulated)
