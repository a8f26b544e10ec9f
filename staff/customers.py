"""What staff do to a customer's account: each verb with its audit entry, in one transaction."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts import keys
from accounts.models import Account, ApiKey, User
from credits import ledger
from credits.ledger import Posted
from credits.models import Wallet
from staff import audit

MAX_SUSPENDED_REASON = 200
ONCE = "ledger_reference_credits_once"


class AlreadyDone(Exception):
    """The same form was sent before; nothing happened this time."""


@dataclass(frozen=True, slots=True)
class Limits:
    """None = the default of the settings."""

    creates_per_minute: int | None
    reads_per_minute: int | None
    max_open_charges: int | None


@dataclass(frozen=True, slots=True)
class Credits:
    """What a form about credits said; ``form`` is its own name, however often it is sent."""

    amount: int
    description: str
    reason: str
    form: uuid.UUID


def suspend(actor: User, account_id: uuid.UUID, reason: str) -> None:
    """Answer every request of the account 403 from now on. What it has ordered is finished."""
    with transaction.atomic():
        account = _locked(account_id)
        before = account.suspended_at
        if before is not None:
            raise AlreadyDone
        account.suspended_at = timezone.now()
        account.suspended_reason = reason[:MAX_SUSPENDED_REASON]
        account.save(update_fields=["suspended_at", "suspended_reason"])
        changes = {"suspended_at": [before, account.suspended_at]}
        _note(actor, "suspend_account", account, reason, changes)


def resume(actor: User, account_id: uuid.UUID, reason: str) -> None:
    """Undo a suspension. Raises AlreadyDone for who is not suspended."""
    with transaction.atomic():
        account = _locked(account_id)
        before = account.suspended_at
        if before is None:
            raise AlreadyDone
        account.suspended_at, account.suspended_reason = None, ""
        account.save(update_fields=["suspended_at", "suspended_reason"])
        _note(actor, "resume_account", account, reason, {"suspended_at": [before, None]})


def limit(actor: User, account_id: uuid.UUID, limits: Limits, reason: str) -> None:
    """Set what the account may do a minute, and how much it may have open at once."""
    with transaction.atomic():
        # in the order of a charge (credits/ledger.py), or it and we wait for each other
        wallet = Wallet.objects.select_for_update().get(pk=account_id)
        account = _locked(account_id)
        changes = {
            "creates_per_minute": [account.creates_per_minute, limits.creates_per_minute],
            "reads_per_minute": [account.reads_per_minute, limits.reads_per_minute],
            "max_open_charges": [wallet.max_open_charges, limits.max_open_charges],
        }
        account.creates_per_minute = limits.creates_per_minute
        account.reads_per_minute = limits.reads_per_minute
        account.save(update_fields=["creates_per_minute", "reads_per_minute"])
        ledger.limit_open_charges(account_id, limits.max_open_charges)
        changed = {name: pair for name, pair in changes.items() if pair[0] != pair[1]}
        _note(actor, "limit_account", account, reason, changed)


def grant(actor: User, account_id: uuid.UUID, sent: Credits) -> Posted:
    """Give credits. Raises AlreadyDone when this very form was sent before."""
    with transaction.atomic():
        posted = _once(ledger.grant, actor, account_id, sent)
        _note_money(actor, "grant_credits", account_id, sent, posted)
    return posted


def grant_by(
    command: str, account_id: uuid.UUID, amount: int, reason: str, reference: str | None = None
) -> Posted:
    """Give credits by a command; the customer reads the reason in the ledger.

    The same ``reference`` is granted once (IntegrityError).
    """
    with transaction.atomic():
        posted = ledger.grant(account_id, amount, description=reason, reference=reference)
        audit.note(
            None,
            "grant_credits",
            target_type=Account._meta.label_lower,
            target_id=str(account_id),
            account_id=account_id,
            reason=reason,
            changes={**_money(amount, reason, posted), "by": command},
        )
    return posted


def adjust(actor: User, account_id: uuid.UUID, sent: Credits) -> Posted:
    """Correct the balance, up or down. Raises AlreadyDone, and LedgerRefusal below 0."""
    with transaction.atomic():
        posted = _once(ledger.adjust, actor, account_id, sent)
        _note_money(actor, "adjust_credits", account_id, sent, posted)
    return posted


def revoke_key(actor: User, key: ApiKey, reason: str) -> None:
    """End a key or a login token at once. Raises AlreadyDone for one that has ended."""
    with transaction.atomic():
        if not keys.revoke(ApiKey.objects.filter(pk=key.pk)):
            raise AlreadyDone
        changes = {"preview": key.preview, "kind": key.kind}
        audit.record(
            actor,
            "revoke_apikey",
            key,
            reason=reason,
            account_id=key.account_id,
            changes=changes,
        )


def _locked(account_id: uuid.UUID) -> Account:
    return Account.objects.select_for_update(no_key=True).get(pk=account_id)


def _note(
    actor: User, action: str, account: Account, reason: str, changes: Mapping[str, object]
) -> None:
    audit.record(
        actor, action, account, reason=reason, account_id=account.pk, changes=dict(changes)
    )


def _once(post: Callable[..., Posted], actor: User, account_id: uuid.UUID, sent: Credits) -> Posted:
    """Post what was sent; the ledger takes a form's reference once."""
    try:
        with transaction.atomic():
            return post(
                account_id,
                sent.amount,
                description=sent.description,
                created_by=actor.pk,
                reference=f"staff-{sent.form}",
            )
    except IntegrityError as error:
        if ONCE in str(error):
            raise AlreadyDone from error
        raise


def _note_money(
    actor: User, action: str, account_id: uuid.UUID, sent: Credits, posted: Posted
) -> None:
    changes = _money(sent.amount, sent.description, posted)
    _note(actor, action, Account.objects.get(pk=account_id), sent.reason, changes)


def _money(amount: int, description: str, posted: Posted) -> dict[str, object]:
    return {
        "amount": amount,
        "balance": [posted.balance - amount, posted.balance],
        "description": description,
        "ledger_entry": posted.entry_id,
    }
