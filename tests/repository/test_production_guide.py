"""docs/production.md names only what there is."""

from __future__ import annotations

import re

from django.core.management import get_commands

from dev.embedded.paths import CHECKOUT
from tests.repository.test_deployment import example_names
from tests.support import compose

GUIDE = (CHECKOUT / "docs" / "production.md").read_text()
# by other guides, which may come later than this one
OF_OTHERS = {"runbook.md", "pgbouncer.md", "logs.md", "rotation.md"}


def test_its_files_exist() -> None:
    links = set(re.findall(r"\]\(([^)#:]+)\)", GUIDE))
    inside = {link for link in links if not link.startswith("../ops/") or "kubernetes" in link}
    for link in inside - OF_OTHERS:
        assert (CHECKOUT / "docs" / link).exists(), link
    for path in re.findall(r"-f (\S+)", GUIDE):
        assert (CHECKOUT / path).exists(), path


def test_its_commands_exist() -> None:
    commands = set(re.findall(r"manage\.py (\w+)", GUIDE))
    assert {"check_ledger", "after_restore", "list_orphans"} <= commands <= set(get_commands())
    services = set(compose.compose()["services"])
    for line in re.findall(r"^docker compose (?:stop|exec -T|run --rm) (.*)$", GUIDE, re.MULTILINE):
        named = line.split(" python ")[0].split()
        assert named[0] in services, line
        assert line.startswith(("postgres", "migrate")) or set(named) <= services, line
    targets = set(re.findall(r"^([a-z-]+):", (CHECKOUT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"`make ([a-z-]+)", GUIDE)) <= targets


def test_its_settings_exist() -> None:
    named = set(re.findall(r"`([A-Z][A-Z_]+_[A-Z_]+)[`=]", GUIDE))
    assert named <= example_names(), named - example_names()
    grace = compose.compose()["services"]["worker-submit"]["stop_grace_period"]
    assert f"therefore {grace.removesuffix('s')} s" in GUIDE


def test_a_restore_stops_all_that_knows_the_former_database() -> None:
    """What goes on answers from it; and the way back ends with a start of all of them."""
    found = re.search(r"^docker compose stop (.*)$", GUIDE, re.MULTILINE)
    assert found is not None
    services = compose.compose()["services"]
    ours = {name for name, each in services.items() if "profiles" not in each}
    assert set(found[1].split()) == ours - {"postgres", "redis", "migrate"}


def test_a_rotation_names_all_that_have_the_key() -> None:
    services = compose.compose()["services"].items()
    holders = [name for name, each in services if "SECRET_KEY" in each.get("environment", {})]
    page = (CHECKOUT / "docs" / "rotation.md").read_text()
    section = page.split("\n## ")[1]
    assert section.startswith("`SECRET_KEY`")
    for name in holders:
        assert name.removeprefix("worker-") in section, name
