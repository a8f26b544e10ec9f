"""Gauges of webhooks: whether receivers are reached at all."""

from __future__ import annotations

from prometheus_client.core import Metric

from monitoring.families import ask, gauge

MOST = 5_000  # deliveries that are looked at

# The newest deliveries, by the index delivery_newest. A host was reached if it took any of what it
# was sent. Counted are hosts, and no more of them than there are accounts: neither a customer with
# many dead receivers nor a host of many customers says that *we* reach nobody.
RECEIVERS = """
WITH sent AS (
     SELECT delivery.account_id, delivery.last_error = '' AS taken, lower(substring(
            COALESCE(endpoint.url, delivery.url) FROM '^https?://([^/?#]*)')) AS host
       FROM (SELECT * FROM events_webhookdelivery
              WHERE created_at > now() - interval '15 minutes'
              ORDER BY created_at DESC, id DESC LIMIT %s) AS delivery
       LEFT JOIN events_webhookendpoint AS endpoint ON endpoint.id = delivery.endpoint_id
      WHERE delivery.attempts_made > 0),
     judged AS (
     SELECT account_id, host, bool_or(taken) OVER (PARTITION BY host) AS reached FROM sent)
SELECT reached, LEAST(count(DISTINCT host), count(DISTINCT account_id)) FROM judged GROUP BY reached
"""
RESULTS = {True: "reached", False: "failed"}


def webhooks() -> list[Metric]:
    """Both results have their series, 0 included."""
    family = gauge(
        "reelmint_webhook_receivers",
        "Hosts, of as many accounts, that webhooks were sent to lately, by whether any was taken.",
        "result",
    )
    counts = dict.fromkeys(RESULTS, 0) | dict(ask(RECEIVERS, [MOST]))
    for is_reached, name in RESULTS.items():
        family.add_metric([name], counts[is_reached])
    return [family]
