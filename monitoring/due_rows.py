"""How long the oldest due row of each stage has been waiting."""

from __future__ import annotations

from typing import Any

from generation.models.states import OPEN, State
from monitoring.families import Rows
from payments.mode import livemode, payments_available
from webhooks.due import LEASE, START, WALK

# The stage that works on a state's rows. A row that awaits source images is queued, too.
AWAITED = "awaited"  # as in DUE
SETTLE = "settle"  # likewise; a payment is worked on in whatever state it is
MAIL = "mail"  # likewise; one that is tried again later is not due
DELIVER = "deliver"  # likewise
MOST_TARGETS = 10_000  # receivers that are looked at
STAGE_OF = {
    AWAITED: "prepare",
    State.QUEUED: "submit",
    State.SUBMITTING: "submit",
    State.SUBMIT_UNKNOWN: "submit",
    State.RUNNING: "poll",
    State.STORING: "store",
    SETTLE: SETTLE,
    MAIL: MAIL,
    DELIVER: DELIVER,
}
# The first entry of each state in generation_due. A lease moves a row, so none under way is due.
# Rows of an account that has one under way are not counted: they wait for their own. So with
# deliveries of a receiver that has one; and slow or dead ones, which share slots, wait for others.
DUE = """
SELECT state, GREATEST(extract(epoch FROM now() - next_attempt_at), 0)::float8
  FROM unnest(%(open)s::text[]) AS known (state), LATERAL (
       SELECT next_attempt_at FROM generation_generation AS row
        WHERE row.state = known.state AND next_attempt_at IS NOT NULL AND images_until IS NULL
        ORDER BY next_attempt_at LIMIT 1) AS first
UNION ALL
SELECT 'awaited', GREATEST(extract(epoch FROM now() - min(next_attempt_at)), 0)::float8
  FROM generation_generation AS row
 WHERE images_until IS NOT NULL AND state = 'queued' AND NOT EXISTS (
       SELECT FROM generation_generation AS other
        WHERE other.account_id = row.account_id AND images_until IS NOT NULL
          AND state = 'queued' AND lease_token IS NOT NULL AND next_attempt_at > now())
HAVING count(*) > 0
UNION ALL
SELECT 'settle', GREATEST(extract(epoch FROM now() - min(next_attempt_at)), 0)::float8
  FROM payments_payment WHERE next_attempt_at IS NOT NULL AND livemode = %(livemode)s::boolean
HAVING count(*) > 0
UNION ALL
SELECT 'mail', GREATEST(extract(epoch FROM now() - min(next_attempt_at)), 0)::float8
  FROM mail_mail WHERE next_attempt_at IS NOT NULL
HAVING count(*) > 0
UNION ALL
SELECT 'deliver', GREATEST(extract(epoch FROM now() - min(next_attempt_at)), 0)::float8 FROM (
{walk} SELECT target, next_attempt_at FROM walk) AS first
  LEFT JOIN events_webhookendpoint AS endpoint ON endpoint.id = first.target
  LEFT JOIN events_defaultsecret AS secret ON secret.account_id = first.target
 WHERE COALESCE(endpoint.is_prompt, secret.is_prompt, true) AND NOT EXISTS (
       SELECT FROM events_webhookdelivery AS other
        WHERE other.target = first.target AND lease_token IS NOT NULL
          AND other.next_attempt_at > now()
          AND other.next_attempt_at <= now() + %(lease)s * interval '1 second')
HAVING count(*) > 0
""".replace("{walk}", WALK)


def due_values() -> dict[str, Any]:
    """The parameters of DUE. Without a key no payment is due; of the other mode none is ours."""
    return {
        "open": [str(state) for state in OPEN],
        "livemode": livemode() if payments_available() else None,
        "behind": START,
        "most": MOST_TARGETS,
        "lease": LEASE,
    }


def ages_of(rows: Rows) -> dict[str, float]:
    """Seconds that the oldest due row of each stage has waited (rows of DUE); 0 = none is due."""
    ages = dict.fromkeys(STAGE_OF.values(), 0.0)
    for state, age in rows:
        stage = STAGE_OF[state if state in (AWAITED, SETTLE, MAIL, DELIVER) else State(state)]
        ages[stage] = max(ages[stage], float(age))
    return ages
