"""The baseline works as a textbook's would: it charges, answers 201 and wakes a worker."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import redis

from dev.benchmarks.stage import settings_of
from dev.embedded.processes import wait_until
from tests.support.works import Emulator

ROOT = Path(__file__).resolve().parent.parent.parent.parent
# The site can only be loaded where no other settings are: in a process of its own.
CREATE = """
import io, json, sys
from contextlib import redirect_stdout
import django
django.setup()
from django.test import Client
from dev.benchmarks import textbook
with redirect_stdout(io.StringIO()) as told:
    textbook.prepare(2)
token = json.loads(told.getvalue())[0]
body = json.dumps({"prompt": "A paper boat", "video_model": "veo3_fast"})
client = Client(HTTP_HOST="127.0.0.1")
answers = [
    client.post("/generate/", body, "application/json", headers={"Authorization": secret})
    for secret in (f"Token {token}", "Token wrong")
]
print(json.dumps([[answer.status_code, answer.json()] for answer in answers]))
"""
MAKE = """
import io, json
from contextlib import redirect_stdout
import django
django.setup()
from django.test import Client
from dev.benchmarks import textbook
with redirect_stdout(io.StringIO()) as told:
    textbook.prepare(1)
token = json.loads(told.getvalue())[0]
client = Client(HTTP_HOST="127.0.0.1", headers={"Authorization": f"Token {token}"})
for prompt in ("A paper boat", "A paper boat [emulator:filtered]"):
    answer = client.post("/generate/", json.dumps({"prompt": prompt}), "application/json")
    assert answer.status_code == 201, answer.content
"""
WORKER = ("celery", "-A", "dev.benchmarks.textbook_celery", "worker", "-P", "solo", "-c", "1")
OPEN = "SELECT FROM textbook.textbook_generation WHERE status = 'processing'"
MADE = """
SELECT status, output, balance, array_agg(amount ORDER BY entry.id)
  FROM textbook.textbook_generation generation
  JOIN textbook.textbook_entry entry ON generation.id = entry.generation_id
  JOIN textbook.textbook_wallet wallet ON entry.wallet_id = wallet.id
 GROUP BY status, output, balance ORDER BY status
"""
CHARGED = """
SELECT balance, amount, balance_after, status FROM textbook.textbook_wallet wallet
  JOIN textbook.textbook_entry entry ON entry.wallet_id = wallet.id
  JOIN textbook.textbook_generation generation ON generation.id = entry.generation_id
"""


@pytest.fixture
def admin(admin_connection: psycopg.Connection) -> Iterator[psycopg.Connection]:
    yield admin_connection
    admin_connection.execute("DROP SCHEMA IF EXISTS textbook CASCADE")


def test_the_textbook_charges_and_hands_over(admin: psycopg.Connection) -> None:
    environment = os.environ | settings_of("textbook")
    environment["DATABASE_URL"] = os.environ["TEST_ADMIN_URL"]
    done = subprocess.run(
        [sys.executable, "-c", CREATE], cwd=ROOT, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("[[201, "), done.stdout
    assert "[401, " in done.stdout
    left = 10**12 - 240
    assert admin.execute(CHARGED).fetchall() == [(left, -240, left, "processing")]
    with redis.Redis.from_url(os.environ["REDIS_URL"]) as client:
        assert client.llen("textbook") == 1


def test_the_textbook_s_task_delivers_or_refunds(
    admin: psycopg.Connection, emulator_process: Emulator, tmp_path: Path
) -> None:
    environment = os.environ | settings_of("textbook")
    environment |= {
        "DATABASE_URL": os.environ["TEST_ADMIN_URL"],
        "VERTEX_BASE_URL": emulator_process.url,
        "STORAGE_BASE_URL": emulator_process.url,
        "GOOGLE_APPLICATION_CREDENTIALS": str(emulator_process.credentials),
        "GOOGLE_CLOUD_LOCATION": "us-central1",
        "OUTPUT_ROOT": str(tmp_path),
        "TIME_SCALE": "0.001",
    }
    bought = emulator_process.stats()["operations"]
    done = subprocess.run(
        [sys.executable, "-c", MAKE], cwd=ROOT, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    with (tmp_path / "worker.log").open("wb") as log:
        worker = subprocess.Popen(
            [sys.executable, "-m", *WORKER], cwd=ROOT, env=environment, stdout=log, stderr=log
        )
        try:
            is_over = wait_until(lambda: not admin.execute(OPEN).fetchall(), 60, interval=0.1)
        finally:
            worker.terminate()
            worker.wait(30)
    assert is_over, (tmp_path / "worker.log").read_text()
    completed, failed = admin.execute(MADE).fetchall()
    left = 10**12 - 240
    assert completed[:1] + completed[2:] == ("completed", left, [-240])
    assert (tmp_path / "textbook" / completed[1]).read_bytes()[4:8] == b"ftyp"
    assert failed == ("failed", "", left, [-240, 240])
    assert emulator_process.stats()["operations"] == bought + 2
