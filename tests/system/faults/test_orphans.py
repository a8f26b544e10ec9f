"""Beat, the store worker and the provider's stand-in, and an output that comes after the refund."""

from __future__ import annotations

import json
import os
import time
import uuid
from pathlib import Path

from dev.embedded.processes import wait_until
from dev.embedded.stack import Stack
from generation.models import Generation, Orphan
from generation.models.states import State
from tests.e2e.customer import VIDEO, Customer
from tests.support.orphan_looks import make_looks_due
from tests.support.works import age, make_due

PATIENCE = 30.0  # seconds; a free machine needs four


def test_late_for_the_customer_but_listed(stack: Stack, customer: Customer) -> None:
    work = Path(stack.env["WORK_DIR"]) / f"{uuid.uuid4()}.{uuid.uuid4()}"
    work.parent.mkdir(parents=True, exist_ok=True)
    work.write_bytes(b"half")
    os.utime(work, (0, 0))
    before = customer.balance()
    generation_id = customer.create(VIDEO, "late [emulator:slow=3]")
    mine = Generation.objects.filter(pk=generation_id)
    assert wait_until(lambda: mine.get().state == State.RUNNING, PATIENCE)
    age(generation_id, deadline_at="-1 second")
    make_due(generation_id)
    assert customer.finished(generation_id)["error"]["code"] == "timeout"
    assert customer.balance() == before
    found = Orphan.objects.filter(attempt__generation=mine.get())
    assert not found.exists()
    time.sleep(3)  # then the provider has made it
    make_looks_due()
    assert wait_until(found.exists, PATIENCE, 0.2)
    report = json.loads(stack.manage("list_orphans", "--json", "--skip-checks"))["orphans"]
    (row,) = [row for row in report if row["generation"] == generation_id]
    assert row["why"] == "refunded before it was found (timeout)"
    assert customer.status(generation_id)["status"] == "failed"
    assert customer.balance() == before
    assert wait_until(lambda: not work.exists(), PATIENCE)
