"""Every service of docker-compose.yml starts from a plain shell, does its work, and stops."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import psycopg
import pytest

from dev.embedded.paths import CHECKOUT
from dev.embedded.services import STAGES
from tests.support import compose
from tests.system.ops.deployment import Deployment, new_database

WORKERS = tuple(f"worker-{stage}" for stage in STAGES)


@pytest.fixture(scope="module")
def deployment() -> Iterator[Deployment]:
    """All of it is up, in the order of the file's dependencies."""
    new_database("compose")
    here = Deployment(Path(tempfile.mkdtemp(prefix="rm-compose-")), "compose")
    try:
        here.run("web", here.replaced(compose.collect_static()))
        here.run("migrate", compose.shell(here.command("migrate")))
        here.start("emulator")
        here.wait_healthy("emulator")
        for name in ("web", "waiter", *WORKERS, "beat"):
            here.start(name)
        here.wait_healthy("web")
        here.wait_healthy("waiter")
        yield here
    finally:
        here.kill()


def test_every_service_is_tried_here(deployment: Deployment) -> None:
    given = {"postgres", "redis", "migrate"}  # the first two are the test run's, the third is over
    assert set(deployment.running) == set(deployment.services) - given


def test_the_first_start_of_postgres_makes_roles_that_may_be_made_again() -> None:
    """What is mounted into /docker-entrypoint-initdb.d, in its order."""
    passwords = compose.expanded(
        compose.compose()["configs"]["passwords"]["content"], compose.dotenv()
    )
    roles = (CHECKOUT / "ops" / "postgres" / "roles.sql").read_text()
    url = os.environ["TEST_SUPERUSER_URL"].replace("/postgres?", "/reelmint?")
    with psycopg.connect(url, autocommit=True) as connection:
        for script in (roles, passwords):
            connection.execute(script.encode())


def test_a_customer_is_served(deployment: Deployment) -> None:
    """The commands of README.md, then an order through web, submit, poll and store."""
    line = "python manage.py create_account you@example.com --credits 1000"
    assert line in (CHECKOUT / "README.md").read_text()
    key = json.loads(deployment.run("web", line))["key"]
    url = f"http://localhost:{deployment.ports['web']}"
    with httpx.Client(base_url=url, headers={"Authorization": f"Bearer {key}"}) as client:
        answer = client.post("/api/v1/generate/video/", json={"prompt": "a red fox"})
        assert answer.status_code == 201, answer.text
        path = answer.headers["Location"]
        deployment.wait(
            lambda: client.get(path).json()["status"] != "processing", "web", *WORKERS, "beat"
        )
        body = client.get(path).json()
        assert body["status"] == "completed", body
        film = client.get(body["video_url"].replace("http://localhost:8000", url))
        assert film.status_code == 200
        assert film.content[4:8] == b"ftyp"
        held = f"http://localhost:{deployment.ports['waiter']}{path}"
        stream = httpx.get(f"{held}events/", headers=client.headers)
        assert stream.text.endswith('data: {"status":"completed"}\n\n')
        assert client.get("/admin/login/").status_code == 200
        for command in ("check_ledger", "check_generations", "list_orphans"):
            deployment.run("web", f"python manage.py {command}")


def test_files_are_only_written_where_a_volume_is(deployment: Deployment) -> None:
    """read_only: true leaves /data and /tmp; a folder of outputs is one of /data's."""
    environment = deployment.environment("worker-store")
    for name in ("OUTPUT_ROOT", "WORK_DIR"):
        assert environment[name].startswith(f"{deployment.folder}/data/")
    assert any(Path(environment["OUTPUT_ROOT"]).rglob("*.mp4"))


def test_each_stops_by_itself_in_time(deployment: Deployment) -> None:
    """Last: in the middle of work they finish it, idle they go at once."""
    for name in ("beat", *WORKERS, "waiter", "web", "emulator"):
        code, seconds = deployment.stop(name)
        assert code in (0, -15 if name == "emulator" else 0), deployment.told(name)
        assert seconds < 25, f"{name} took {seconds} s"
