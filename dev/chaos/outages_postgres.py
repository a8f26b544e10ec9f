"""PostgreSQL stopped in the middle of it, and started again by hand two seconds later."""

from __future__ import annotations

import signal
import time
from concurrent.futures import ThreadPoolExecutor

from dev.chaos.outages_floors import Report
from dev.chaos.outages_load import Answer, Client
from dev.chaos.outages_site import Site

RATE = 20.0  # requests a second, every second one a create
SECONDS = 12.0
BEFORE = 2.0  # seconds of ordinary service
AWAY = 2.0  # seconds
RECOVERED = 5.0  # seconds from its return to the first 201, and to the last 503
SLOWEST = 5.0  # seconds; a hang is no answer
REPLAYED = 60.0  # seconds in which every key has to get its 201
DRAIN = 90.0


def restarted(site: Site, client: Client, report: Report) -> None:
    """Orders and reads go on meanwhile; orders without a 201 are repeated afterwards."""
    earlier = client.order("before", 10)
    with ThreadPoolExecutor(1) as pool:
        load = pool.submit(client.play, "steady", RATE, SECONDS, earlier[0].generation_id)
        time.sleep(BEFORE)
        site.kill("postgres", signal.SIGQUIT)  # its "immediate" stop: every session dies at once
        time.sleep(AWAY)
        site.stack.restart("postgres")
        returned = time.monotonic()
        answers = load.result()
    _judge_answers(report, answers, returned)
    creates = [answer for answer in answers if answer.key]
    report.none_of("postgres_keys_wrong", _replay(client, creates))
    report.at_most("postgres_drained_s", site.drained_in(DRAIN), DRAIN)
    report.none_of("postgres_orders_before_unfinished", site.unfinished("before", len(earlier)))
    report.none_of("postgres_unfinished", site.unfinished("steady", len(creates)))


def _judge_answers(report: Report, answers: list[Answer], returned: float) -> None:
    refused = [answer for answer in answers if answer.status == 503]
    again = [answer.ended - returned for answer in answers if answer.status == 201]
    report.none_of("postgres_wrong_answers", [answer.wrong for answer in answers if answer.wrong])
    report.note("postgres_answers_503", len(refused))
    if not refused:
        report.missed.append("postgres_answers_503 is 0: nobody noticed that it was away")
    slowest = max(answer.seconds for answer in answers)
    report.at_most("postgres_slowest_answer_s", round(slowest, 2), SLOWEST)
    first = min((after for after in again if after > 0), default=None)
    report.at_most(
        "postgres_first_201_after_s", None if first is None else round(first, 2), RECOVERED
    )
    last = max(0.0, *(answer.ended - returned for answer in refused), 0.0)
    report.at_most("postgres_last_503_after_s", round(last, 2), RECOVERED)


def _replay(client: Client, creates: list[Answer]) -> list[str]:
    """Repeat every create with its key until its 201; return what went wrong."""
    wrong = []
    limit = time.monotonic() + REPLAYED
    for first in creates:
        again = client.create(first.key)
        while again.status != 201 and time.monotonic() < limit:
            time.sleep(0.2)
            again = client.create(first.key)
        if again.status != 201:
            wrong.append(f"{first.key}: {again.wrong or again.status}")
        elif first.generation_id and first.generation_id != again.generation_id:
            wrong.append(f"{first.key}: {first.generation_id}, then {again.generation_id}")
    return wrong
