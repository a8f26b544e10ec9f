"""The roles of staff and their permissions: the one table. A test walks it over HTTP."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import Group, Permission
from django.db import transaction
from django.db.models import Q

from accounts.models import User
from staff import audit

SUPERUSER = "superuser"  # no group but Django's flag: may do everything, and manages the others
SEE = frozenset(
    {
        *("accounts.view_account", "accounts.view_apikey", "credits.view_ledgerentry"),
        *("generation.view_generation", "generation.view_attempt", "generation.view_orphan"),
        *("generation.view_generationevent", "generation.view_catalogmodel"),
        *("payments.view_payment", "payments.view_reversal", "payments.view_creditpack"),
        *("mail.view_mail", "events.view_webhookendpoint", "events.view_webhookdelivery"),
    }
)
BILLING = frozenset(
    {
        *("credits.grant_credits", "credits.adjust_credits", "credits.export_ledger"),
        *("payments.refund_payment", "payments.credit_payment", "payments.release_payment_hold"),
        *("payments.ask_stripe", "accounts.verify_email"),
    }
)
OPERATE = frozenset(
    {
        *("accounts.suspend_account", "accounts.limit_account", "accounts.revoke_apikey"),
        *("generation.change_catalogmodel", "generation.retry_generation"),
        *("generation.fail_generation", "generation.cancel_generation"),
        *("payments.add_creditpack", "payments.change_creditpack", "payments.ask_stripe"),
        *("accounts.verify_email", "events.switch_webhookendpoint", "events.send_webhookdelivery"),
    }
)
AUDIT = frozenset({"staff.view_auditentry"})
ROLES: dict[str, frozenset[str]] = {
    "support": SEE,
    "billing": SEE | BILLING | AUDIT,
    "operator": SEE | OPERATE | AUDIT,
}
NAMES = (*ROLES, SUPERUSER)


def sync(**_: Any) -> None:
    """Make the groups what the table says. Runs after every ``migrate``.

    Django makes permissions after all migrations, so no migration could do this. A permission that
    does not exist yet is left out until the next run.
    """
    for role, names in ROLES.items():
        wanted = Q(pk=None)
        for name in names:
            app, _dot, codename = name.partition(".")
            wanted |= Q(content_type__app_label=app, codename=codename)
        group, _made = Group.objects.get_or_create(name=role)
        group.permissions.set(Permission.objects.filter(wanted))


def assign(user: User, role: str) -> str:
    """Give the user this role and no other; the role before, as seen under the user's lock.

    Belongs into a transaction with an audit entry. Raises ValueError for an unknown role.
    """
    if role not in NAMES:
        raise ValueError(f"{role} is not one of {', '.join(NAMES)}")
    with transaction.atomic():
        before = role_of(User.objects.select_for_update(no_key=True).get(pk=user.pk))
        user.is_staff = True
        user.is_superuser = role == SUPERUSER
        user.save(update_fields=["is_staff", "is_superuser"])
        user.groups.set(Group.objects.filter(name=role))
        user.user_permissions.clear()
    return before


def assign_by(command: str, user: User, role: str, **facts: Any) -> None:
    """``assign()`` by a command, with its audit entry; ``facts`` are more of its changes."""
    before = assign(user, role)
    audit.record_bare(
        None,
        "assign_role",
        target_type=user._meta.label_lower,
        target_id=str(user.pk),
        changes={"role": [before, role], "by": command, **facts},
    )


def role_of(user: User) -> str:
    """The user's role; empty if there is none."""
    if user.is_superuser:
        return SUPERUSER
    group = user.groups.filter(name__in=ROLES).first()
    return group.name if group is not None else ""
