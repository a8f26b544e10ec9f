"""ops/kubernetes/ is valid, and says what Dockerfile, docker-compose.yml and settings say."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from secrets import token_urlsafe
from typing import Any

import kubernetes_validate
import pytest
import yaml

from common import webhook_urls
from common.fetchable import PORTS
from config.misspelt import READ_ELSEWHERE
from dev.embedded.paths import CHECKOUT
from dev.embedded.services import STAGES
from tests.repository.test_deployment import example_names
from tests.support import compose

FOLDER = CHECKOUT / "ops" / "kubernetes"
COMPOSE = compose.compose()["services"]
# web drains before it is told to end, see its preStop
SERVICES = {"web", "waiter", "worker-prepare", "worker-submit", "worker-poll", "worker-store"}
SERVICES |= {"worker-settle", "worker-mail", "worker-deliver", "beat"}
AGE = "reelmint_oldest_due_seconds"


def documents(name: str = "*.yaml") -> list[dict[str, Any]]:
    texts = [path.read_text() for path in sorted(FOLDER.glob(name))]
    return [document for text in texts for document in yaml.safe_load_all(text)]


def of_kind(*kinds: str) -> dict[str, dict[str, Any]]:
    return {
        document["metadata"]["name"]: document
        for document in documents()
        if document["kind"] in kinds
    }


def secrets() -> dict[str, dict[str, str]]:
    """The variables of each secret that has some."""
    found = {name: each["stringData"] for name, each in of_kind("Secret").items()}
    return {name: data for name, data in found.items() if "google.json" not in data}


def pods() -> dict[str, dict[str, Any]]:
    """The pod of each workload."""
    return {
        name: document["spec"]["template"]["spec"]
        for name, document in of_kind("Deployment", "Job").items()
    }


def container(name: str) -> dict[str, Any]:
    (found,) = pods()[name]["containers"]
    return dict(found)


def probes(of: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for name in ("startupProbe", "livenessProbe", "readinessProbe"):
        yield of[name]["httpGet"]


@pytest.mark.parametrize("version", ["1.35.0", "1.37.0"])
def test_every_manifest_is_valid(version: str) -> None:
    for document in documents("[!k]*.yaml"):  # Kubernetes itself does not know KEDA's
        kubernetes_validate.validate(document, version, strict=True)
    assert {document["kind"] for document in documents("keda.yaml")} == {"ScaledObject"}


def test_a_mistake_would_be_noticed() -> None:
    web = of_kind("Deployment")["web"]
    web["spec"]["template"]["spec"]["terminationGracePeriod"] = 45
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(web, "1.37.0", strict=True)


def test_the_services_are_those_of_compose() -> None:
    assert set(of_kind("Deployment")) == SERVICES
    assert set(COMPOSE) == SERVICES | {"migrate", "postgres", "redis", "emulator"}
    assert list(of_kind("Job")) == ["migrate"]
    for name in (*SERVICES, "migrate"):
        assert container(name).get("command") == COMPOSE[name].get("command")
    assert of_kind("Deployment")["beat"]["spec"]["replicas"] == 1


def test_the_image_is_the_one_that_compose_builds_in_this_version() -> None:
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["project"]
    images = {container(name)["image"] for name in pods()}
    assert images == {f"{COMPOSE['web']['image']}:{project['version']}"}


def test_every_variable_is_one_that_the_settings_read() -> None:
    known = example_names() | READ_ELSEWHERE
    maps = of_kind("ConfigMap")["reelmint"]["data"]
    assert set(maps) | {name for data in secrets().values() for name in data} <= known
    for name in pods():
        assert {each["name"] for each in container(name).get("env", [])} <= known
        first, *others = container(name)["envFrom"]
        assert first == {"configMapRef": {"name": "reelmint"}}
        assert {each["secretRef"]["name"] for each in others} <= set(of_kind("Secret"))


def test_the_example_passes_the_deployment_check() -> None:
    values = of_kind("ConfigMap")["reelmint"]["data"]
    for each in container("web")["envFrom"][1:]:
        values |= secrets()[each["secretRef"]["name"]]
    assert values["SECRET_KEY"] == ""  # whoever applies it as it is has no service
    values["SECRET_KEY"] = token_urlsafe(50)
    done = subprocess.run(
        [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"],
        cwd=CHECKOUT,
        env=compose.image_environment() | values | {"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_only_the_migrations_own_the_tables() -> None:
    owners = [name for name in pods() if "reelmint-owner" in str(pods()[name])]
    assert owners == ["migrate"]
    assert "reelmint_owner" in of_kind("Secret")["reelmint-owner"]["stringData"]["DATABASE_URL"]
    assert "reelmint_app" in of_kind("Secret")["reelmint-database"]["stringData"]["DATABASE_URL"]


def test_nothing_runs_as_root_or_writes_where_it_should_not() -> None:
    dockerfile = (CHECKOUT / "Dockerfile").read_text()
    for name, pod in pods().items():
        assert pod["securityContext"]["runAsNonRoot"], name
        assert f"--uid {pod['securityContext']['runAsUser']} " in dockerfile
        context = container(name)["securityContext"]
        assert context["readOnlyRootFilesystem"]
        assert not context["allowPrivilegeEscalation"]
        assert context["capabilities"] == {"drop": ["ALL"]}
        assert not pod["automountServiceAccountToken"]
        mounted = {mount["mountPath"] for mount in container(name)["volumeMounts"]}
        assert mounted - {"/run/secrets/reelmint"} == {"/tmp"}
        assert {"requests", "limits"} <= set(container(name)["resources"])


def test_everything_has_as_much_time_to_end_as_in_compose() -> None:
    for name in SERVICES:
        grace = int(COMPOSE[name]["stop_grace_period"].removesuffix("s"))
        hook = container(name).get("lifecycle", {}).get("preStop", {}).get("sleep", {})
        assert pods()[name]["terminationGracePeriodSeconds"] >= grace + hook.get("seconds", 0)


@pytest.mark.parametrize(("name", "port"), [("web", 8000), ("waiter", 8001)])
def test_the_probes_ask_what_there_is_by_a_name_that_is_answered(name: str, port: int) -> None:
    hosts = of_kind("ConfigMap")["reelmint"]["data"]["ALLOWED_HOSTS"].split(",")
    asked = container(name)
    assert [probe["path"] for probe in probes(asked)] == ["/livez", "/livez", "/readyz"]
    for probe in probes(asked):
        assert probe["httpHeaders"][0]["value"] in hosts
        assert probe["port"] in {port["name"] for port in asked["ports"]}
    assert asked["ports"][0]["containerPort"] == port
    command = asked.get("command", compose.image_command())
    assert f":{port}" in " ".join(command)


def test_the_network_lets_the_proxy_and_prometheus_in() -> None:
    policy = of_kind("NetworkPolicy")["web-and-waiter"]["spec"]
    (chosen,) = policy["podSelector"]["matchExpressions"]
    assert chosen == {"key": "component", "operator": "In", "values": ["web", "waiter"]}
    (path,) = of_kind("Ingress")["streams"]["spec"]["rules"][0]["http"]["paths"]
    assert path["backend"]["service"]["name"] == "waiter"


def test_selectors_find_the_pods() -> None:
    labels = {
        name: document["spec"]["template"]["metadata"]["labels"]
        for name, document in of_kind("Deployment").items()
    }
    for name, document in of_kind("Deployment", "PodDisruptionBudget").items():
        assert document["spec"]["selector"]["matchLabels"] == labels[name]
    assert set(of_kind("PodDisruptionBudget")) == SERVICES - {"beat"}
    for name in ("web", "waiter"):
        assert of_kind("Service")[name]["spec"]["selector"] == labels[name]


def test_every_port_that_customers_may_name_leads_out() -> None:
    rules = of_kind("NetworkPolicy")["egress"]["spec"]["egress"]
    (internet,) = [rule for rule in rules if "0.0.0.0/0" in str(rule)]
    assert {"10.0.0.0/8", "169.254.0.0/16"} <= set(internet["to"][0]["ipBlock"]["except"])
    open_ports = {each["port"] for each in internet["ports"]}
    assert PORTS | webhook_urls.taken().ports["https"] <= open_ports


def test_workers_are_scaled_by_the_age_of_the_oldest_due_row() -> None:
    stages = {f"worker-{stage}": stage for stage in STAGES}
    hpas, scaled = of_kind("HorizontalPodAutoscaler"), of_kind("ScaledObject")
    assert set(hpas) == set(scaled) == set(stages)
    for name, stage in stages.items():
        (metric,) = hpas[name]["spec"]["metrics"]
        asked = metric["external"]["metric"]
        assert asked == {"name": AGE, "selector": {"matchLabels": {"stage": stage}}}
        (trigger,) = scaled[name]["spec"]["triggers"]
        assert trigger["metadata"]["query"] == f'max({AGE}{{stage="{stage}"}})'
        spec, other = hpas[name]["spec"], scaled[name]["spec"]
        bounds = (spec["minReplicas"], spec["maxReplicas"])
        assert bounds == (other["minReplicaCount"], other["maxReplicaCount"])
        assert spec["scaleTargetRef"]["name"] == other["scaleTargetRef"]["name"] == name
