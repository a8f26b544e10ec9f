"""A whole run at DEBUG, everything used and misused, things broken; then nobody can read a secret.

Sought in the logs of all processes, the database's dump, Redis and all that went through it, the
workers' folder and the command lines. The private key of the provider's account and its tokens are
sought, too.
"""

from __future__ import annotations

import json
import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from dev.chaos.accounts import endow
from dev.embedded.environment import Options
from dev.embedded.stack import Stack
from tests.system.faults.leak_breaks import break_rules, break_things, plain_web, plant
from tests.system.faults.leak_operator import operate
from tests.system.faults.leak_search import (
    Monitor,
    Needle,
    Places,
    command_lines,
    database,
    folder,
    redis_content,
    search,
)
from tests.system.faults.leak_traffic import Buyer, Noted
from tests.system.faults.leak_webhooks import Listener, all_were_played, listening, use_webhooks

TIME_SCALE = 0.02  # a video takes 0.9 s, the window of a lost submission 18 s, the deadline 36 s
MANY = "1000000"
LIMITS = (
    *("RATE_LIMIT_CREATES", "RATE_LIMIT_READS", "RATE_LIMIT_ANONYMOUS", "RATE_LIMIT_LOGINS"),
    *("RATE_LIMIT_REGISTRATIONS", "RATE_LIMIT_AUTH_FAILURES", "MAX_OPEN_GENERATIONS"),
)
ACCESS_LOG = "--access-logfile - --log-level debug"
PROVIDER_TOKENS = (
    Needle("an access token of the provider", pattern=rb"emulated\.[\w-]{32}"),
    Needle("a signed assertion", pattern=rb"eyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{10,}"),
)
# Of what the run has to have caused: without it, nothing found means nothing.
EVIDENCE = {
    "log web.log": [
        rb"\[debug    \] .*\[gunicorn\.error\]",
        rb'"GET /media/\S+\.mp4\?\xe2\x80\xa6 HTTP/1\.1" 200.* \[gunicorn\.access\]',
        rb"Invalid request from ip=127\.0\.0\.1: Invalid HTTP.* \[gunicorn\.error\]",
        rb"\[error    \] unhandled error on /api/v1/generate/video.* \[common\.api\.shape\]",
        rb"psycopg\.errors\.CheckViolation: new row for relation",
        rb"psycopg\.errors\.UndefinedColumn: column .* does not exist\n",
        rb"database away",
        rb"rate limits are counted per process",
        rb"Not Found: /rmt_\xe2\x80\xa6/",
    ],
    "log web-plain.log": [
        rb'"level":"ERROR","logger":"common\.api\.shape","event":"unhandled error',
        rb"GET /media/\S+\?\xe2\x80\xa6",
        rb'"logger":"access","event":"request"',
    ],
    "log submit.log": [rb"\[debug    \] .*\[celery", rb"violates check constraint .forced_worker"],
    "database generation_generation.last_error (meanwhile)": [rb"forced_worker"],
    "log deliver.log": [
        rb"\[debug    \] .*\[celery",
        rb"violates check constraint .forced_deliver",
    ],
    "log beat.log": [rb"\[debug  "],
    "log postgres.log": [rb"ERROR:  duplicate key", rb"ERROR:  new row for relation"],
    "redis traffic": [rb'"LPUSH" "submit"', rb"generation\.submit"],
}


@pytest.fixture(autouse=True)
def _clean_slate() -> None:
    """Nothing to sweep: the stack has servers of its own."""


@pytest.fixture(scope="module")
def noted() -> Noted:
    return Noted()


@pytest.fixture(scope="module")
def listener(noted: Noted) -> Iterator[Listener]:
    with listening(noted) as made:
        yield made


@pytest.fixture(scope="module")
def noisy(listener: Listener) -> Iterator[Stack]:
    """Everything at DEBUG, with Django's own DEBUG on the first of the two web servers."""
    here = Path(tempfile.mkdtemp(prefix="rm-leaks-"))
    own = {"OUTPUT_ROOT": f"{here}/outputs", "WORK_DIR": f"{here}/work"}
    own["WEBHOOK_ALLOWED_ORIGINS"] = listener.origin
    levels = {"LOG_LEVEL": "DEBUG", "DEBUG": "1", "GUNICORN_CMD_ARGS": ACCESS_LOG}
    options = Options(
        time_scale=TIME_SCALE,
        emulator_plain=True,
        environment=own | levels | dict.fromkeys(LIMITS, MANY),
    )
    stack = Stack(here / "var", options)
    try:
        stack.start()
        yield stack
    finally:
        stack.stop()
        shutil.rmtree(here)


@pytest.fixture(scope="module")
def buyers(noisy: Stack, noted: Noted) -> Iterator[list[Buyer]]:
    """One on each web server."""
    urls = {"debug": noisy.base_url, "plain": plain_web(noisy)}
    made = [Buyer(noted, urls[name], str(noisy.emulator_url), name) for name in urls]
    endow(noisy.owner_url)
    yield made
    for buyer in made:
        buyer.close()


@pytest.fixture(scope="module")
def run(
    noisy: Stack, noted: Noted, buyers: list[Buyer], listener: Listener
) -> tuple[Noted, Places, str]:
    """What was secret, what everybody left behind, and what was planted."""
    monitor = Monitor(noisy)
    staff = ("--staff", "--skip-checks", "--password", noted.canary("an operator's password"))
    made = json.loads(noisy.manage("create_account", "op@example.com", *staff))
    key = noted.secret("an operator's key", made["key"])
    for buyer in buyers:
        buyer.order_everything()
        buyer.log_in_and_out()
        buyer.make_keys()
        use_webhooks(noted, buyer, listener)
        buyer.misplace()
        buyer.talk_broken_http()
    assert all_were_played(listener)
    password = staff[-1]
    codes: list[str] = []
    for buyer in buyers:
        url = buyer.base_url
        password = operate(
            noted, url, made["user"], made["username"], password, sought=key, codes=codes
        )
    assert sum(buyer.fetch(buyer.wait(60)) for buyer in buyers) >= 10
    places = break_rules(noted, noisy, buyers, listener)
    break_things(noisy, buyers)
    for buyer in buyers:
        buyer.wait(90)
    account = json.loads((noisy.var_dir / "emulator-credentials.json").read_text())
    for number, line in enumerate(account["private_key"].splitlines()[1:-1]):
        noted.secret(f"line {number} of the provider's private key", line)
    planted = plant(noisy)
    places |= noted.pages
    places |= {"redis": redis_content(noisy), "command lines": command_lines(noisy)}
    places |= {"redis traffic": monitor.stop()} | database(noisy)
    places |= folder("work", Path(noisy.env["WORK_DIR"]))
    noisy.stop()  # what they say at the end is searched, too
    return noted, places | folder("log", noisy.var_dir / "log"), planted


def test_the_run_was_what_it_should_be(run: tuple[Noted, Places, str]) -> None:
    _, places, _ = run
    missing = [
        f"{pattern!r} in {place}"
        for place, patterns in EVIDENCE.items()
        for pattern in patterns
        if not re.search(pattern, places[place])
    ]
    assert missing == []


def test_the_search_finds_what_is_there(run: tuple[Noted, Places, str]) -> None:
    _, places, planted = run
    findings = search(places, [Needle("it", planted)])
    found = {finding.removeprefix("it in ").partition(":")[0] for finding in findings}
    assert found == {
        *("log store.log", "command lines", "work names", "work planted", "redis"),
        *("redis traffic", "sessions", "database accounts_account.suspended_reason"),
    }
    token = {"a log": b"sent emulated.0123456789-abcdefghijklmnopqrst_ once"}
    assert len(search(token, PROVIDER_TOKENS)) == 1


def test_nothing_leaks(run: tuple[Noted, Places, str]) -> None:
    noted, places, _ = run
    assert len(noted.needles) > 150
    assert len(places) > 80
    findings = search(places, [*noted.needles, *PROVIDER_TOKENS])
    assert findings == [], "\n".join(findings)


def test_prompts_are_where_they_may_be(run: tuple[Noted, Places, str]) -> None:
    """So the allowed places are real ones, and the dump is of the right database."""
    noted, places, _ = run
    prompts = [needle for needle in noted.needles if needle.name == "the prompt of an image"]
    assert len(prompts) == 2
    for needle in prompts:
        assert search(places, [Needle(needle.name, needle.value)]) != []
