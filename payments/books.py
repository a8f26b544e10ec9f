"""Whether Stripe and we agree on what was paid and given back in the last five weeks.

Stripe is asked first, outside of any transaction, then the rows are read. What changes meanwhile is
newer here than at Stripe, and is left to the next check.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection
from django.utils import timezone
from stripe import StripeClient

from accounts.models import Account
from credits.books import Difference, Result
from payments import reversals
from payments.mode import livemode
from payments.models import Payment, Reversal
from payments.models.states import UNFINISHED, State
from payments.stripe import lists
from payments.stripe.facts import metadata_word

BACK = timedelta(days=35)
SETTLES = timedelta(minutes=15)  # after the link's end every payment is over
TOLD = timedelta(days=1)  # until the daily look has found what no webhook told
PAID = ("paid", "no_payment_required")

# Whether ledger and payments agree: each row found is an account and a sentence about it.
QUESTIONS = (
    """
SELECT wallet_id, format('purchase %s is of no payment that was paid', entry.id)
  FROM credits_ledgerentry entry
  LEFT JOIN payments_payment payment
         ON payment.purchase_id = entry.id AND payment.state = 'paid'
        AND entry.reference = 'stripe:' || payment.id
 WHERE entry.kind = 'purchase' AND entry.reference LIKE 'stripe:%' AND payment.id IS NULL
""",
    """
SELECT wallet_id, format('%s %s is of no refund and no dispute', entry.kind, entry.id)
  FROM credits_ledgerentry entry
  LEFT JOIN payments_reversal reversal
         ON entry.id IN (reversal.entry_id, reversal.reinstated_id)
 WHERE entry.kind IN ('reversal', 'reinstated') AND reversal.id IS NULL
""",
    """
SELECT payment.account_id, format('payment %s counts %s credits as taken back, its entries %s',
                                  payment.id, reversed_credits, added.credits)
  FROM payments_payment payment
  JOIN LATERAL (
       SELECT -COALESCE(sum(entry.amount), 0)::bigint AS credits
         FROM payments_reversal reversal
         JOIN credits_ledgerentry entry
              ON entry.id IN (reversal.entry_id, reversal.reinstated_id)
        WHERE reversal.payment_id = payment.id) AS added ON TRUE
 WHERE reversed_credits <> added.credits
   AND (reversed_credits > 0 OR EXISTS (
        SELECT FROM payments_reversal WHERE payment_id = payment.id))
""",
)


@dataclass(frozen=True, slots=True)
class Taken:
    """What Stripe says that it took."""

    account: str
    amount: int
    is_paid: bool


@dataclass(frozen=True, slots=True)
class There:
    """A refund or a dispute as Stripe has it."""

    intent_id: str
    status: str
    created: int


def check_payments(client: StripeClient, turn: Callable[[], None] = lambda: None) -> Result:
    """Compare both sides, in our mode. Raises StripeError when Stripe does not answer.

    ``turn`` is called for each entry of Stripe's lists; an exception of it ends the check.
    """
    began = timezone.now()
    since = began - BACK
    taken = _taken(client, since, turn)
    found = {}
    for listed in (lists.refunds, lists.disputes):
        for each in listed(client, since):
            turn()
            found[each.id] = There(lists.intent_of(each), str(each.status), each.created)
    result = Result({"sessions": len(taken), "refunds and disputes": 0, "payments": 0})
    _compare_payments(taken, since, began, result)
    _compare_reversals(found, since, began, result)
    with connection.cursor() as cursor:
        for question in QUESTIONS:
            cursor.execute(question)
            result.differences += [Difference(*row) for row in cursor.fetchall()]
    return result


def _taken(
    client: StripeClient, since: datetime, turn: Callable[[], None]
) -> dict[uuid.UUID, Taken]:
    """The complete Checkout Sessions that name a payment, which need not be one of ours."""
    found = {}
    for session in lists.sessions(client, since):
        turn()
        try:
            named = uuid.UUID(session.client_reference_id or "")
        except ValueError:
            continue
        is_paid = session.payment_status in PAID
        account = metadata_word(session.metadata, "account")
        found[named] = Taken(account, session.amount_total or 0, is_paid)
    return found


def _compare_payments(
    taken: dict[uuid.UUID, Taken], since: datetime, began: datetime, result: Result
) -> None:
    ours = Payment.objects.filter(livemode=livemode())
    rows = {row.pk: row for row in ours.filter(pk__in=list(taken))}
    for payment_id, theirs in taken.items():
        row = rows.get(payment_id)
        if not theirs.is_paid:
            continue
        if row is None:
            result.differences += _of_no_row(payment_id, theirs)
        elif problem := _problem(row, theirs, began):
            result.differences.append(Difference(row.account_id, problem))
    credited = ours.filter(state=State.PAID, created_at__gte=since, finished_at__lt=began)
    for row in credited.only("pk", "account_id").iterator():
        result.counts["payments"] += 1
        there = taken.get(row.pk)
        if there is None or not there.is_paid:
            problem = f"payment {row.pk} was credited, and Stripe took nothing for it"
            result.differences.append(Difference(row.account_id, problem))


def _of_no_row(payment_id: uuid.UUID, theirs: Taken) -> list[Difference]:
    """A payment that we lack, as after a restore; nothing if the account is none of ours."""
    try:
        account = Account.objects.filter(pk=uuid.UUID(theirs.account)).first()
    except ValueError:
        return []
    if account is None:
        return []
    problem = f"Stripe took {theirs.amount} for payment {payment_id}, which we do not have"
    return [Difference(account.pk, problem)]


def _problem(row: Payment, theirs: Taken, began: datetime) -> str:
    """The fault of a payment for which Stripe took money; empty if there is none."""
    if row.state == State.PAID:
        if row.paid_minor != theirs.amount:
            return f"payment {row.pk}: Stripe took {theirs.amount}, we noted {row.paid_minor}"
        return ""
    ends = row.expires_at + SETTLES * settings.TIME_SCALE
    is_under_way = row.state in UNFINISHED and began < ends
    is_seen_by_a_person = row.state == State.MISMATCH
    if is_under_way or is_seen_by_a_person or _was_given_back(row):
        return ""
    return f"payment {row.pk} is {row.state}, and Stripe took {theirs.amount} for it"


def _was_given_back(row: Payment) -> bool:
    """Whether a person looked at a mismatch and gave the money back."""
    return bool(reversals.live_minor(reversals.rows_of(row)))


def _compare_reversals(
    found: dict[str, There], since: datetime, began: datetime, result: Result
) -> None:
    intents = {there.intent_id for there in found.values() if there.intent_id}
    ours = Payment.objects.filter(livemode=livemode(), intent_id__in=intents, state=State.PAID)
    accounts = {row.intent_id or "": row.account_id for row in ours}
    rows = Reversal.objects.filter(provider_id__in=list(found))
    known = {row.provider_id or "": row.status for row in rows}
    told = (began - TOLD * settings.TIME_SCALE).timestamp()
    for name, there in found.items():
        if there.intent_id not in accounts:
            continue
        result.counts["refunds and disputes"] += 1
        here = known.get(name, "unknown")
        is_new = name not in known and there.created > told
        if here == there.status or is_new or here in reversals.UNDECIDED:
            continue  # what is undecided is fetched again every day
        problem = f"{name} is {there.status} at Stripe and {here} here"
        result.differences.append(Difference(accounts[there.intent_id], problem))
    stored = Reversal.objects.filter(
        provider_id__isnull=False,
        created_at__range=(since + TOLD, began),
        payment__livemode=livemode(),
    )
    for row in stored.select_related("payment"):
        if row.provider_id not in found:
            problem = f"{row.provider_id} took credits back, and Stripe does not know it"
            result.differences.append(Difference(row.payment.account_id, problem))
