"""Many operations in flight: what it costs to poll them, and how punctual it is.

Operations of the emulator that never end, and rows as the product writes them. They are old enough
for the longest step between polls: 30 s, scaled to 15.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import shutil
import tempfile
import time
import uuid
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import httpx
import psycopg

from dev.benchmarks import customers
from dev.benchmarks.failure import BenchmarkFailed
from dev.benchmarks.usage import cpu_with_ended, family
from dev.embedded import services
from dev.embedded.environment import Options
from dev.embedded.stack import Stack

TIME_SCALE = 0.5
TARGET = 15.0  # seconds between two polls of an operation
PER_ACCOUNT = 50
AT_ONCE = 50  # connections on which operations are begun
MODEL = "veo-3.1-fast-generate-001"
PATH = f"projects/{{project}}/locations/us-central1/publishers/google/models/{MODEL}"
NEVER = "A paper boat [emulator:never]"
SECONDS = 4 * TARGET
SETTLING = 1.5 * TARGET  # seconds until every operation has been polled once and none is late

ROWS = """
WITH given AS (
    SELECT operation, number - 1 AS number, md5(%(tag)s || '-generation-' || number)::uuid AS id,
           md5(%(tag)s || '-account-' || (number - 1) / %(each)s)::uuid AS account_id,
           md5(%(tag)s || '-entry-' || number)::uuid AS charge_id
      FROM unnest(%(operations)s::text[]) WITH ORDINALITY AS given (operation, number)
), charge AS (
    INSERT INTO credits_ledgerentry (id, wallet_id, sequence, kind, amount, balance_after,
                                     generation_id, description, created_at)
    SELECT charge_id, account_id, 2 + number %% %(each)s, 'charge', -240,
           %(credits)s - 240 * (1 + number %% %(each)s), id, 'veo3_fast generation', now()
      FROM given
), wallet AS (
    UPDATE credits_wallet AS wallet
       SET balance = balance - 240 * made.rows, sequence = sequence + made.rows,
           open_charges = open_charges + made.rows
      FROM (SELECT account_id, count(*) AS rows FROM given GROUP BY account_id) AS made
     WHERE wallet.account_id = made.account_id
), generation AS (
    INSERT INTO generation_generation
        (id, account_id, model_id, kind, prompt, parameters, price, estimated_time,
         expected_seconds, charge_id, state, version, next_attempt_at, strikes, retries,
         deadline_at, unknown_attempts, last_error, project, location, provider_model,
         operation_name, accepted_at, output_uri, output_key, output_type, output_sha256,
         output_facts, error_code, error_message, error_retryable, created_at, updated_at)
    SELECT id, account_id, 'veo3_fast', 'video', 'A paper boat',
           '{"aspect_ratio": "16:9", "source_image_urls": []}', 240, '45-60 seconds', 60, charge_id,
           'running', 3, now() + random() * %(target)s * interval '1 second', 0, 0,
           now() + interval '1 day', 0, '', %(project)s, 'us-central1', %(model)s, operation,
           now() - interval '10 minutes', '', '', '', '', '{}', '', '', false,
           now() - interval '10 minutes', now()
      FROM given
)
INSERT INTO generation_attempt
       (generation_id, number, prefix, provider_model, outcome, operation_name, detail, asked_at)
SELECT id, 1, 'gs://' || %(bucket)s || '/generations/' || id || '/1/', %(model)s, 'accepted',
       operation, '', now()
  FROM given
"""


def in_flight(chosen: argparse.Namespace) -> dict[str, Any]:
    """Measure ``chosen.operations`` polled by ``chosen.processes`` during four targets."""
    folder = Path(tempfile.mkdtemp(prefix="reelmint-bench-"))
    options = Options(durable=True, time_scale=TIME_SCALE, emulator_plain=True)
    stack = Stack(folder / "var", options)
    try:
        stack.start()
        stack.processes.children["poll"].kill_group()
        print(f"Beginning {chosen.operations} operations at the emulator ...", flush=True)
        _place(stack, asyncio.run(_begin(stack, chosen.operations)))
        worker = services.worker("poll", ["poll"], "-c", str(chosen.processes))
        stack.processes.run(replace(worker, name="poll"), stack.env)
        print(f"Polling them for {SETTLING + SECONDS:.0f} s ...", flush=True)
        time.sleep(SETTLING)
        figures = _measure(stack, chosen)
    finally:
        stack.stop(grace=3.0)
        shutil.rmtree(folder, ignore_errors=True)
    print("\n" + "\n".join(f"{name:32}{value:>12}" for name, value in figures.items()) + "\n")
    return figures


async def _begin(stack: Stack, count: int) -> list[str]:
    """The names of so many operations that will never be done."""
    path = PATH.format(project=stack.env["GOOGLE_CLOUD_PROJECT"])
    url = f"{stack.emulator_url}/v1/{path}:predictLongRunning"
    names: list[str] = []

    async def begin(session: aiohttp.ClientSession, share: int) -> None:
        for _ in range(share):
            body = {
                "instances": [{"prompt": NEVER}],
                "parameters": {
                    "storageUri": f"gs://{stack.env['OUTPUT_BUCKET']}/{uuid.uuid4()}/",
                    "sampleCount": 1,
                },
            }
            async with session.post(url, json=body) as answer:
                if answer.status != 200:
                    raise BenchmarkFailed(f"The emulator said {await answer.text()}")
                names.append((await answer.json())["name"])

    async with aiohttp.ClientSession(headers={"Authorization": "Bearer benchmark"}) as session:
        shares = [count // AT_ONCE + (number < count % AT_ONCE) for number in range(AT_ONCE)]
        await asyncio.gather(*(begin(session, share) for share in shares))
    return names


def _place(stack: Stack, operations: list[str]) -> None:
    with psycopg.connect(stack.owner_url, autocommit=True) as connection:
        placed = customers.make(connection, -(-len(operations) // PER_ACCOUNT))
        values = {
            "tag": placed.tag,
            "operations": operations,
            "each": PER_ACCOUNT,
            "credits": customers.CREDITS,
            "target": TARGET,
            "project": stack.env["GOOGLE_CLOUD_PROJECT"],
            "bucket": stack.env["OUTPUT_BUCKET"],
            "model": MODEL,
        }
        connection.execute(ROWS, values)
        connection.execute("VACUUM ANALYZE")


def _measure(stack: Stack, chosen: argparse.Namespace) -> dict[str, Any]:
    before, began = _used(stack), time.monotonic()
    polls = _polls(stack)
    time.sleep(SECONDS)
    seconds = time.monotonic() - began
    used = {name: (after - before[name]) / seconds for name, after in _used(stack).items()}
    stats = _stats(stack)
    interval = stats["poll_interval_s"]
    workers = family(stack, "poll")
    rate = (_polls(stack) - polls) / seconds
    if not rate or not interval:
        raise BenchmarkFailed("Nothing was polled twice")
    return {
        "operations": chosen.operations,
        "poll_processes": len(workers) - 1,
        "in_flight_polls_per_s": round(rate, 1),
        "interval_p50_s": interval["p50"],
        "interval_p99_s": interval["p99"],
        "interval_p99_vs_target": round(interval["p99"] / TARGET, 3),
        "poll_rss_mb": round(sum(each.memory_info().rss for each in workers) / 1e6, 1),
        "poll_largest_rss_mb": round(max(each.memory_info().rss for each in workers) / 1e6, 1),
        "poll_cpu_share": round(used["poll"], 3),
        "postgres_cpu_share": round(used["postgres"], 3),
        "emulator_cpu_share": round(used["emulator"], 3),
        "poll_cpu_ms": round(used["poll"] / rate * 1000, 3),
    }


def _used(stack: Stack) -> dict[str, float]:
    """Processor seconds of each of them until now."""
    return {name: cpu_with_ended(stack, name) for name in ("poll", "postgres", "emulator")}


def _polls(stack: Stack) -> int:
    return int(_stats(stack)["requests"].get("poll", 0))


def _stats(stack: Stack) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(httpx.get(f"{stack.emulator_url}/emulator/stats").text)
    return found
