"""What staff do to a customer's account: each verb with its audit entry, in one transaction."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts import keys
from accounts.models import Account, ApiKey, Membership, User
from credits import ledger
from credits.ledger import LedgerRefusal, Posted
from credits.models import Wallet
from staff import audit
from staff.results import Result

MAX_SUSPENDED_REASON = 200
ONCE = "ledger_reference_credits_once"
TWICE = "This form was sent before; nothing was posted this time."

Values = Mapping[str, Any]  # of the form


def suspend(actor: User, account: Account, values: Values) -> Result:
    """Answer every request of the account 403 from now on. What it has ordered is finished."""
    with transaction.atomic():
        row = _locked(account)
        before = row.suspended_at
        if before is not None:
            return _so_before(account)
        row.suspended_at = timezone.now()
        row.suspended_reason = values["reason"][:MAX_SUSPENDED_REASON]
        row.save(update_fields=["suspended_at", "suspended_reason"])
        changes = {"suspended_at": [before, row.suspended_at]}
        _record(actor, "suspend_account", account, values, changes)
    return Result(f"Suspend: {account}.")


def resume(actor: User, account: Account, values: Values) -> Result:
    with transaction.atomic():
        row = _locked(account)
        before = row.suspended_at
        if before is None:
            return _so_before(account)
        row.suspended_at, row.suspended_reason = None, ""
        row.save(update_fields=["suspended_at", "suspended_reason"])
        _record(actor, "resume_account", account, values, {"suspended_at": [before, None]})
    return Result(f"Resume: {account}.")


def limit(actor: User, account: Account, values: Values) -> Result:
    """Set what the account may do a minute, and how much it may have open at once.

    An empty field (None) means the default of the settings.
    """
    with transaction.atomic():
        # wallet, then account, as a charge does (credits/ledger.py): the other order deadlocks
        wallet = Wallet.objects.select_for_update().get(pk=account.pk)
        row = _locked(account)
        before = {
            "creates_per_minute": row.creates_per_minute,
            "reads_per_minute": row.reads_per_minute,
            "max_open_charges": wallet.max_open_charges,
        }
        row.creates_per_minute = values["creates_per_minute"]
        row.reads_per_minute = values["reads_per_minute"]
        row.save(update_fields=["creates_per_minute", "reads_per_minute"])
        ledger.limit_open_charges(account.pk, values["max_open_charges"])
        pairs = {name: [was, values[name]] for name, was in before.items()}
        changes = {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}
        _record(actor, "limit_account", account, values, changes)
    return Result(f"The limits of {account} are set.")


def grant(actor: User, account: Account, values: Values) -> Result:
    """Give credits. The form's own name, ``values["form"]``, is granted once."""
    return _post(ledger.grant, "grant_credits", actor, account, values)


def adjust(actor: User, account: Account, values: Values) -> Result:
    """Correct the balance, up or down. Raises ValidationError if it would end below 0."""
    return _post(ledger.adjust, "adjust_credits", actor, account, values)


def grant_by(
    command: str, account_id: uuid.UUID, amount: int, reason: str, reference: str | None = None
) -> Posted:
    """Give credits by a command. The customer reads the reason in the ledger.

    Raises IntegrityError for a ``reference`` that was granted before.
    """
    with transaction.atomic():
        posted = ledger.grant(account_id, amount, description=reason, reference=reference)
        audit.record_bare(
            None,
            "grant_credits",
            target_type=Account._meta.label_lower,
            target_id=str(account_id),
            account_id=account_id,
            reason=reason,
            changes={**_money(amount, reason, posted), "by": command},
        )
    return posted


def verify_email(actor: User, account: Account, values: Values) -> Result:
    """Note that an owner's address is theirs, as somebody of the staff has found out.

    Raises ValidationError for an address that no owner has any more.
    """
    return _set_verified(actor, "verify_email", account, values, verified=True)


def unverify_email(actor: User, account: Account, values: Values) -> Result:
    """Note that nobody knows whose an owner's address is. What was paid stays paid."""
    return _set_verified(actor, "unverify_email", account, values, verified=False)


def revoke_key(actor: User, key: ApiKey, values: Values) -> Result:
    """End a key or a login token at once."""
    with transaction.atomic():
        if not keys.revoke(ApiKey.objects.filter(pk=key.pk)):
            return Result(f"{key.preview} was revoked before.", changed=False)
        audit.record(
            actor,
            "revoke_apikey",
            key,
            reason=values["reason"],
            account_id=key.account_id,
            changes={"preview": key.preview, "kind": key.kind},
        )
    return Result(f"{key.preview} is revoked.")


def _set_verified(
    actor: User, action: str, account: Account, values: Values, *, verified: bool
) -> Result:
    email = values["email"]
    with transaction.atomic():
        owned = Membership.objects.filter(account=account, role=Membership.Role.OWNER)
        users = User.objects.select_for_update(no_key=True)
        user = users.filter(email=email, pk__in=owned.values("user")).first()
        if user is None:
            raise ValidationError({"email": "No owner of this account has this address any more"})
        before = user.email_verified_at
        if (before is not None) == verified:
            return Result(f"{email} was so before; nothing has changed.", changed=False)
        user.email_verified_at = timezone.now() if verified else None
        user.save(update_fields=["email_verified_at"])
        changes = {"email": email, "email_verified_at": [before, user.email_verified_at]}
        audit.record(
            actor, action, user, reason=values["reason"], account_id=account.pk, changes=changes
        )
    return Result(f"{email} is {'verified' if verified else 'not verified any more'}.")


def _locked(account: Account) -> Account:
    return Account.objects.select_for_update(no_key=True).get(pk=account.pk)


def _so_before(account: Account) -> Result:
    return Result(f"{account} was so before; nothing has changed.", changed=False)


def _record(
    actor: User, action: str, account: Account, values: Values, changes: dict[str, Any]
) -> None:
    audit.record(
        actor, action, account, reason=values["reason"], account_id=account.pk, changes=changes
    )


def _post(
    post: Callable[..., Posted], action: str, actor: User, account: Account, values: Values
) -> Result:
    """Post what the form says. The ledger takes a form's reference once."""
    amount, description = values["amount"], values["description"]
    try:
        with transaction.atomic():
            posted = post(
                account.pk,
                amount,
                description=description,
                created_by=actor.pk,
                reference=f"staff-{values['form']}",
            )
            _record(actor, action, account, values, _money(amount, description, posted))
    except LedgerRefusal as error:
        raise ValidationError({"amount": "The balance would end below 0"}) from error
    except IntegrityError as error:
        if ONCE not in str(error):
            raise
        return Result(TWICE, changed=False)
    return Result(f"{amount:+,} credits; {account} has {posted.balance:,}.")


def _money(amount: int, description: str, posted: Posted) -> dict[str, Any]:
    return {
        "amount": amount,
        "balance": [posted.balance - amount, posted.balance],
        "description": description,
        "ledger_entry": posted.entry_id,
    }
