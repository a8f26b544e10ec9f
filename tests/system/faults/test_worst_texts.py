"""Whoever sends the worst texts, over and over, keeps nobody from an answer."""

from __future__ import annotations

import itertools
import queue
import threading
import time
import uuid
from collections import Counter
from typing import Any

import httpx
import pytest

from dev.embedded.stack import Stack
from tests.contract.test_long_texts import fields, named
from tests.support.document import operations
from tests.support.worst_texts import marks, texts
from tests.system.faults.conftest import MakeCustomer

CONNECTIONS = 4
# Seconds, of /livez. On a machine that does nothing else it is one at most; where the square of
# a length is computed it is minutes.
ANSWERED_IN = 3.0
FORMS = ("/sign-up/", "/log-in/", "/reset/", "/verify/", "/admin/login/")
TOKEN = "t" * 32  # of CSRF: a cookie and a field that agree

Work = tuple[str, str, dict[str, Any]]  # method, path, and how httpx is to send it


def bodies() -> list[Work]:
    """Each field of each documented body; all kinds of texts for each: tests/contract."""
    work: list[Work] = []
    longest, kinds = texts()[0], itertools.cycle(texts())
    for path, method, operation in operations():
        names = fields(operation)
        for name in [*names, "unknown"] if names else []:
            good = {"username": "dora", "email": "dora@example.com", "password": "a-sentence-7"}
            good |= {"prompt": "p", "name": "n"}
            address = named(path, str(uuid.uuid4()))
            pair = (longest, next(kinds))
            work += [(method.upper(), address, {"json": good | {name: text}}) for text in pair]
    return work


def forms() -> list[Work]:
    """What browsers send to those who are not logged in; a letter takes six bytes there."""
    names = ("email", "password", "identity", "username", "code", "next")
    longest = 20_000
    kinds = itertools.cycle(texts((longest, 4096, 254)))
    return [
        ("POST", path, {"data": {name: text, "csrfmiddlewaretoken": TOKEN}})
        for path in FORMS
        for name in names
        for text in (marks(longest), next(kinds))
    ]


@pytest.mark.parametrize("work", [bodies, forms])
def test_the_worst_texts_leave_others_their_answers(
    work: Any, stack: Stack, make_customer: MakeCustomer
) -> None:
    secret = make_customer().http.headers["Authorization"]
    waiting: queue.SimpleQueue[Work] = queue.SimpleQueue()
    for each in work():
        waiting.put(each)
    count = waiting.qsize()
    statuses: Counter[int] = Counter()

    def send() -> None:
        heads = {"Authorization": secret} if work is bodies else {"Cookie": f"csrftoken={TOKEN}"}
        with httpx.Client(base_url=stack.base_url, headers=heads, timeout=60) as client:
            while True:
                try:
                    method, path, body = waiting.get_nowait()
                except queue.Empty:
                    return
                statuses[client.request(method, path, **body).status_code] += 1

    senders = [threading.Thread(target=send) for _ in range(CONNECTIONS)]
    took: list[float] = []
    for sender in senders:
        sender.start()
    while any(sender.is_alive() for sender in senders):
        began = time.monotonic()
        assert httpx.get(f"{stack.base_url}/livez", timeout=20).status_code == 200
        took.append(time.monotonic() - began)
        time.sleep(0.02)
    for sender in senders:
        sender.join()
    print(f"{count} requests, {dict(statuses)}; {len(took)} looks, the slowest {max(took):.3f} s")
    assert statuses.total() == count
    assert max(statuses) < 500
    assert max(took) < ANSWERED_IN
