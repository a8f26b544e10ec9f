"""Mails on real processes: who signs up is answered at once, and the worker sends the code."""

from __future__ import annotations

import re
import time

import httpx
import psutil
import psycopg
import pytest

from dev.embedded.processes import wait_until
from dev.embedded.stack import Stack

ADDRESS = "waits-for-a-mail@example.com"
AT_ONCE = 4.0  # seconds; a password's hash and a busy machine


def state(stack: Stack) -> str | None:
    with psycopg.connect(stack.owner_url) as connection:
        found = connection.execute('SELECT state FROM mail_mail WHERE "to" = %s', [ADDRESS])
        row = found.fetchone()
        return None if row is None else str(row[0])


@pytest.fixture
def worker(stack: Stack) -> psutil.Process:
    return psutil.Process(stack.processes.children["mail"].pid)


def sign_up(stack: Stack) -> httpx.Response:
    with httpx.Client(base_url=stack.base_url) as browser:
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', browser.get("/").text)
        assert token is not None
        form = {"csrfmiddlewaretoken": token[1], "email": ADDRESS, "password": "k8-Trombone-Lamp"}
        return browser.post("/sign-up/", data=form)


def test_a_mail_waits_for_its_worker_and_nobody_waits_for_it(
    stack: Stack, worker: psutil.Process
) -> None:
    stopped = [worker, *worker.children(recursive=True)]
    for process in stopped:
        process.suspend()
    try:
        began = time.monotonic()
        answer = sign_up(stack)
        assert (answer.status_code, answer.headers.get("Location")) == (303, "/verify/"), (
            answer.text
        )
        assert time.monotonic() - began < AT_ONCE
        assert state(stack) == "queued"
        assert shown(stack)
    finally:
        for process in stopped:
            process.resume()
    assert wait_until(lambda: state(stack) == "sent", 15)
    assert shown(stack)


def shown(stack: Stack) -> bool:
    """Whether the mailbox has a code for the newcomer."""
    page = httpx.get(f"{stack.base_url}/mailbox/").text
    return ADDRESS in page and re.search(r"\b\d{6}\b", re.sub(r"<[^>]*>", " ", page)) is not None
