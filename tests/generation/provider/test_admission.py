"""How a create finds out whether too much waits already."""

from __future__ import annotations

import threading
import time
from contextlib import closing

import pytest
from django.db import connection, transaction
from django.db.models import QuerySet

from generation.models import CatalogModel, Generation
from generation.provider import admission


@transaction.atomic
def test_the_question_is_answered_by_the_index_of_what_is_open() -> None:
    """Without it, each create would read every generation there ever was."""
    model = CatalogModel.objects.get(pk="veo3_fast")
    with connection.cursor() as cursor:
        # of an empty table any plan is cheap: what counts is that the index can answer at all
        cursor.execute("SET LOCAL enable_seqscan = off")
    plan = admission.waiting(model).order_by()[999:1000].explain()
    assert "generation_open_of_model" in plan or "generation_due" in plan


def test_one_thread_asks_while_the_others_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    model = CatalogModel.objects.get(pk="veo3_fast")
    asked, answer_it = [], threading.Event()

    def slowly(model: CatalogModel) -> QuerySet[Generation]:
        asked.append(time.monotonic())
        assert answer_it.wait(10)
        return waiting(model)

    waiting = admission.waiting
    monkeypatch.setattr(admission, "waiting", slowly)

    def ask() -> None:
        with closing(connection):
            admission.is_overloaded(model)

    first = threading.Thread(target=ask)
    first.start()
    while not asked:
        time.sleep(0.001)
    assert not admission.is_overloaded(model)  # by what was known before
    time.sleep(0.05)
    answer_it.set()
    first.join()
    assert len(asked) == 1
    # the longer it took, the longer it holds
    came_at, at_least, _ = admission._overloaded._known[model,]
    holds_until = came_at + at_least
    assert holds_until - asked[0] > 0.05 / admission.SHARE
