"""Alerts, runbook and dashboard are of one mind. Needs nothing but the files."""

from __future__ import annotations

import json

import pytest
import yaml

from tests.support.ops_words import CONFIGURATION, DASHBOARD, RULE_TESTS, panels, rules, sections

PARTS = ("**Means**", "**Look**", "**Do**")


def test_every_alert_has_its_section_and_every_section_its_alert() -> None:
    names = [rule["alert"] for rule in rules()]
    assert len(set(names)) == len(names)
    assert list(sections()) == names  # in the same order, too


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: str(rule["alert"]))
def test_an_alert_says_how_bad_it_is_and_where_to_read_on(rule: dict) -> None:
    name = rule["alert"]
    assert rule["annotations"]["runbook_url"] == f"docs/runbook.md#{name.lower()}"
    assert rule["annotations"]["summary"].endswith(".")
    assert rule["labels"]["severity"] in {"critical", "warning", "info"}
    assert [part for part in PARTS if part not in sections()[name]] == []


def test_the_sections_that_are_linked_to_exist() -> None:
    anchors = {name.lower() for name in sections()}
    for name, text in sections().items():
        for link in text.split("](#")[1:]:
            assert link.partition(")")[0] in anchors, name


def test_every_alert_is_tried_by_promtool() -> None:
    tried = {
        test["alertname"]
        for group in yaml.safe_load(RULE_TESTS.read_text())["tests"]
        for test in group.get("alert_rule_test", [])
        if test["exp_alerts"]
    }
    assert tried == {rule["alert"] for rule in rules()}


def test_the_example_scrapes_as_often_as_the_rules_assume() -> None:
    found = yaml.safe_load(CONFIGURATION.read_text())
    assert found["global"] == {"scrape_interval": "10s", "evaluation_interval": "10s"}
    assert found["rule_files"] == ["alerts.yml"]
    jobs = {job["job_name"] for job in found["scrape_configs"]}
    assert jobs == {"reelmint-web", "reelmint-workers"}


def test_the_dashboard_can_be_imported_anywhere() -> None:
    found = json.loads(DASHBOARD.read_text())
    assert [variable["type"] for variable in found["templating"]["list"]] == ["datasource"]
    ids = [panel["id"] for panel in found["panels"]]
    assert len(set(ids)) == len(ids)
    for panel in panels():
        assert panel["datasource"]["uid"] == "${datasource}"
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
