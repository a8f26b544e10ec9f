"""One run: bring it up, load it, break it, let it calm down, judge it."""

from __future__ import annotations

import shutil
import tempfile
import time
from pathlib import Path

import psycopg

from chaos import controls
from chaos.customers import Customers
from chaos.faults import Faults
from chaos.fleet import Fleet
from chaos.verdict import DRAIN_SECONDS, Run, Verdict, judge, table

TURN = 0.05  # seconds between two looks at what is due
REPORT = 10.0  # seconds between two lines of progress
GIVE_UP = 2 * DRAIN_SECONDS
COUNTS = """
SELECT count(*) FILTER (WHERE finished_at IS NULL), count(*) FILTER (WHERE state = 'completed'),
       count(*) FILTER (WHERE state IN ('failed', 'canceled')) FROM generation_generation
"""


def run(seconds: float, seed: int, control: str | None = None) -> Verdict:
    """Do it and print what happened; the folder with the logs is kept when something was wrong."""
    folder = Path(tempfile.mkdtemp(prefix="reelmint-chaos-"))
    print(f"chaos for {seconds:.0f} s, seed {seed}" + (f", {control}" if control else ""))
    fleet = Fleet(folder, seed, controls.MODULES[control] if control else None)
    try:
        fleet.start()
        if control:
            controls.prepare(control, fleet.stack.owner_url)
        verdict = _under_fire(fleet, seconds, seed)
    finally:
        fleet.stop()
    for problem in verdict.problems:
        print(f"VIOLATION {problem}")
    if verdict.problems and not control:
        print(f"The logs are in {folder}")
    else:
        shutil.rmtree(folder)
    print(verdict.line(), flush=True)
    return verdict


def _under_fire(fleet: Fleet, seconds: float, seed: int) -> Verdict:
    customers = Customers(fleet.base_urls, seed)
    try:
        secrets = customers.start()
        faults = Faults(fleet, seed)
        began = reported = time.monotonic()
        while (now := time.monotonic()) < began + seconds:
            faults.play()
            fleet.repair()
            if now - reported >= REPORT:
                reported = now
                total = faults.tally.total() + fleet.crashes().total()
                print(f"{now - began:6.0f} s  {total} faults  {_progress(fleet)}", flush=True)
            time.sleep(TURN)
        faults.end()
        customers.stop()
        fleet.disarm()
        drain = _drain(fleet, customers)
        result = Run(seconds, seed, faults.tally, fleet.crashes(), drain, secrets)
        verdict = judge(fleet, customers.book, result)
        print(table(verdict, customers.book))
        return verdict
    finally:
        customers.close()


def _drain(fleet: Fleet, customers: Customers) -> float | None:
    """Seconds from the last fault until nothing was open; None when that never came."""
    began = reported = time.monotonic()
    while (now := time.monotonic()) < began + GIVE_UP:
        fleet.repair()
        still_open = _open(fleet)
        if still_open == 0 and customers.are_done():
            return now - began
        if now - reported >= REPORT:
            reported = now
            print(f"{now - began:6.0f} s after the last fault  {_progress(fleet)}", flush=True)
        time.sleep(TURN * 4)
    return None


def _counts(fleet: Fleet) -> tuple[int, int, int] | None:
    try:
        with psycopg.connect(fleet.stack.owner_url, connect_timeout=2) as connection:
            row = connection.execute(COUNTS).fetchone()
    except psycopg.OperationalError:
        return None  # it is being restarted
    return None if row is None else (row[0], row[1], row[2])


def _open(fleet: Fleet) -> int | None:
    counts = _counts(fleet)
    return None if counts is None else counts[0]


def _progress(fleet: Fleet) -> str:
    counts = _counts(fleet)
    if counts is None:
        return "the database is away"
    return f"{counts[0]} open, {counts[1]} completed, {counts[2]} refunded"
