"""Redis/Valkey absent, hung, emptied, killed and full, while customers order."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

from dev.chaos.outages_floors import Report
from dev.chaos.outages_load import Answer, Client, milliseconds
from dev.chaos.outages_site import WORKERS, Site

RATE = 28.0  # creates a second
SECONDS = 4.0  # of one phase; 9 of them make 1,008 orders
ROUNDS = 3  # of all phases in turn; the median of the three lets one slow moment of the machine be
TELLING = 500.0  # milliseconds; a machine that needs more with Redis present cannot tell
SLOWER_BY = 50.0  # milliseconds that a Redis in trouble may cost at the 99th percentile
NOTICED = 2.0  # seconds in which the web finds that Redis is back
AWAY = 5.0  # seconds between the broker's death and its return
FULL = 5.0  # seconds of orders while it has no byte left
DRAIN = 150.0  # seconds; below the deadline of what was ordered first


def absent_or_hung(site: Site, client: Client, report: Report) -> int:
    """Order in every state of Redis; return how many orders are queued then.

    The workers are held in all phases, since their work differs with the ticks they get: only the
    cost of Redis for a create is measured.
    """
    site.freeze(*WORKERS)
    client.play("warm-up", RATE, 1.0)  # every thread of the web opens its connection
    phases: dict[str, list[list[Answer]]] = {"present": [], "absent": [], "hung": []}
    changes: dict[str, tuple[Callable[[], None], Callable[[], None]]] = {
        "present": (lambda: None, lambda: None),
        "absent": (lambda: site.kill("valkey"), lambda: site.stack.restart("valkey")),
        "hung": (lambda: site.freeze("valkey"), lambda: site.freeze("valkey", go_on=True)),
    }
    for _ in range(ROUNDS):
        for name, (begin, end) in changes.items():
            time.sleep(NOTICED)
            begin()
            phases[name].append(client.play("queued", RATE, SECONDS))
            end()
    everything = [each for rounds in phases.values() for phase in rounds for each in phase]
    report.none_of("creates_not_201", [_told(each) for each in everything if each.status != 201])
    _compare(report, phases)
    return len(everything)


def _compare(report: Report, phases: dict[str, list[list[Answer]]]) -> None:
    """Medians over the rounds; p99 of 112 answers is the slowest but one."""
    p99 = {}
    for name, rounds in phases.items():
        p50 = statistics.median(milliseconds(phase, 0.5) for phase in rounds)
        p99[name] = statistics.median(milliseconds(phase, 0.99) for phase in rounds)
        report.note(f"create_p50_ms_{name}", p50)
        bound = TELLING if name == "present" else p99["present"] + SLOWER_BY
        report.at_most(f"create_p99_ms_{name}", p99[name], bound)
    for name in ("absent", "hung"):
        report.note(f"create_p99_slower_ms_{name}", round(p99[name] - p99["present"], 1))


def flushed_and_killed(site: Site, report: Report, queued: int) -> None:
    """Empty and kill the broker under a full queue; the workers are held until it is empty."""
    report.exactly("queued_at_flushall", site.queued("queued"), queued)
    site.redis(lambda redis: redis.flushall())
    site.freeze(*WORKERS, go_on=True)
    time.sleep(1)
    site.kill("valkey")
    report.note("queued_at_broker_kill", site.queued("queued"))
    time.sleep(AWAY)
    site.stack.restart("valkey")
    report.at_most("queued_drained_s", site.drained_in(DRAIN), DRAIN)
    report.none_of("queued_unfinished", site.unfinished("queued", queued))


def full(site: Site, client: Client, report: Report) -> None:
    """Order while Redis refuses every write, then give it room again."""
    site.redis(lambda redis: redis.config_set("maxmemory", "1"))
    answers = client.play("full", RATE, FULL)
    site.redis(lambda redis: redis.config_set("maxmemory", "0"))
    refused = [_told(each) for each in answers if each.status != 201]
    report.none_of("creates_not_201_full", refused)
    report.note("create_p99_ms_full", milliseconds(answers, 0.99))
    report.at_most("full_drained_s", site.drained_in(DRAIN), DRAIN)
    report.none_of("full_unfinished", site.unfinished("full", len(answers)))


def _told(answer: Answer) -> str:
    return f"{answer.key}: {answer.wrong or answer.status}"
