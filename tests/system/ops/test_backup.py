"""A dump made under load is restored into a new database, and the service goes on with it."""

from __future__ import annotations

import json
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
import redis

from dev.embedded.paths import CHECKOUT
from dev.embedded.postgres import SUPERUSER, bin_dir
from tests.support import compose
from tests.system.ops.deployment import Deployment, database_url, new_database

SERVICES = (
    "web",
    "worker-prepare",
    "worker-submit",
    "worker-poll",
    "worker-store",
    "worker-settle",
    "worker-mail",
    "worker-deliver",
    "beat",
)
GUIDE = (CHECKOUT / "docs" / "production.md").read_text()
DUMP = "pg_dump --username postgres --format custom reelmint"
RESTORE = "pg_restore --username postgres --dbname restored --exit-on-error"
CREDITS = 100_000
REDIS = 10
# one that is made at once, one under way for long, one whose answer is lost, two that fail
PROMPTS = (
    *("a fox", "a fox [emulator:slow=3]", "a fox [emulator:accepted-then-502]"),
    *("a fox [emulator:filtered]", "a fox [emulator:busy=1]"),
)


def postgres(command: str, database: str, **how: Any) -> subprocess.CompletedProcess[bytes]:
    """A command of the guide, which there runs in PostgreSQL's container."""
    assert command in GUIDE
    program, *words = command.split()
    url = database_url(SUPERUSER, database)
    words = [url if word in ("reelmint", "restored") else word for word in words]
    words = [word for word in words if word not in ("--username", SUPERUSER)]
    return subprocess.run([str(bin_dir() / program), *words], check=True, **how)


class Load:
    """A customer who orders five times a second until told to stop."""

    def __init__(self, url: str, key: str) -> None:
        headers = {"Authorization": f"Bearer {key}"}
        self.http = httpx.Client(base_url=url, headers=headers, timeout=20)
        self.orders: list[str] = []
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._order)
        self._thread.start()

    def _order(self) -> None:
        while not self._stopping.wait(0.2):
            prompt = PROMPTS[len(self.orders) % len(PROMPTS)]
            answer = self.http.post("/api/v1/generate/video/", json={"prompt": prompt})
            if answer.status_code == 201:
                self.orders.append(answer.json()["data"]["generation_id"])

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join()
        self.http.close()


@pytest.fixture
def deployment() -> Iterator[Deployment]:
    here = Deployment(Path(tempfile.mkdtemp(prefix="rm-backup-")), "original", REDIS)
    here.values |= {"RATE_LIMIT_CREATES": "10000", "MAX_OPEN_GENERATIONS": "1000"}
    try:
        yield here
    finally:
        here.kill()


def start(deployment: Deployment, *names: str) -> None:
    for name in names:
        deployment.start(name)
    deployment.wait_healthy(names[0])


def states(database: str) -> dict[str, str]:
    with psycopg.connect(database_url(SUPERUSER, database)) as connection:
        rows = connection.execute("SELECT id::text, state FROM generation_generation").fetchall()
    return dict(rows)


def bought(deployment: Deployment, table: str = "by_label") -> dict[str, int]:
    """How often the provider accepted each generation."""
    url = deployment.replacements["http://emulator:9000"]
    return dict(httpx.get(f"{url}/emulator/stats").json()[table]["generation"])


def paid(deployment: Deployment) -> dict[str, int]:
    """How often the provider bills each: what it blocked leaves no file, and is billed nothing."""
    return bought(deployment, "billed_by_label")


def test_a_dump_made_under_load_goes_on_where_it_was(deployment: Deployment) -> None:
    new_database("original")
    deployment.run("web", deployment.replaced(compose.collect_static()))
    deployment.run("migrate", compose.shell(deployment.command("migrate")))
    start(deployment, "emulator")
    start(deployment, *SERVICES)
    line = f"python manage.py create_account you@example.com --credits {CREDITS}"
    key = json.loads(deployment.run("web", line))["key"]
    url = f"http://localhost:{deployment.ports['web']}"

    with psycopg.connect(database_url(SUPERUSER, "original"), autocommit=True) as connection:
        connection.execute("UPDATE generation_catalogmodel SET submits_per_minute = 6000")
    load = Load(url, key)
    deployment.wait(lambda: "completed" in states("original").values(), *SERVICES)
    for name in ("worker-submit", "worker-poll"):  # so that the dump has queued and running ones
        deployment.stop(name)
    time.sleep(1.5)
    dump = deployment.folder / "reelmint.dump"
    with dump.open("wb") as file:
        postgres(DUMP, "original", stdout=file)
    start_again = ("worker-submit", "worker-poll")
    for name in start_again:
        deployment.start(name)
    # what the dump does not know: more orders, and what was queued is bought
    then = [pk for pk, state in states("original").items() if state == "queued"]
    deployment.wait(lambda: sum(bought(deployment).get(pk, 0) for pk in then) >= 3, *SERVICES)
    load.stop()
    for name in SERVICES:
        deployment.stop(name)
    before = bought(deployment)

    new_database("restored")
    roles = (CHECKOUT / "ops" / "postgres" / "roles.sql").read_text()
    with psycopg.connect(database_url(SUPERUSER, "restored"), autocommit=True) as connection:
        connection.execute(roles.encode())
    with dump.open("rb") as file:
        postgres(RESTORE, "restored", stdin=file)
    with redis.Redis.from_url(deployment.replacements["redis://redis:6379/0"]) as client:
        client.flushdb()
    for old, new in list(deployment.replacements.items()):
        deployment.replacements[old] = new.replace("/original?", "/restored?")
    kept = states("restored")
    queued = [pk for pk, state in kept.items() if state == "queued"]
    assert len(kept) < len(load.orders)  # there was a load, also after the dump
    assert len(set(kept.values()) - {"completed", "failed", "canceled"}) >= 2, kept
    assert any(before.get(pk) for pk in queued), "nothing was bought that the dump has as queued"

    for command in ("migrate", "check_ledger", "check_generations"):
        deployment.run("migrate", f"python manage.py {command}")
    said = deployment.run("web", "python manage.py after_restore")
    assert said.startswith(f"{len(queued)} queued generations")
    start(deployment, *SERVICES)
    deployment.wait(lambda: not open_ones(), *SERVICES)
    for command in ("check_ledger", "check_generations"):
        deployment.run("web", f"python manage.py {command}")

    # what was ordered is made or paid back, and the provider was asked once for what it had made
    ended = states("restored")
    assert set(ended) == set(kept)
    assert set(ended.values()) <= {"completed", "failed"}
    assert sum(ended[pk] == "completed" for pk in queued if before.get(pk)) > 0
    twice = {pk for pk, times in paid(deployment).items() if times > 1}
    assert not twice & set(queued), "bought again"
    client = httpx.Client(base_url=url, headers={"Authorization": f"Bearer {key}"})
    with client:
        spent = 240 * sum(state == "completed" for state in ended.values())
        balance = client.get("/api/v1/credits/").json()["credits_balance"]
        assert balance == CREDITS - spent
        new = client.post("/api/v1/generate/video/", json={"prompt": "a hare"}).headers["Location"]
        deployment.wait(lambda: client.get(new).json()["status"] == "completed", *SERVICES)
        forgotten = next(pk for pk in load.orders if pk not in kept)
        assert client.get(f"/api/v1/generate/{forgotten}/").status_code == 404


def open_ones() -> list[str]:
    over = {"completed", "failed", "canceled"}
    return [pk for pk, state in states("restored").items() if state not in over]


def test_the_guide_has_every_command_in_its_order() -> None:
    order = [DUMP, "createdb", "roles.sql", RESTORE, "migrate", "check_ledger", "after_restore"]
    _, _, chapter = GUIDE.partition("## Backup and restore")
    found = [chapter.index(word) for word in order]
    assert found == sorted(found)
