"""Mails on real processes: what is asked for is answered at once, and the worker sends it."""

from __future__ import annotations

import httpx
import psutil
import psycopg
import pytest

from dev.embedded.processes import wait_until
from dev.embedded.stack import Stack

ADDRESS = "newcomer@example.com"
QUEUE = (
    f"from mail.outbox import Kind, queue; queue(Kind.VERIFY, '{ADDRESS}', {{'code': '493817'}})"
)


def state(stack: Stack) -> str | None:
    with psycopg.connect(stack.owner_url) as connection:
        found = connection.execute('SELECT state FROM mail_mail WHERE "to" = %s', [ADDRESS])
        row = found.fetchone()
        return None if row is None else str(row[0])


@pytest.fixture
def worker(stack: Stack) -> psutil.Process:
    return psutil.Process(stack.processes.children["mail"].pid)


def test_a_mail_waits_for_its_worker_and_nobody_waits_for_it(
    stack: Stack, worker: psutil.Process
) -> None:
    stopped = [worker, *worker.children(recursive=True)]
    for process in stopped:
        process.suspend()
    try:
        stack.manage("shell", "-c", QUEUE)
        assert state(stack) == "queued"
        page = httpx.get(f"{stack.base_url}/mailbox/")
        assert (page.status_code, "493817" in page.text) == (200, True)
    finally:
        for process in stopped:
            process.resume()
    assert wait_until(lambda: state(stack) == "sent", 15)
    assert "493817" in httpx.get(f"{stack.base_url}/mailbox/").text
