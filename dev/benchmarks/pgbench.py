"""The create's own statement, sent by pgbench: the limit that the database sets."""

from __future__ import annotations

import re
import subprocess
import tempfile
from collections.abc import Mapping

from dev.benchmarks.failure import BenchmarkFailed
from dev.embedded.postgres import bin_dir

CLIENTS = 16
PARAMETER = re.compile(r"%\((\w+)\)s")

# What generation/creation.py gives the statement, in SQL of pgbench's two random numbers. `account`
# and the like are what dev/benchmarks/customers.py names them.
VALUES = {
    "account": "md5('{tag}-account-' || :customer)::uuid",
    "created_by": "md5('{tag}-user-' || :customer)::uuid",
    "api_key": "md5('{tag}-key-' || :customer)::uuid",
    "open_limit": "1000000000",
    "refund_lead": "1000000000",
    "charge": "md5('{tag}-charge-' || :order)::uuid",
    "description": "'veo3_fast generation'",
    "generation": "md5('{tag}-generation-' || :order)::uuid",
    "key": "'{tag}-' || :order",
    "request": r"'\x" + "ab" * 32 + "'::bytea",
    "model": "'veo3_fast'",
    "kind": "'video'",
    "prompt": "'A paper boat on a lake at sunrise'",
    "parameters": """'{{"aspect_ratio": "16:9", "source_image_urls": []}}'::jsonb""",
    "price": "240",
    "estimated_time": "'45-60 seconds'",
    "expected_seconds": "60.0",
    "deadline": "1800.0",
    "retry_of": "NULL::uuid",
    "grant": "NULL::uuid",
    "webhook_url": "NULL::varchar",
    "images": "NULL::float8",
    "event_data": "'{{}}'::jsonb",
}


def script_of(statement: str, tag: str, customers: int) -> str:
    """pgbench's script of ``creation.CREATE``. Raises BenchmarkFailed for an unknown parameter."""
    unknown = set(PARAMETER.findall(statement)) - VALUES.keys()
    if unknown:
        raise BenchmarkFailed(
            f"dev/benchmarks/pgbench.py does not know {', '.join(sorted(unknown))}"
        )
    values = {name: f"({value.format(tag=tag)})" for name, value in VALUES.items()}
    sql = PARAMETER.sub(lambda found: values[found.group(1)], statement).strip()
    drawn = f"\\set customer random(0, {customers - 1})\n\\set order random(1, 1000000000000000)\n"
    return f"{drawn}{sql.replace('%%', '%')};\n"


def run(script: str, database_url: str, seconds: float, environment: Mapping[str, str]) -> float:
    """Statements a second of 16 connections. Raises BenchmarkFailed when one failed."""
    with tempfile.NamedTemporaryFile("w", prefix="reelmint-pgbench-", suffix=".sql") as file:
        file.write(script)
        file.flush()
        argv = [str(bin_dir() / "pgbench"), "-n", "-M", "prepared", "-c", str(CLIENTS), "-j", "1"]
        argv += ["-T", str(max(1, round(seconds))), "-f", file.name, database_url]
        done = subprocess.run(
            argv, env=dict(environment), capture_output=True, text=True, check=False
        )
    if done.returncode:
        raise BenchmarkFailed(f"pgbench failed:\n{done.stdout}{done.stderr}")
    return parse(done.stdout)


def parse(output: str) -> float:
    """Transactions a second. Raises BenchmarkFailed when one failed or none is told of."""
    failed = re.search(r"number of failed transactions: (\d+)", output)
    told = re.search(r"^tps = ([0-9.]+)", output, re.MULTILINE)
    if told is None or (failed is not None and int(failed.group(1))):
        raise BenchmarkFailed(f"pgbench did not say how it went:\n{output}")
    return float(told.group(1))
