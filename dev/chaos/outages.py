"""Outages of Redis and PostgreSQL, one after another, each with figures that must be reached.

``python -m dev.chaos outages`` ends with a line of JSON; exit code 1 when a floor was missed.
"""

from __future__ import annotations

import json
import time

from dev.chaos import outages_postgres, outages_redis
from dev.chaos.folder import run_folder
from dev.chaos.outages_floors import Report
from dev.chaos.outages_load import Client
from dev.chaos.outages_site import Site
from dev.embedded import StackError


def run() -> Report:
    """Play all of it on one stack; the folder with the logs is kept when a floor was missed."""
    began = time.monotonic()
    report = Report()
    with run_folder("outages") as folder:
        site = Site(folder.path)
        try:
            client = site.start()
            _say("Everything is up.")
            _play(site, client, report)
            client.close()
        finally:
            site.stop()
        report.note("seconds", round(time.monotonic() - began))
        print(report.table())
        for sentence in report.missed:
            print(f"MISSED {sentence}")
        folder.is_kept = bool(report.missed)
    print(json.dumps(report.figures | {"missed": len(report.missed)}), flush=True)
    return report


def _play(site: Site, client: Client, report: Report) -> None:
    _say("Redis present, absent and hung, while orders come in ...")
    queued = outages_redis.absent_or_hung(site, client, report)
    _say(f"FLUSHALL and kill -9 of the broker with {queued} orders queued ...")
    outages_redis.flushed_and_killed(site, report, queued)
    _say("Redis without a free byte ...")
    outages_redis.full(site, client, report)
    _say("PostgreSQL stopped and started again ...")
    outages_postgres.restarted(site, client, report)
    report.exactly("bought_twice", site.bought_twice(), 0)
    report.none_of("dead_programs", site.dead())
    report.none_of("books_wrong", _own_checks(site))


def _own_checks(site: Site) -> list[str]:
    wrong = []
    for command in ("check_ledger", "check_generations"):
        try:
            site.stack.manage(command, "--skip-checks")
        except StackError as error:
            wrong.append(str(error))
    return wrong


def _say(sentence: str) -> None:
    print(sentence, flush=True)
