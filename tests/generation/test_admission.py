"""How a create finds out whether too much waits already."""

from __future__ import annotations

from django.db import connection, transaction

from generation import admission
from generation.models import CatalogModel


@transaction.atomic
def test_the_question_is_answered_by_the_index_of_what_is_open() -> None:
    """Without it, each create would read every generation there ever was."""
    model = CatalogModel.objects.get(pk="veo3_fast")
    with connection.cursor() as cursor:
        # of an empty table any plan is cheap: what counts is that the index can answer at all
        cursor.execute("SET LOCAL enable_seqscan = off")
    plan = admission.waiting(model).order_by()[999:1000].explain()
    assert "generation_open_of_model" in plan or "generation_due" in plan
