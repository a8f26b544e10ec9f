"""What the files in ops/ and the runbook speak of."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import yaml

from dev.embedded.paths import CHECKOUT

OPS = CHECKOUT / "ops"
ALERTS = OPS / "prometheus" / "alerts.yml"
RULE_TESTS = OPS / "prometheus" / "alerts_test.yml"
CONFIGURATION = OPS / "prometheus" / "prometheus.yml"
DASHBOARD = OPS / "grafana" / "reelmint.json"
RUNBOOK = CHECKOUT / "docs" / "runbook.md"
SECTION = re.compile(r"^## (\w+)$", re.MULTILINE)
METRIC = re.compile(r"\breelmint_\w+")
LABELS = re.compile(r"(reelmint_\w+)\{([^}]*)\}")


def rules() -> list[dict[str, Any]]:
    """Every alert, in the order of the file."""
    groups = yaml.safe_load(ALERTS.read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


def sections() -> dict[str, str]:
    """The runbook's sections by their heading."""
    parts = SECTION.split(RUNBOOK.read_text())
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def panels() -> Iterator[dict[str, Any]]:
    """Those of the dashboard that show something."""
    for panel in json.loads(DASHBOARD.read_text())["panels"]:
        if panel["type"] != "row":
            yield panel


def expressions() -> dict[str, str]:
    """Every PromQL expression by where it is."""
    found = {f"alert {rule['alert']}": rule["expr"] for rule in rules()}
    for panel in panels():
        for target in panel["targets"]:
            found[f"panel {panel['title']} {target['refId']}"] = target["expr"]
    return found
