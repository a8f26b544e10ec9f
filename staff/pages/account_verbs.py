"""The verbs of an account's page: what each says and does."""

from __future__ import annotations

from accounts.models import Account
from staff import customers, payments, recipients
from staff.pages.forms import AdjustForm, GrantForm, LimitsForm, OwnerForm
from staff.pages.verb import Verb


def _grant(account: Account) -> str:
    return (
        f"{account} has {account.wallet.balance:,} credits. What you give is theirs at once; it is"
        f" not a payment. Who it is: {recipients.members(account)}."
    )


def _adjust(account: Account) -> str:
    balance = account.wallet.balance
    return f"{account} has {balance:,} credits. This corrects a mistake, in either direction."


def _limit(account: Account) -> str:
    return f"What {account} may do. In force from its next request on; what is open stays open."


def _suspend(account: Account) -> str:
    return (
        f"Every request with a key of {account} is answered 403 account_suspended from now on. What"
        " it has ordered is finished, and what fails is refunded."
    )


def _resume(account: Account) -> str:
    return f"The keys of {account} work again, all that were not revoked."


def _release(account: Account) -> str:
    return (
        f"{account} may buy credits again. It is on hold because {account.payment_hold_reason}."
        " Look at the dispute first: while it is open, nothing that was taken back comes back."
    )


def _verify(account: Account) -> str:
    return (
        f"Who owns {account} may buy credits from now on. Anybody can register any address: do it"
        " only if you know that this one is theirs, because they answered a mail to it, for"
        " instance."
    )


def _unverify(account: Account) -> str:
    return f"Unless another owner's is verified, {account} buys no more credits. It keeps its own."


def _owners(account: Account) -> list[bool]:
    """Of each owner, whether the e-mail address is verified; by what the page has fetched."""
    members = [one for one in account.memberships.all() if one.role == one.Role.OWNER]
    return [one.user.email_verified_at is not None for one in members]


def _is_unverified(account: Account) -> bool:
    return not all(_owners(account))


def _is_verified(account: Account) -> bool:
    return any(_owners(account))


VERBS = (
    Verb(
        name="grant",
        title="Give credits",
        explanation=_grant,
        form=GrantForm,
        permission="credits.grant_credits",
        do=customers.grant,
        icon="add_card",
    ),
    Verb(
        name="adjust",
        title="Adjust",
        explanation=_adjust,
        form=AdjustForm,
        permission="credits.adjust_credits",
        do=customers.adjust,
        icon="balance",
    ),
    Verb(
        name="limit",
        title="Set limits",
        explanation=_limit,
        form=LimitsForm,
        permission="accounts.limit_account",
        do=customers.limit,
        button="Limits",
        path="limits",
        icon="speed",
    ),
    Verb(
        name="suspend",
        title="Suspend",
        explanation=_suspend,
        permission="accounts.suspend_account",
        do=customers.suspend,
        icon="block",
    ),
    Verb(
        name="resume",
        title="Resume",
        explanation=_resume,
        permission="accounts.suspend_account",
        do=customers.resume,
        icon="play_circle",
    ),
    Verb(
        name="release",
        title="Release hold",
        explanation=_release,
        permission="payments.release_payment_hold",
        possible=lambda account: account.payment_hold_at is not None,
        do=payments.release_hold,
        icon="lock_open",
    ),
    Verb(
        name="verify_email",
        title="Mark the e-mail address as verified",
        explanation=_verify,
        form=OwnerForm,
        permission="accounts.verify_email",
        possible=_is_unverified,
        do=customers.verify_email,
        icon="mark_email_read",
    ),
    Verb(
        name="unverify_email",
        title="Mark the e-mail address as not verified",
        explanation=_unverify,
        form=OwnerForm,
        permission="accounts.verify_email",
        possible=_is_verified,
        do=customers.unverify_email,
        icon="unsubscribe",
    ),
)
