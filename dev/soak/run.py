"""One run: bring it up, load it steadily, read the gauges, judge."""

from __future__ import annotations

import time
from pathlib import Path

import psutil

from dev.chaos.accounts import endow
from dev.chaos.folder import run_folder
from dev.embedded.environment import Options
from dev.embedded.stack import Stack
from dev.soak import TIME_SCALE
from dev.soak.customers import Customers
from dev.soak.gauges import Gauges, Sample
from dev.soak.verdict import Verdict, judge

SAMPLES = 120  # of a run, but not more often than every LEAST_INTERVAL
LEAST_INTERVAL = 2.0  # seconds
TURN = 0.02
DROPPED = 0.1  # of the requests, at most; with more of them the load was not a steady one
REPORT = 30.0  # seconds between two lines of progress
# The other limits are as in production. A window remembers as many requests as its limit allows:
# with a limit of a billion it would grow for ever.
FAILURES_A_MINUTE = 15  # for each order a second, from the one address of all customers
PLENTY = {
    "MAX_OPEN_GENERATIONS": "1000",
    "RATE_LIMIT_REGISTRATIONS": "1000",
    "RATE_LIMIT_LOGINS": "100",
    "RATE_LIMIT_ANONYMOUS": "1000",
}


def run(seconds: float, rate: float) -> Verdict:
    """Do it and print what came of it; the folder with the logs is kept when something is wrong."""
    print(f"soak for {seconds:.0f} s, {rate:g} orders a second", flush=True)
    with run_folder("soak") as folder:
        with Stack(folder.path / "var", _options(folder.path, rate)) as stack:
            verdict = _load(stack, seconds, rate)
        print(verdict.table())
        for problem in verdict.problems:
            print(f"PROBLEM {problem}")
        folder.is_kept = bool(verdict.problems)
    print(verdict.line(), flush=True)
    return verdict


def _options(folder: Path, rate: float) -> Options:
    own = {
        "OUTPUT_ROOT": f"{folder}/outputs",
        "WORK_DIR": f"{folder}/work",
        # the descriptors of another process are counted as a debugger would look at it
        "ALLOW_DEBUGGERS": "1",
        "RATE_LIMIT_AUTH_FAILURES": str(100 + int(rate * FAILURES_A_MINUTE)),
    }
    return Options(time_scale=TIME_SCALE, emulator_plain=True, environment=own | PLENTY)


def _load(stack: Stack, seconds: float, rate: float) -> Verdict:
    gauges = Gauges(stack)
    customers = Customers(stack.base_url, str(stack.emulator_url), rate)
    endow(stack.owner_url)
    times: list[float] = []
    samples: list[Sample] = []
    interval = max(LEAST_INTERVAL, seconds / SAMPLES)
    try:
        customers.fill_pools(gauges.pools, gauges.slow_redis)
        began = reported = time.monotonic()
        while (now := time.monotonic() - began) < seconds:
            customers.play()
            if now >= len(samples) * interval:
                times.append(now)
                samples.append(gauges.read())
            if now - (reported - began) >= REPORT:
                reported = time.monotonic()
                _report(now, samples[-1])
            time.sleep(TURN)
        series = {name: [sample[name] for sample in samples] for name in samples[0]}
        verdict = judge(times, series, dict(customers.answers), gauges.states())
        if customers.dropped > DROPPED * sum(customers.answers.values()):
            verdict.problems.append(f"{customers.dropped} requests were not sent: too slow here")
    except psutil.NoSuchProcess as error:
        message = f"a process died under load: {error}"
        raise RuntimeError(message) from error
    finally:
        customers.close()
        gauges.close()
    return verdict


def _report(now: float, sample: Sample) -> None:
    memory = sum(value for name, value in sample.items() if name.endswith(" rss_mb"))
    waiting = sample["generations open"]
    print(f"  {now:5.0f} s: {memory:.0f} MB, {waiting:.0f} generations open", flush=True)
