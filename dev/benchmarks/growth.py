"""The same questions to a young service and to an old one, in turn: what grows with the tables?

Two stacks are up at once, one with 10,000 generations, one with as many as was asked for, so that
both see the same machine. Their data stays in var/bench, since making it takes minutes.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from typing import Any

from dev.benchmarks import customers, wrk
from dev.benchmarks.api import CREATE_PATH, ORDER, warm_up
from dev.benchmarks.customers import Customers
from dev.benchmarks.figures import Measured, Rounds
from dev.benchmarks.seed import accounts_of, check_space, seed, tidy
from dev.benchmarks.stage import CUSTOMERS, Stage
from dev.benchmarks.wrk import Target
from dev.embedded.paths import CHECKOUT, write_json

VAR = CHECKOUT / "var" / "bench"
SMALL = 10_000
DEEP = 9_900  # the offset of the last pages that the contract allows
CLAIMS = 20  # of each kind, a measurement
HISTORY = "/api/v1/generate/history/"
TRANSACTIONS = "/api/v1/credits/transactions/"
# What was ordered meanwhile is done, so that claims choose among as many open rows in every round.
DONE = """
WITH done AS (
    UPDATE generation_generation
       SET state = 'completed', version = 2, next_attempt_at = NULL, finished_at = now(),
           output_key = 'outputs/' || id || '.mp4', output_type = 'video/mp4'
     WHERE next_attempt_at IS NOT NULL AND deadline_at < now() + interval '1 day'
    RETURNING id, account_id
), told AS (
    INSERT INTO generation_generationevent
        (generation_id, sequence, state, is_terminal, data, created_at)
    SELECT id, 2, 'completed', true, '{}', now() FROM done
)
UPDATE credits_wallet AS wallet SET open_charges = open_charges - ended.count
  FROM (SELECT account_id, count(*) FROM done GROUP BY account_id) AS ended
 WHERE wallet.account_id = ended.account_id
"""
# Of the seeded rows those are due that a claim asks for, see dev/benchmarks/probes.py.
NOT_DUE = (
    "UPDATE generation_generation SET next_attempt_at = now() + interval '1 year'"
    " WHERE next_attempt_at < now() + interval '1 day'"
)

Subject = Callable[[float], Measured]


@dataclass(frozen=True, slots=True)
class Aged:
    """A stack with its generations and their customers."""

    stage: Stage
    customers: Customers
    generations: int

    @property
    def accounts(self) -> int:
        """How many of the customers have generations."""
        return accounts_of(self.generations)


def seed_command(chosen: argparse.Namespace) -> dict[str, Any]:
    """Make the data of one size, unless it is there."""
    began = time.monotonic()
    with _stage(chosen.generations) as stage:
        aged(stage, chosen.generations)
        size = _megabytes(stage)
    return {"generations": chosen.generations, "mb": size, "seconds": time.monotonic() - began}


def growth_command(chosen: argparse.Namespace) -> dict[str, Any]:
    """Measure both sizes and compare them."""
    rounds = Rounds()
    with ExitStack() as stack:
        both = []
        for generations in (SMALL, chosen.generations):
            stage = stack.enter_context(_stage(generations))
            both.append(aged(stage, generations))
            stage.rest()  # a worker's claim would hold the gate, and take the rows of ours
            with stage.owner() as connection:
                tidy(connection)  # dead rows of an earlier run are no growth
        for one in both:
            for name in _questions():
                # from a cold disk the first deep page may take longer than a measurement
                warm_up(name, partial(_asked, one, name))
        print("warmed up", flush=True)
        for number in range(chosen.rounds):
            for one in both:
                _measure(one, rounds, chosen.seconds)
            print(f"round {number + 1} of {chosen.rounds} done", flush=True)
        ledger = _probe(both[1].stage, "ledger()")
    print(f"\n{rounds.table()}\n", flush=True)
    return ratios(rounds, chosen.generations) | {
        "generations": chosen.generations,
        "check_ledger_entries_per_s": ledger["entries"] / ledger["seconds"],
    }


def ratios(rounds: Rounds, generations: int) -> dict[str, Any]:
    """The time of each subject as a multiple of its time with 10,000 generations."""
    found: dict[str, float] = {}
    for name in _questions():
        old, young = _label(name, generations), _label(name, SMALL)
        found[name] = rounds.ratio(young, old)
    claims = {
        f"claim_{kind.replace(' ', '_')}_ms": rounds.median(
            _label(f"claim, {kind}", generations), "p50_ms"
        )
        for kind in ("submit", "submit statement", "poll", "poll statement")
    }
    deep = max(found["history, first page"], found["history, offset 9,900"])
    # the key's name is older than the choice of sizes; `generations` has the larger one
    return {"history_10m_vs_10k": deep, "growth": found, **claims}


def aged(stage: Stage, generations: int) -> Aged:
    """The stage with its rows, made now unless an earlier run left them."""
    note = stage.stack.var_dir / "customers.json"
    if note.exists():
        return Aged(stage, customers.from_json(note.read_text()), generations)
    check_space(stage.stack.var_dir, generations)
    print(f"Making {generations:,} generations ...", flush=True)
    began = time.monotonic()
    made = stage.customers(CUSTOMERS + accounts_of(generations))
    with stage.owner() as connection:
        count = seed(connection, made, generations, accounts_of(generations))
    write_json(note, json.loads(made.to_json()))
    print(f"{count:,} in {time.monotonic() - began:.0f} s", flush=True)
    return Aged(stage, made, generations)


def _stage(generations: int) -> Stage:
    return Stage(VAR / str(generations))


def _questions() -> dict[str, Callable[[Aged], list[Target]]]:
    return {
        "create": _orders,
        "status": _statuses,
        "transactions": lambda one: _pages(one, TRANSACTIONS),
        "history, first page": lambda one: _pages(one, HISTORY),
        "history, offset 9,900": lambda one: _pages(one, f"{HISTORY}?offset={DEEP}"),
    }


def _measure(one: Aged, rounds: Rounds, seconds: float) -> None:
    for name in _questions():
        rounds.add(_label(name, one.generations), _asked(one, name, seconds))
    with one.stage.owner() as connection:
        connection.execute(DONE)
        connection.execute(NOT_DUE)
        tidy(connection)
    for kind, took in _probe(one.stage, f"claims({CLAIMS})").items():
        rounds.add(_label(f"claim, {kind}", one.generations), Measured(1e3 / took, took))


def _asked(one: Aged, name: str, seconds: float) -> Measured:
    """Load over one connection: it measures the time of a request, not the throughput."""
    targets = _questions()[name](one)
    one.stage.forget_rate_limits()
    answered = wrk.load(one.stage.stack.base_url, targets, seconds, connections=1)
    return Measured(answered.per_second, answered.p50_ms, answered.p99_ms)


def _label(name: str, generations: int) -> str:
    return f"{name} of {generations:,}"


def _orders(one: Aged) -> list[Target]:
    """Creates by customers without generations; both sizes have equally many of them."""
    return [
        Target("POST", CREATE_PATH, one.customers.authorization(one.accounts + number), "", ORDER)
        for number in range(CUSTOMERS)
    ]


def _statuses(one: Aged) -> list[Target]:
    query = (
        "SELECT id FROM generation_generation WHERE account_id = md5(%s || '-account-' || %s)::uuid"
        " AND state = 'completed' ORDER BY created_at LIMIT 100"
    )
    with one.stage.owner() as connection:
        return [
            Target("GET", f"/api/v1/generate/{row[0]}/", one.customers.authorization(number))
            for number in range(min(one.accounts, 20))
            for row in connection.execute(query, (one.customers.tag, number)).fetchall()
        ]


def _pages(one: Aged, path: str) -> list[Target]:
    return [
        Target("GET", path, one.customers.authorization(number))
        for number in range(min(one.accounts, 100))
    ]


def _probe(stage: Stage, call: str) -> dict[str, Any]:
    """What a function of dev/benchmarks/probes.py says, with the services' settings."""
    code = f"from {__package__} import probes; probes.tell(probes.{call})"
    found: dict[str, Any] = json.loads(stage.stack.manage("shell", "--no-imports", "-c", code))
    return found


def _megabytes(stage: Stage) -> int:
    with stage.owner() as connection:
        row = connection.execute("SELECT pg_database_size(current_database())").fetchone()
    return int(row[0] / 1e6) if row else 0
