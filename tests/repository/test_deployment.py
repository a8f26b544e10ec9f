"""Dockerfile, docker-compose.yml and .env.example stay in step with the settings."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml
from django.conf import settings

from config.misspelt import READ_ELSEWHERE
from dev.embedded.paths import CHECKOUT
from dev.embedded.services import STAGES
from mail.stage import LONGEST
from payments.stripe.connection import PATIENCE
from webhooks.stage import DeliverStage

SWEEP_SECONDS = 5.0  # of generation/tasks/store.py, whose import would register Celery tasks

# of docker-compose.yml alone
IMAGES = {"PYTHON_IMAGE", "POSTGRES_IMAGE", "VALKEY_IMAGE"}
COMPOSE_ONLY = {"POSTGRES_PASSWORD", "OWNER_DATABASE_PASSWORD", "APP_DATABASE_PASSWORD"} | IMAGES
# read by Google's library, and before there are settings


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((CHECKOUT / "docker-compose.yml").read_text())
    return loaded


def example_names() -> set[str]:
    text = (CHECKOUT / ".env.example").read_text()
    return set(re.findall(r"^#? ?([A-Z][A-Z0-9_]+)=", text, re.MULTILINE))


def test_the_example_names_every_setting_and_no_other() -> None:
    config = "".join(path.read_text() for path in (CHECKOUT / "config").glob("*.py"))
    read = set(re.findall(r"env\.[a-z]+\(\s*\"([A-Z0-9_]+)\"", config))
    assert example_names() - COMPOSE_ONLY - READ_ELSEWHERE == read


def test_compose_asks_for_no_variable_that_the_example_lacks() -> None:
    text = (CHECKOUT / "docker-compose.yml").read_text()
    assert set(re.findall(r"\$\{([A-Z_]+)", text)) - {"PORT"} <= example_names()


def test_every_stage_has_a_worker_and_every_dependency_exists(compose: dict[str, Any]) -> None:
    services = compose["services"]
    queues = [
        command[command.index("-Q") + 1]
        for name, service in services.items()
        if "-Q" in (command := service.get("command") or [])
    ]
    assert sorted(queues) == sorted(STAGES)
    for service in services.values():
        for name, needed in service.get("depends_on", {}).items():
            assert name in services
            if needed["condition"] == "service_healthy":
                assert "healthcheck" in services[name]


def test_the_services_are_not_root_and_only_migrate_owns_tables(compose: dict[str, Any]) -> None:
    dockerfile = (CHECKOUT / "Dockerfile").read_text()
    assert "\nUSER reelmint\n" in dockerfile
    assert "--require-hashes -r requirements.lock" in dockerfile
    owners = [
        name
        for name, service in compose["services"].items()
        if "reelmint_owner" in str(service.get("environment", {}))
    ]
    assert owners == ["migrate"]
    assert all("user" not in service for service in compose["services"].values())


def test_volumes_and_configs_that_are_mounted_are_declared(compose: dict[str, Any]) -> None:
    for service in compose["services"].values():
        for volume in service.get("volumes", []):
            source = volume.partition(":")[0]
            if source.startswith("./"):
                assert source == "./secrets" or (CHECKOUT / source).exists()
            else:
                assert source in compose["volumes"]
        for config in service.get("configs", []):
            assert config["source"] in compose["configs"]


def test_nothing_is_killed_in_the_middle_of_what_it_has_begun(compose: dict[str, Any]) -> None:
    """Killed while it asks the provider, a worker leaves an order that may have been taken."""
    longest = {
        "prepare": 0.0,  # hands back at once what it has
        "submit": settings.SUBMIT_TIMEOUT,
        "poll": settings.READ_TIMEOUT,
        "store": settings.FETCH_TIMEOUT + 2 * SWEEP_SECONDS,
        "settle": 3 * PATIENCE,  # a call after the other; killed in there, it only asks again
        "mail": LONGEST,
        "deliver": DeliverStage.patience,
    }
    for stage in STAGES:
        assert grace(compose["services"][f"worker-{stage}"]) >= longest[stage] + 10
    configuration = (CHECKOUT / "gunicorn.conf.py").read_text()
    graceful = re.search(r"^graceful_timeout = (\d+)", configuration, re.MULTILINE)
    assert graceful is not None
    assert grace(compose["services"]["web"]) > int(graceful[1])


def grace(service: dict[str, Any]) -> int:
    return int(str(service["stop_grace_period"]).removesuffix("s"))


def test_every_image_of_others_can_be_pinned_by_its_digest(compose: dict[str, Any]) -> None:
    """A digest is looked up by whoever builds; the example shows what stands there without one."""
    dockerfile = (CHECKOUT / "Dockerfile").read_text()
    assert set(re.findall(r"^FROM (\S+)", dockerfile, re.MULTILINE)) == {"${PYTHON_IMAGE}", "base"}
    [python] = re.findall(r"^ARG PYTHON_IMAGE=(\S+)$", dockerfile, re.MULTILINE)
    used = {"PYTHON_IMAGE": python}
    for service in compose["services"].values():
        if "build" in service:
            assert set(service["build"]["args"]) == {"PYTHON_IMAGE"}
        else:
            variable = re.fullmatch(r"\$\{(\w+):-([\w./:-]+)\}", service["image"])
            assert variable is not None, service["image"]
            used[variable[1]] = variable[2]
    example = (CHECKOUT / ".env.example").read_text()
    assert dict(re.findall(r"^# (\w+_IMAGE)=(.*)$", example, re.MULTILINE)) == used
    assert set(used) == IMAGES


def test_every_log_has_an_end(compose: dict[str, Any]) -> None:
    for service in compose["services"].values():
        assert {"max-size", "max-file"} <= set(service["logging"]["options"])
