"""Processes end an account's generations at once while readers follow ``after=``.

``ENDS`` says how many: the nightly run asks for 2,000, by eight processes. To start so many takes
the time that the tests of every day do not have.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx

from credits import ledger
from events.models import Event, Feed, Type, WebhookDelivery, WebhookEndpoint
from generation import creation
from generation.models import Generation
from tests.support.bring_to import order
from tests.support.event_reader import Reader, wealthy
from tests.support.people import Person

Api = Callable[..., httpx.Client]
ENDS = int(os.environ.get("ENDS", "160"))
PROCESSES = 8 if "ENDS" in os.environ else 3
ROOT = Path(__file__).resolve().parent.parent.parent
URL = "https://hooks.example.com/of-an-order"
# What each process does: it says that it is ready, waits for a line, and ends what it can claim.
# A third is canceled, a third fails, and a third fails after a transaction that came to nothing.
END = """
import django
django.setup()
import sys
from django.conf import settings
from django.db import OperationalError, transaction
from generation import lifecycle
from generation.models import Generation
from generation.models.states import OPEN
from work import due

def end(row):
    way = row.pk.int % 3
    if way == 0:
        return lifecycle.cancel(row.pk)
    if way == 1:
        with transaction.atomic():
            assert lifecycle.fail(row, "timeout", "Too late", retryable=True)
            transaction.set_rollback(True)
    return lifecycle.fail(row, "timeout", "Too late", retryable=True)

def ended(row):
    while True:
        try:
            return end(row)
        except OperationalError:  # waited too long for the wallet
            pass

count = 0
due.claim(Generation, OPEN, 0, settings.LEASE)
print("ready", flush=True)
sys.stdin.readline()
while rows := due.claim(Generation, OPEN, 3, settings.LEASE):
    count += sum(map(ended, rows))
print(count)
"""


@contextmanager
def processes() -> Iterator[list[subprocess.Popen[str]]]:
    """So many that are ready; they are ended with the block, whatever happens."""
    argv = [sys.executable, "-c", END]
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "config.settings"}
    with ExitStack() as stack:
        started = []
        for _ in range(PROCESSES):
            each = subprocess.Popen(
                argv,
                cwd=ROOT,
                env=environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            stack.enter_context(each)
            stack.callback(each.kill)
            started.append(each)
        for each in started:
            assert each.stdout is not None
            assert each.stdout.readline() == "ready\n"
        yield started


def ordered(person: Person) -> None:
    """All of them; every other one names a URL."""
    ledger.grant(person.account.pk, 24 * ENDS, description="for the test")
    for number in range(ENDS):
        url = URL if number % 2 else None
        creation.create(order(person, model="image", webhook_url=url))


def test_each_end_is_told_once_and_in_order(api: Api) -> None:
    alice = wealthy("alice")
    ordered(alice)
    hooks = {"url": URL, "event_types": ["*"], "secret": "sealed", "secret_hint": "abcd"}
    WebhookEndpoint.objects.create(account=alice.account, **hooks)
    over = threading.Event()
    readers = [Reader(api(alice.key), ENDS, limit, None) for limit in (1, 7, 100)]
    by_type = [Reader(api(alice.key), ENDS, 20, what.value) for what in Type]
    every = [*readers, *by_type]
    with processes() as started, ThreadPoolExecutor(len(every)) as pool:
        reading = [pool.submit(each.read, over) for each in every]
        try:
            answers = list(ended_by(started))
        finally:
            over.set()
        for follower in reading:
            follower.result(120)
    assert sum(answers) == ENDS
    assert all(answers)
    rows = list(Event.objects.order_by("sequence"))
    assert [row.sequence for row in rows] == list(range(1, ENDS + 1))
    assert Feed.objects.get().last_sequence == ENDS
    assert [row.created_at for row in rows] == sorted(row.created_at for row in rows)
    told = [str(row.generation_id) for row in rows]
    assert set(told) == {str(pk) for pk in Generation.objects.values_list("pk", flat=True)}
    assert [reader.seen for reader in readers] == [told] * len(readers)
    for what, reader in zip(Type, by_type, strict=True):
        assert reader.seen == [str(row.generation_id) for row in rows if row.type == what]
    sent = Counter(WebhookDelivery.objects.values_list("url", flat=True))
    assert sent == {None: ENDS, URL: ENDS // 2}


def ended_by(started: list[subprocess.Popen[str]]) -> Iterator[int]:
    """Let them all begin; how many each of them has ended."""
    for each in started:
        assert each.stdin is not None
        each.stdin.write("go\n")
        each.stdin.flush()
    for each in started:
        assert each.stdout is not None
        yield int(each.stdout.read())
