"""The audit log: only this module writes it, in the transaction of the change itself."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from django.db import connection
from django.db.models import Model
from django.db.transaction import TransactionManagementError

from accounts.models import User
from common.telemetry import request_id
from staff.models import AuditEntry

# Every action there is. No other can be recorded, so the page's filter misses none.
ACTIONS = (
    *("grant_credits", "adjust_credits", "suspend_account", "resume_account", "limit_account"),
    *("revoke_apikey", "change_catalogmodel", "retry_generation", "fail_generation"),
    *("cancel_generation", "export_ledger", "add_user", "change_user", "assign_role"),
    *("change_own_password", "refuse_own_password", "create_account", "take_over_user"),
    *("add_creditpack", "change_creditpack", "ask_stripe", "refund_payment", "credit_payment"),
    *("release_payment_hold", "after_restore", "verify_email", "unverify_email"),
    *("log_in", "refuse_log_in", "log_out", "enroll_second_factor", "refuse_second_factor"),
    *("make_recovery_codes", "reset_second_factor", "reseal_secrets"),
    *("switch_off_endpoint", "switch_on_endpoint", "recover_endpoint", "send_webhook_again"),
)

MAX_REASON = 500
# Fields whose values an entry never shows; it says that they changed.
SECRET_FIELDS = frozenset({"password", "digest", "key", "secret", "token"})
HIDDEN = "(not shown)"


def record(
    actor: User,
    action: str,
    target: Model,
    *,
    reason: str = "",
    account_id: uuid.UUID | None = None,
    changes: dict[str, Any] | None = None,
) -> None:
    """Write down that ``actor`` did ``action`` to ``target``.

    ``changes`` maps a field to ``[before, after]`` or to a fact, in JSON's types. Before is what
    the verb saw under its lock. Raises TransactionManagementError outside a transaction, since the
    change and its entry are one. Raises ValueError for an action that is not in ``ACTIONS``.
    """
    record_bare(
        actor,
        action,
        target_type=target._meta.label_lower,
        target_id=str(target.pk),
        reason=reason,
        account_id=account_id,
        changes=changes,
    )


def record_bare(
    actor: User | None,
    action: str,
    *,
    target_type: str = "",
    target_id: str = "",
    reason: str = "",
    account_id: uuid.UUID | None = None,
    changes: Mapping[str, Any] | None = None,
) -> None:
    """``record()`` without a known actor or without a row as target, such as a failed log-in."""
    if action not in ACTIONS:
        raise ValueError(f"{action} is not in the list of actions, staff/audit.py")
    if not connection.in_atomic_block:
        raise TransactionManagementError("An audit entry belongs into the change's transaction")
    AuditEntry.objects.create(
        actor=actor,
        action=action,
        target_type=target_type,
        target_id=target_id,
        account_id=account_id,
        reason=reason[:MAX_REASON],
        changes=_without_secrets(changes or {}),
        request_id=request_id.current.get(),
    )


def _without_secrets(changes: Mapping[str, Any]) -> dict[str, Any]:
    return {name: HIDDEN if name in SECRET_FIELDS else value for name, value in changes.items()}
