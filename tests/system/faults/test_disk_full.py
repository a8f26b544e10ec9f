"""The disk is full while outputs are stored: the kernel itself refuses to write (EFBIG).

A limit of the process (RLIMIT_FSIZE) takes the way of a full disk through the product, the file
half written, and needs neither root nor a disk of its own.
"""

from __future__ import annotations

import resource
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.db.models.functions import Now

from dev.embedded.processes import wait_until
from dev.embedded.stack import Stack
from generation.models import Generation
from tests.e2e.conftest import Provider
from tests.e2e.customer import VIDEO, Customer
from tests.system.faults.conftest import CREDITS, PRICE, finished
from tests.system.faults.process_controls import Hands

ROOM = 4000  # bytes of a file until it is full; the emulator's smallest video has more


@pytest.fixture
def full_disk(hands: Hands) -> Iterator[None]:
    _limit(hands, ROOM)
    yield
    _limit(hands, resource.RLIM_INFINITY)


def _limit(hands: Hands, room: int) -> None:
    assert wait_until(lambda: len(hands.family("store")) > 1, 30)
    for process in hands.family("store")[1:]:
        process.rlimit(resource.RLIMIT_FSIZE, (room, resource.RLIM_INFINITY))


def files(stack: Stack) -> set[Path]:
    """Outputs, halves of them and work files."""
    roots = (Path(stack.env["OUTPUT_ROOT"]), Path(stack.env["WORK_DIR"]))
    return {path for root in roots for path in root.rglob("*") if path.is_file()}


def complains(name: str) -> bool:
    return "OSError" in Generation.objects.get(pk=name).last_error


@pytest.mark.usefixtures("full_disk")
def test_a_full_disk_is_waited_for_or_ends_with_a_refund(
    stack: Stack, customer: Customer, provider: Provider, hands: Hands
) -> None:
    before = files(stack)
    patient = customer.create(VIDEO, "there will be room for it")
    late = customer.create(VIDEO, "its deadline comes first")
    assert wait_until(lambda: complains(patient) and complains(late), 30)
    for name in (patient, late):
        body = customer.status(name)
        assert (body["status"], body["video_url"]) == ("processing", None)

    waiting = customer.create(VIDEO, "nothing is bought that cannot be stored")
    time.sleep(2 * 60 * 0.03)  # twice as long as one failure holds the gate, at the stack's scale
    assert provider.bought(waiting) == 0

    Generation.objects.filter(pk=late).update(deadline_at=Now() - timedelta(seconds=1))
    assert finished(customer, [late]) == ["failed"]
    assert customer.status(late)["error"]["code"] == "timeout"
    assert customer.balance() == CREDITS - 2 * PRICE
    # tried again meanwhile, without a trace of the tries
    tries = [entry.name for entry in files(stack) - before]
    assert not [name for name in tries if not name.startswith(patient)]

    _limit(hands, resource.RLIM_INFINITY)
    assert finished(customer, [patient, waiting]) == ["completed", "completed"]
    link = customer.status(patient)["video_url"]
    assert len(customer.http.get(link).content) == Generation.objects.get(pk=patient).output_size
    names = {path.name for path in files(stack) - before}
    assert names == {f"{patient}.mp4", f"{waiting}.mp4"}
    assert [provider.bought(name) for name in (patient, late, waiting)] == [1, 1, 1]
    assert customer.balance() == CREDITS - 2 * PRICE
