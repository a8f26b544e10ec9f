"""What makes programs log errors, and what leaves a secret on purpose, so that it can be found."""

from __future__ import annotations

import base64
import json
import secrets
import signal
import sys
import time
from dataclasses import replace
from pathlib import Path

import httpx
import psycopg
import redis

from dev.embedded import services
from dev.embedded.processes import Program, wait_until
from dev.embedded.stack import Stack
from staff.sessions import SessionStore
from tests.system.faults.leak_search import Places, database
from tests.system.faults.leak_traffic import Buyer, Noted
from tests.system.faults.leak_webhooks import REFUSED_ROW, Listener, fail_to_write_back

REFUSE_DELIVERIES = f"""
ALTER TABLE events_webhookdelivery ADD CONSTRAINT forced_deliver
CHECK (state = 'pending' OR url IS NULL OR url NOT LIKE '%{REFUSED_ROW}%') NOT VALID
"""
ALLOW_DELIVERIES = "ALTER TABLE events_webhookdelivery DROP CONSTRAINT forced_deliver"


def plain_web(stack: Stack) -> str:
    """A second web server with Django's DEBUG off, as customers meet it; its address."""
    listener = services.listen(0)
    program = replace(services.web(listener), name="web-plain")
    stack.processes.run(program, stack.env | {"DEBUG": "0"})
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    listener.close()  # it has its own copy

    def answers() -> bool:
        try:
            return httpx.get(f"{url}/readyz", timeout=2).is_success
        except httpx.TransportError:
            return False

    assert wait_until(answers, 60)
    return url


def break_rules(noted: Noted, stack: Stack, buyers: list[Buyer], listener: Listener) -> Places:
    """Statements that fail in the web and in a worker; PostgreSQL quotes the row in its answer.

    Returns the database as it is while a worker keeps failing.
    """
    table = "ALTER TABLE generation_generation"
    add = f"{table} ADD CONSTRAINT forced_%s CHECK (%s prompt NOT LIKE '%%[emulator:slow=0.%s]%%')"
    with psycopg.connect(stack.owner_url, autocommit=True) as connection:
        connection.execute((add % ("web", "", 1) + " NOT VALID").encode())
        connection.execute((add % ("worker", "state <> 'running' OR", 2) + " NOT VALID").encode())
        connection.execute(REFUSE_DELIVERIES.encode())
        for buyer in buyers:
            fail_to_write_back(noted, buyer, listener)
            assert buyer.order_one("a refused row", "slow=0.1").status_code == 500
            assert buyer.order_one("a row refused later", "slow=0.2").status_code == 201
        said = stack.processes.log("submit")
        assert wait_until(lambda: b"forced_worker" in said.read_bytes(), 30)
        assert _noted(connection, "%forced_worker%")
        said = stack.processes.log("deliver")
        assert wait_until(lambda: b"forced_deliver" in said.read_bytes(), 60)
        meanwhile = database(stack)
        connection.execute(ALLOW_DELIVERIES.encode())
        for name in ("web", "worker"):
            connection.execute(f"{table} DROP CONSTRAINT forced_{name}".encode())
        for old, new in (("prompt", "gone"), ("gone", "prompt")):
            connection.execute(f"{table} RENAME COLUMN {old} TO {new}".encode())
            statuses = {buyer.order_one("a missing column").status_code for buyer in buyers}
            assert statuses == {500 if new == "gone" else 201}
    return {f"{name} (meanwhile)": content for name, content in meanwhile.items()}


def break_things(stack: Stack, buyers: list[Buyer]) -> None:
    """The folder of outputs is a file; Redis, PostgreSQL and the provider die."""
    outputs = Path(stack.env["OUTPUT_ROOT"])
    aside = outputs.with_name("aside")
    outputs.rename(aside)
    outputs.touch()
    for buyer in buyers:
        assert buyer.order_one("no place to store it").status_code == 201
    with psycopg.connect(stack.owner_url, autocommit=True) as connection:
        assert _noted(connection, "%Error:%outputs%")
    outputs.unlink()
    aside.rename(outputs)
    children = stack.processes.children
    for name, status in (("valkey", 201), ("postgres", 503), ("emulator", 201)):
        children[name].signal(signal.SIGKILL)
        for buyer in buyers:
            assert buyer.order_one(f"{name} is dead").status_code == status
        time.sleep(1.5)  # for the workers to notice
        stack.restart(name)


def _noted(connection: psycopg.Connection, words: str) -> bool:
    """Whether a worker writes this down, as the last error of a row, within half a minute."""
    query = "SELECT EXISTS (SELECT FROM generation_generation WHERE last_error LIKE %s)"
    return wait_until(lambda: bool(connection.execute(query, [words]).fetchall()[0][0]), 30)


def plant(stack: Stack) -> str:
    """Leave a secret in each kind of place, as a leak would; what it is."""
    word = f"planted{secrets.token_hex(12)}"
    with stack.processes.log("store").open("a") as log:
        log.write(f"\nDEBUG the link was https://example.com/?signature={word}\n")
    stack.processes.run(
        Program("planted", [sys.executable, "-c", "import time; time.sleep(99)", word]), stack.env
    )
    work = Path(stack.env["WORK_DIR"])
    work.mkdir(exist_ok=True)
    (work / word).touch()
    (work / "planted").write_text(word)
    message = {"body": base64.b64encode(json.dumps([[word], {}, {}]).encode()).decode()}
    with redis.Redis.from_url(stack.env["REDIS_URL"]) as client:
        client.rpush("planted", json.dumps(message))
    session = SessionStore().encode({"words": [word] * 20})
    with psycopg.connect(stack.owner_url, autocommit=True) as connection:
        until = "now() + interval '1 day'"  # what is over is deleted
        connection.execute(
            f"INSERT INTO django_session VALUES ('x', %s, {until})".encode(), [session]
        )
        row = "UPDATE accounts_account SET suspended_reason = %s WHERE suspended_at IS NULL"
        connection.execute(row, [word.encode().hex()])
    return word
