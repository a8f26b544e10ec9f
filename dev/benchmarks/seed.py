"""Years of business in minutes: finished generations with their charges, refunds and events.

The product could have written every row, and its checks agree. Left out are attempts, and of the
events all but the first and the last. Every 20th generation failed; the newest are open,
due in a year. The accounts' rows lie mixed, as in life.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import psycopg

from dev.benchmarks.bulk import without_indexes
from dev.benchmarks.customers import CREDITS, Customers
from dev.benchmarks.failure import BenchmarkFailed

OPEN = 1000  # generations at most, however many are finished; a tenth of a small account
PER_ACCOUNT = 10_000  # generations; the contract's deepest offset
BYTES = 3500  # a generation with all its rows, indexes and write-ahead log, measured generously
TABLES = ["credits_ledgerentry", "generation_generation", "generation_generationevent"]


def _id(kind: str) -> str:
    """Of version 7, as the product's own: by the time of making. The rest is the row's number's."""
    milliseconds = "lpad(to_hex(floor(extract(epoch FROM made) * 1000)::bigint), 12, '0')"
    text = f"overlay(md5(%(tag)s || '-{kind}-' || i) PLACING {milliseconds} FROM 1)"
    return f"overlay(overlay({text} PLACING '7' FROM 13) PLACING '8' FROM 17)::uuid"


# Of an account's generation number k (from 0) every 20th failed, beginning with k = 10. Before it
# there were (k + 9) / 20 refunds and k charges, after the grant, which is number 1.
ORDER = f"""
WITH numbered AS (
    SELECT i, i %% %(accounts)s AS account, i / %(accounts)s AS k
      FROM generate_series(0, %(accounts)s::bigint * %(each)s - 1) AS i
), placed AS (
    SELECT *, k %% 20 = 10 AS failed, k >= %(each)s - %(open)s AND k %% 20 <> 10 AS open,
           2 + k + (k + 9) / 20 AS sequence, k + 1 - (k + 9) / 20 AS charged,
           date_trunc('day', now()) - (%(each)s - k) * interval '30 seconds'
               + account * interval '1 millisecond' AS made
      FROM numbered
), bought AS (
    SELECT *, md5(%(tag)s || '-account-' || account)::uuid AS account_id,
           md5(%(tag)s || '-user-' || account)::uuid AS user_id,
           md5(%(tag)s || '-key-' || account)::uuid AS key_id,
           {_id("charge")} AS charge_id, {_id("generation")} AS generation_id,
           {_id("refund")} AS refund_id
      FROM placed
)
"""
CHARGES = (
    ORDER
    + """
INSERT INTO credits_ledgerentry (id, wallet_id, sequence, kind, amount, balance_after,
                                 generation_id, description, created_by_id, created_at)
SELECT charge_id, account_id, sequence, 'charge', -240, %(credits)s - 240 * charged,
       generation_id, 'veo3_fast generation', user_id, made
  FROM bought
"""
)
REFUNDS = (
    ORDER
    + """
INSERT INTO credits_ledgerentry (id, wallet_id, sequence, kind, amount, balance_after,
                                 generation_id, reverses, description, created_at)
SELECT refund_id, account_id, sequence + 1, 'refund', 240,
       %(credits)s - 240 * (charged - 1), generation_id, charge_id, 'Refund', made
  FROM bought WHERE failed
"""
)
GENERATIONS = (
    ORDER
    + """
INSERT INTO generation_generation
    (id, account_id, created_by_id, api_key_id, idempotency_key, request_sha256, model_id, kind,
     prompt, parameters, price, estimated_time, expected_seconds, charge_id, refund_id, state,
     version, next_attempt_at, strikes, retries, deadline_at, unknown_attempts, last_error, project,
     location, provider_model, operation_name, accepted_at, output_uri, output_key, output_type,
     output_size, output_sha256, output_facts, error_code, error_message, error_retryable,
     created_at, updated_at, finished_at)
SELECT generation_id, account_id, user_id, key_id, generation_id::text,
       sha256(generation_id::text::bytea), 'veo3_fast', 'video',
       'A paper boat on a lake at sunrise, number ' || i,
       '{"aspect_ratio": "16:9", "source_image_urls": []}', 240, '45-60 seconds', 60, charge_id,
       CASE WHEN failed THEN refund_id END,
       CASE WHEN failed THEN 'failed' WHEN open AND (account + k) %% 2 = 0 THEN 'queued'
            WHEN open THEN 'running' ELSE 'completed' END,
       CASE WHEN open THEN 1 ELSE 2 END, CASE WHEN open THEN now() + interval '1 year' END, 0, 0,
       made + interval '2 years', 0, '', 'bench-project', 'us-central1',
       'veo-3.1-fast-generate-001',
       'projects/bench-project/locations/us-central1/operations/' || generation_id,
       made + interval '1 second', 'gs://bench-outputs/' || generation_id || '/sample_0.mp4',
       CASE WHEN failed OR open THEN '' ELSE 'outputs/' || generation_id || '.mp4' END,
       CASE WHEN failed OR open THEN '' ELSE 'video/mp4' END,
       CASE WHEN failed OR open THEN NULL ELSE 2000000 END,
       CASE WHEN failed OR open THEN '' ELSE encode(sha256(charge_id::text::bytea), 'hex') END,
       '{"width": 1280, "height": 720, "duration": 8.0, "video": "h264", "audio": "aac"}',
       CASE WHEN failed THEN 'provider_error' ELSE '' END,
       CASE WHEN failed THEN 'The provider could not make the video' ELSE '' END, failed, made,
       made + interval '60 seconds', CASE WHEN open THEN NULL ELSE made + interval '60 seconds' END
  FROM bought
"""
)
EVENTS = (
    ORDER
    + """
INSERT INTO generation_generationevent
    (generation_id, sequence, state, is_terminal, data, created_at)
SELECT generation_id, 1, 'queued', false, '{}'::jsonb, made FROM bought
UNION ALL
SELECT generation_id, 2, CASE WHEN failed THEN 'failed' ELSE 'completed' END, true, '{}'::jsonb,
       made + interval '60 seconds' FROM bought WHERE NOT open
"""
)
WALLETS = (
    ORDER
    + """
UPDATE credits_wallet
   SET balance = %(credits)s - 240 * delivered, sequence = last, open_charges = still_open
  FROM (SELECT account_id, count(*) FILTER (WHERE NOT failed) AS delivered,
               1 + count(*) + count(*) FILTER (WHERE failed) AS last,
               count(*) FILTER (WHERE open) AS still_open
          FROM bought GROUP BY account_id) AS added
 WHERE credits_wallet.account_id = added.account_id
"""
)


def seed(
    connection: psycopg.Connection, customers: Customers, generations: int, accounts: int
) -> int:
    """Make ``generations`` for the first ``accounts`` customers; return the number made.

    One transaction of its own, on a connection of the tables' owner in autocommit mode.
    """
    each = generations // accounts
    values = {
        "tag": customers.tag,
        "accounts": accounts,
        "each": each,
        "open": max(1, min(OPEN // accounts, each // 10)),
        "credits": CREDITS,
    }
    with connection.transaction():
        connection.execute("SET LOCAL statement_timeout = 0")
        with without_indexes(connection, TABLES):
            for statement in (CHARGES, REFUNDS, GENERATIONS, EVENTS):
                connection.execute(statement, values)
            connection.execute(WALLETS, values)
    tidy(connection)
    return each * accounts


def tidy(connection: psycopg.Connection) -> None:
    """What autovacuum does in time; in autocommit mode."""
    for table in (*TABLES, "credits_wallet"):
        connection.execute(f"VACUUM (ANALYZE) {table}".encode())


def accounts_of(generations: int) -> int:
    """How many accounts share them, with PER_ACCOUNT each."""
    return max(1, generations // PER_ACCOUNT)


def check_space(folder: Path, generations: int) -> None:
    """Raises BenchmarkFailed when the disk has no room for them."""
    needed = generations * BYTES + 2 * 1024**3
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise BenchmarkFailed(
            f"{generations} generations need {needed / 1e9:.0f} GB in {folder}, {free / 1e9:.0f} "
            "GB are free"
        )
