"""Rules of a generation's row, held by the database. A constraint's name is its rule.

Django cannot say that charge, refund, grant and adjustment are the row's own, and that a terminal
row stays as it is. Composite foreign keys and triggers in the migrations hold that.
"""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from generation.models.states import ERROR_CODES, State
from generation.models.states import OPEN as OPEN_STATES
from generation.models.states import TERMINAL as TERMINAL_STATES
from generation.models.states import UNDELIVERED as UNDELIVERED_STATES

# plain strings, so that migrations do not import the enumeration
OPEN = [state.value for state in OPEN_STATES]
TERMINAL = [state.value for state in TERMINAL_STATES]
UNDELIVERED = [state.value for state in UNDELIVERED_STATES]

CONSTRAINTS: list[models.BaseConstraint] = [
    models.UniqueConstraint(
        fields=["account", "idempotency_key"], name="generation_idempotency_key_unique"
    ),
    # of those that have one: what is open has no refund, and mostly no operation yet
    models.UniqueConstraint(
        fields=["operation_name"],
        condition=Q(operation_name__isnull=False),
        name="generation_operation_unique",
    ),
    models.UniqueConstraint(
        fields=["refund"],
        condition=Q(refund__isnull=False),
        name="generation_refund_unique",
    ),
    models.CheckConstraint(
        condition=Q(state__in=OPEN + TERMINAL), name="generation_state_is_known"
    ),
    models.CheckConstraint(
        condition=~Q(prompt="") | Q(webhook_url__isnull=True),
        name="generation_webhook_url_goes_with_the_prompt",
    ),
    models.CheckConstraint(
        condition=Q(state__in=OPEN, next_attempt_at__isnull=False)
        | Q(state__in=TERMINAL, next_attempt_at__isnull=True),
        name="generation_open_iff_scheduled",
    ),
    models.CheckConstraint(
        condition=Q(state__in=UNDELIVERED, refund__isnull=False)
        | (~Q(state__in=UNDELIVERED) & Q(refund__isnull=True)),
        name="generation_refunded_iff_not_delivered",
    ),
    # what the house paid goes back to the house with the refund, and not before
    models.CheckConstraint(
        condition=Q(grant__isnull=True, adjustment__isnull=True)
        | Q(grant__isnull=False, refund__isnull=True, adjustment__isnull=True)
        | Q(grant__isnull=False, refund__isnull=False, adjustment__isnull=False),
        name="generation_grant_goes_back_iff_refunded",
    ),
    models.CheckConstraint(
        condition=(
            Q(state=State.COMPLETED.value)
            & (~Q(output_key="") | Q(output_deleted_at__isnull=False))
        )
        | (~Q(state=State.COMPLETED.value) & Q(output_key="", output_deleted_at__isnull=True)),
        name="generation_completed_iff_stored",
    ),
    models.CheckConstraint(
        condition=Q(state=State.FAILED.value, error_code__in=list(ERROR_CODES))
        | (~Q(state=State.FAILED.value) & Q(error_code="")),
        name="generation_failed_iff_error",
    ),
    models.CheckConstraint(
        condition=Q(state__in=OPEN, finished_at__isnull=True)
        | Q(state__in=TERMINAL, finished_at__isnull=False, lease_token__isnull=True),
        name="generation_finished_iff_terminal",
    ),
    models.CheckConstraint(
        condition=~Q(state=State.RUNNING.value) | Q(operation_name__isnull=False),
        name="generation_running_has_an_operation",
    ),
    models.CheckConstraint(
        condition=~Q(state=State.STORING.value) | ~Q(output_uri=""),
        name="generation_storing_has_an_output",
    ),
    models.CheckConstraint(
        condition=~Q(state=State.SUBMIT_UNKNOWN.value) | Q(unknown_until__isnull=False),
        name="generation_unknown_has_a_window",
    ),
    models.CheckConstraint(
        condition=Q(idempotency_key__isnull=True, request_sha256__isnull=True)
        | Q(idempotency_key__isnull=False, request_sha256__isnull=False),
        name="generation_key_has_its_request",
    ),
]
