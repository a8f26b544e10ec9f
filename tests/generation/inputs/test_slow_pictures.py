"""One customer's slowest pictures and hosts, and everybody else's orders."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable, Iterator

import pytest
from django.db import connections

from generation import lifecycle
from generation.inputs import image_queue
from generation.models import Generation
from generation.models.states import State
from generation.stages.prepare import PrepareStage
from tests.generation.inputs.test_image_child import progressive, with_its_last_scan_again
from tests.generation.stages.test_prepare import PICTURE, drip, serve
from tests.generation.stages.test_submit import now
from tests.support.bring_to import created
from tests.support.images import encoded, halves
from tests.support.loopback import Handler, answering, ok
from tests.support.people import Person, make_person
from tests.support.works import Emulator, Works
from work.engine import Engine

__all__ = ["serve"]  # a fixture

ORDERS = 20
# Seconds. Alone on two cores it takes some tenths; with everything in one process on a machine that
# is busy with other things, more. Behind those pictures and hosts it would be minutes.
SOON = 8.0


class Preparing(threading.Thread):
    """The worker ``prepare``, as it is in production: one loop of its own, woken every second."""

    def __init__(self, works: Works) -> None:
        super().__init__()
        self.over = False
        self._works = works

    def run(self) -> None:
        engine = Engine()
        try:
            while not self.over:
                stage = PrepareStage(self._works.provider)
                engine.run(stage, 20, lambda: self.over)
                time.sleep(0.1)
        finally:
            engine.close()
            connections.close_all()


@pytest.fixture
def preparing(works: Works) -> Iterator[Preparing]:
    thread = Preparing(works)
    yield thread
    thread.over = True
    thread.join(30)


def until(state: Callable[[], bool], seconds: float) -> float:
    """How many seconds it took."""
    started = time.monotonic()
    while not state():
        assert time.monotonic() - started < seconds, "too late"
        time.sleep(0.02)
    return time.monotonic() - started


def slowest() -> bytes:
    """As many scans of as many pixels as are let through: more than the time that one gets."""
    return ok(with_its_last_scan_again(progressive(5000), 80))


@pytest.mark.parametrize("what", ["pictures", "hosts"])
def test_slow_pictures_of_one_account_delay_nobody_else(
    what: str,
    bob: Person,
    works: Works,
    emulator: Emulator,
    preparing: Preparing,
    serve: Callable[[Handler], str],
) -> None:
    mallory = make_person("mallory", 100_000)
    slow = serve(answering(slowest()) if what == "pictures" else drip)
    quick = serve(answering(PICTURE))
    for _ in range(ORDERS):
        created(mallory, source_image_urls=[slow] * 3)
    preparing.start()
    busy = Generation.objects.filter(account=mallory.account, lease_token__isnull=False)
    until(lambda: busy.count() == 2, 10)
    started = time.monotonic()
    text = created(bob)
    works.run("submit")
    assert now(text.pk).state == State.RUNNING
    assert time.monotonic() - started < SOON
    with_images = created(bob, source_image_urls=[quick])
    until(lambda: now(with_images.pk).images_until is None, 10)
    started = time.monotonic()
    works.run("submit")
    assert now(with_images.pk).state == State.RUNNING
    assert time.monotonic() - started < SOON
    assert busy.count() <= 2
    theirs = Generation.objects.filter(account=mallory.account)
    assert theirs.filter(state=State.QUEUED).exists()  # it was no race that was over
    assert not theirs.exclude(state__in=[State.QUEUED, State.FAILED]).exists()


def test_who_cancels_and_orders_again_gets_no_more_places(
    bob: Person, works: Works, preparing: Preparing, serve: Callable[[Handler], str]
) -> None:
    """A canceled order is nobody's row any more, but what it named is still being fetched."""
    under_way: list[int] = []
    most = 0

    async def slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal most
        under_way.append(1)
        most = max(most, len(under_way))
        try:
            await drip(reader, writer)
        finally:
            under_way.pop()

    mallory = make_person("mallory", 100_000)
    url, quick = serve(slow), serve(answering(PICTURE))
    begun = Generation.objects.filter(lease_token__isnull=False)
    preparing.start()
    for _ in range(PrepareStage.concurrency + 2):
        order = created(mallory, source_image_urls=[url])
        with contextlib.suppress(AssertionError):  # not begun, which is as well
            until(begun.filter(pk=order.pk).exists, 0.5)
        assert lifecycle.cancel(order.pk)
    honest = created(bob, source_image_urls=[quick])
    assert until(lambda: now(honest.pk).images_until is None, 10) < SOON
    assert 0 < most <= image_queue.SLOTS
    assert mallory.balance == 100_000


def test_an_honest_large_photo_is_far_from_the_limits(
    alice: Person, works: Works, serve: Callable[[Handler], str]
) -> None:
    photo = encoded(halves(5000, 5000), "JPEG", progressive=True, quality=90)
    order = created(alice, source_image_urls=[serve(answering(ok(photo)))] * 3)
    works.run("prepare")
    assert now(order.pk).images_until is None
