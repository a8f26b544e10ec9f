"""The indexes of the table of generations, and what reads each of them.

Nearly all rows are over, and every create pays for each index. So most of them have only a few of
the rows: a query has to name the index's condition, or it reads the whole table.
"""

from __future__ import annotations

from django.contrib.postgres.indexes import BTreeIndex
from django.db import models
from django.db.models import Q

INDEXES = [
    # read by work/due.py: tiny, since only open rows are in it
    models.Index(
        fields=["state", "next_attempt_at"],
        condition=Q(next_attempt_at__isnull=False),
        name="generation_due",
    ),
    # read by generation/provider/gate.py: who waits for a model, and what is under way
    # Old versions of a row must not share an entry with the one that lives: nobody could
    # mark them as dead then, and each claim would look at all of them until a vacuum.
    BTreeIndex(
        fields=["model", "state", "account", "created_at"],
        condition=Q(next_attempt_at__isnull=False),
        deduplicate_items=False,
        name="generation_open_of_model",
    ),
    models.Index(fields=["account", "-created_at", "-id"], name="generation_history"),
    # read by generation/stages/ended_tokens.py, and by the foreign key for each token that is
    # deleted
    models.Index(fields=["api_key"], name="generation_ordered_with"),
    models.Index(
        fields=["retry_of"],
        condition=Q(retry_of__isnull=False),
        name="generation_retried_by",
    ),
    # read by the operators' pages; what is open is not in it, so creates never write it
    models.Index(
        fields=["state", "-finished_at"],
        condition=Q(finished_at__isnull=False),
        name="generation_finished",
    ),
    # read by a history with filters (generation/api/lookup.py); likewise
    models.Index(
        fields=["account", "state", "kind", "-created_at", "-id"],
        condition=Q(finished_at__isnull=False),
        name="generation_ended_of_account",
    ),
    # read by generation/outputs/retention.py; only ends write them, creates do not
    models.Index(
        fields=["account", "finished_at"],
        condition=~Q(output_key=""),
        name="generation_with_output",
    ),
    models.Index(
        fields=["account", "finished_at"],
        condition=~Q(prompt="") & Q(finished_at__isnull=False),
        name="generation_with_prompt",
    ),
    # read by generation/inputs/image_queue.py: whose source images are awaited; creates without any
    # do not write it
    models.Index(
        fields=["account", "next_attempt_at"],
        condition=Q(images_until__isnull=False),
        name="generation_awaits_images",
    ),
    # likewise: which accounts have had many unusable ones lately
    models.Index(
        fields=["account", "finished_at"],
        condition=Q(error_code="invalid_source_image"),
        name="generation_bad_images",
    ),
]
