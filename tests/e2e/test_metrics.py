"""What a live stack answers at /metrics, and whether ops/ speaks of what is really there."""

from __future__ import annotations

import re

import httpx
import psutil
import psycopg
import pytest

from dev.embedded.processes import wait_until
from dev.embedded.stack import Stack
from tests.e2e.conftest import COUNTING
from tests.e2e.customer import IMAGE, VIDEO, Customer
from tests.support.ops_words import LABELS, METRIC, expressions
from tests.support.scraped import Samples, samples, value

LABEL = re.compile(r"(\w+)\s*[=!]~?")
BY = re.compile(r"\bby \(([^)]*)\)")
# Labels that Prometheus adds, or that only mean something to it.
ITS_OWN = {"job", "instance", "le"}


def urls(stack: Stack) -> dict[str, str]:
    """Where each program answers."""
    first = int(stack.options.environment["WORKER_METRICS_PORT"])
    workers = {name: f"http://127.0.0.1:{first + n}/metrics" for n, name in enumerate(COUNTING)}
    serving = {"web": f"{stack.base_url}/metrics", "waiter": f"{stack.waiter_url}/metrics"}
    return serving | workers


def scrape(stack: Stack, name: str) -> Samples:
    return samples(httpx.get(urls(stack)[name], timeout=10).raise_for_status().text)


def everything(stack: Stack) -> Samples:
    """What Prometheus would have of all programs; equal series are added up."""
    found: Samples = {}
    for name in urls(stack):
        for key, count in scrape(stack, name).items():
            found[key] = found.get(key, 0.0) + count
    return found


@pytest.fixture(scope="module")
def seen(stack: Stack, rich: Customer) -> Samples:
    """After orders that came to different ends, and a look into the books."""
    ordered = [
        rich.create(VIDEO, "Seen by Prometheus"),
        rich.create(IMAGE, "Seen, too"),
        rich.create(VIDEO, "Refused [emulator:filtered]"),
    ]
    for generation_id in ordered:
        rich.finished(generation_id)
    for command in ("check_ledger", "check_generations"):
        stack.manage(command, "--skip-checks")
    rich.create(VIDEO, "Still open [emulator:slow=300]")  # 9 s: longer than gauges are kept
    found: Samples = {}

    def all_there() -> bool:
        found.update(everything(stack))
        return not {OLDEST, SEEN} - {name for name, _ in found}

    assert wait_until(all_there, 20, 0.5)
    return found


def test_the_books_are_checked_without_anybody_asking(stack: Stack) -> None:
    """Only a worker that claimed it moves when it is due to the night."""
    due = (
        "SELECT command FROM credits_nightlycheck WHERE (due_at AT TIME ZONE 'UTC')::time = '02:00'"
    )

    def checked() -> set[str]:
        with psycopg.connect(stack.owner_url) as connection:
            return {str(command) for (command,) in connection.execute(due)}

    books = {"check_ledger", "check_generations", "check_payments"}
    assert wait_until(lambda: checked() == books, 60, 0.5)


SEEN = "reelmint_worker_seen_seconds"
OLDEST = "reelmint_oldest_open_seconds"
RUNS = "reelmint_stage_runs_total"


def test_rules_and_dashboard_speak_of_what_exists(seen: Samples) -> None:
    """Names, and labels that these names really have."""
    labels: dict[str, set[str]] = {}
    for name, found in seen:
        labels.setdefault(name, set()).update(label for label, _ in found)
    for where, expression in expressions().items():
        used = set(METRIC.findall(expression))
        assert used - set(labels) == set(), where
        for name, matchers in LABELS.findall(expression):
            assert set(LABEL.findall(matchers)) <= labels[name] | ITS_OWN, where
        known = ITS_OWN.union(*(labels[name] for name in used))
        for group in BY.findall(expression):
            assert {word.strip() for word in group.split(",")} <= known, where


def test_what_is_counted_is_shown_to_somebody(seen: Samples) -> None:
    """A metric that neither a rule nor the dashboard uses is a cost without a reader."""
    used = {name for text in expressions().values() for name in METRIC.findall(text)}
    families = {re.sub(r"_(bucket|sum|count)$", "", name) for name in used}
    shown = used | families
    for name, _ in seen:
        if name.startswith("reelmint_"):
            assert name in shown or re.sub(r"_(bucket|sum|count)$", "", name) in shown, name


def test_every_program_counts_its_own(stack: Stack, seen: Samples) -> None:
    for stage in ("submit", "poll", "store"):
        found = scrape(stack, stage)
        assert value(found, "reelmint_stage_rows_total", stage=stage) > 0
        assert not [name for name, _ in found if name.startswith("reelmint_oldest")]
    assert value(scrape(stack, "beat"), "reelmint_ticks_total", stage="poll") > 0
    assert value(scrape(stack, "web"), "reelmint_database_up") == 1


def test_the_web_adds_up_its_processes(stack: Stack, rich: Customer) -> None:
    labels = {"route": "credits", "method": "GET", "status": "200"}
    before = value(scrape(stack, "web"), "reelmint_http_requests_total", **labels)
    for _ in range(40):  # on connections of their own, so that both processes get some
        httpx.get(f"{stack.base_url}/api/v1/credits/", headers=rich.http.headers)
    after = value(scrape(stack, "web"), "reelmint_http_requests_total", **labels)
    assert after == before + 40


def test_a_killed_web_process_takes_no_count_along(stack: Stack, rich: Customer) -> None:
    """gunicorn's child_exit: what it counted stays, what it was answering is not answered."""
    name = "reelmint_http_requests_total"
    before = {key: count for key, count in scrape(stack, "web").items() if key[0] == name}
    web = psutil.Process(stack.processes.children["web"].pid)
    count = len(web.children())
    victim = web.children()[0]
    victim.kill()
    assert wait_until(lambda: not victim.is_running() and len(web.children()) == count, 10)
    assert wait_until(lambda: httpx.get(f"{stack.base_url}/livez").is_success, 10)
    after = scrape(stack, "web")
    assert {key: after[key] for key in before if after[key] < before[key]} == {}
    assert value(after, "reelmint_http_requests_in_progress") == 0


def test_a_worker_keeps_its_counts_and_its_port_when_its_process_dies(
    stack: Stack, rich: Customer
) -> None:
    labels = {"stage": "poll", "outcome": "idle"}
    before = value(scrape(stack, "poll"), RUNS, **labels)
    worker = psutil.Process(stack.processes.children["poll"].pid)
    for child in worker.children():
        child.kill()
    # a run that finds something to poll ends after 20 s, and counts as no idle one
    assert wait_until(lambda: value(scrape(stack, "poll"), RUNS, **labels) > before, 60, 0.2)
    stack.restart("poll")  # a new program begins anew, at the same port
    assert wait_until(lambda: answers(stack, "poll"), 20, 0.2)
    rich.finished(rich.create(VIDEO, "After the restart"))


def answers(stack: Stack, name: str) -> bool:
    try:
        return httpx.get(urls(stack)[name], timeout=2).is_success
    except httpx.HTTPError:
        return False
