"""Gauges of payments: what waits for a person, and whether Stripe's webhooks arrive at all."""

from __future__ import annotations

from prometheus_client.core import Metric

from monitoring.families import ask, gauge
from payments.models.reversal import TO_ANSWER

# Three partial indexes, and the payments of two days. A payment counts as unannounced when it was
# paid, five minutes passed, and since then Stripe sent nothing about any payment: a single webhook
# that was lost is no matter, and the next one of another payment says that they arrive.
PAYMENTS = """
SELECT (SELECT count(*) FROM payments_payment WHERE state = 'mismatch'),
       (SELECT count(*) FROM payments_reversal
         WHERE kind = 'dispute' AND status = ANY(%s::varchar[])),
       (SELECT count(*) FROM payments_payment
         WHERE state = 'paid' AND created_at > now() - interval '2 days'
           AND finished_at < now() - interval '5 minutes'
           AND finished_at > (SELECT COALESCE(max(received_at), '-infinity')
                                     + interval '5 minutes' FROM payments_stripeevent))
"""


def payments() -> list[Metric]:
    """Each has its one series, 0 included."""
    mismatched = gauge(
        "reelmint_payments_mismatched", "Payments that a person has to credit or refund."
    )
    to_answer = gauge(
        "reelmint_disputes_to_answer", "Disputes that are lost if nobody answers them."
    )
    unannounced = gauge(
        "reelmint_payments_unannounced", "Payments that were paid since Stripe's last webhook."
    )
    families = (mismatched, to_answer, unannounced)
    for family, count in zip(families, ask(PAYMENTS, [list(TO_ANSWER)])[0], strict=True):
        family.add_metric([], count)
    return list(families)
