"""Who has which secret, in docker-compose.yml and in the manifests: those that it needs alone."""

from __future__ import annotations

import re
from typing import Any

import pytest

from dev.embedded.paths import CHECKOUT
from tests.repository.test_deployment import IMAGES, example_names
from tests.repository.test_kubernetes import container, pods
from tests.repository.test_kubernetes import secrets as manifests_secrets
from tests.support import compose

GOOGLE = "the Google key"
KEYS = {"SECRET_KEY", "SECRET_KEY_FALLBACKS"}
PASSED_ON = {"METRICS_TOKEN", "OTEL_EXPORTER_OTLP_HEADERS"}
PASSWORDS = {"POSTGRES_PASSWORD", "OWNER_DATABASE_PASSWORD", "APP_DATABASE_PASSWORD"}
STRIPE = {"STRIPE_SECRET_KEY", "STRIPE_WEBHOOK_SECRETS"}
MAIL = {"EMAIL_URL"}
SECRETS = KEYS | PASSED_ON | PASSWORDS | STRIPE | MAIL
WORKER = {"APP_DATABASE_PASSWORD", GOOGLE} | PASSED_ON
# Of every process of ours; a worker is a worker, whatever its queue, but for the one of payments.
NEEDS: dict[str, set[str]] = {
    "postgres": PASSWORDS,
    "redis": set(),
    "emulator": set(),
    "migrate": {"OWNER_DATABASE_PASSWORD"},
    "web": KEYS | WORKER | STRIPE | MAIL,
    "waiter": KEYS | (WORKER - {GOOGLE}),
    "worker": WORKER,
    "worker-settle": (WORKER - {GOOGLE}) | STRIPE,
    "worker-mail": (WORKER - {GOOGLE}) | MAIL,
    "worker-deliver": (WORKER - {GOOGLE}) | KEYS,
    "beat": {"METRICS_TOKEN"},
}
# Secrets by their names that are none: a path, and a number
NO_SECRETS = {"GOOGLE_APPLICATION_CREDENTIALS"}
COMPOSE = compose.compose()
SERVICES: dict[str, Any] = COMPOSE["services"]


def kind(name: str) -> str:
    return name if name in NEEDS else name.partition("-")[0]


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_of_compose_has_the_secrets_that_it_needs_and_no_other(name: str) -> None:
    service = SERVICES[name]
    assert "env_file" not in service  # which would hand over all of it
    marked = {secret: f"<{secret}>" for secret in SECRETS}
    seen = str(compose.service_environment(service, marked))
    for each in service.get("configs", []):
        seen += compose.expanded(COMPOSE["configs"][each["source"]]["content"], marked)
    seen += str([compose.expanded(str(word), marked) for word in service.get("command", [])])
    found = {secret for secret, mark in marked.items() if mark in seen}
    mounts = [volume.partition(":")[0] for volume in service.get("volumes", [])]
    if "./secrets" in mounts:
        found.add(GOOGLE)
    assert "." not in mounts  # the checkout has .env in it
    assert found == NEEDS[kind(name)]


@pytest.mark.parametrize("name", pods())
def test_a_pod_has_the_secrets_that_it_needs_and_no_other(name: str) -> None:
    of = container(name)
    assert not any("valueFrom" in each for each in of.get("env", []))
    refs = [each["secretRef"]["name"] for each in of["envFrom"] if "secretRef" in each]
    named = {"reelmint-key": {"SECRET_KEY"}, "reelmint-database": {"APP_DATABASE_PASSWORD"}}
    named |= {"reelmint-owner": {"OWNER_DATABASE_PASSWORD"}, "reelmint-stripe": STRIPE}
    named |= {"reelmint-mail": MAIL}
    found = {each for ref in refs if ref != "reelmint-broker" for each in named[ref]}
    volumes = [each["secret"]["secretName"] for each in pods()[name]["volumes"] if "secret" in each]
    mounts = {each["name"] for each in of["volumeMounts"]}
    assert volumes in ([], ["reelmint-google"])
    assert ("google" in mounts) == bool(volumes)
    found |= {GOOGLE} if volumes else set()
    # what is passed on of .env has no place in the manifests yet, nor do former keys
    assert found == NEEDS[kind(name)] - PASSED_ON - {"SECRET_KEY_FALLBACKS"}
    assert ("reelmint-broker" in refs) == (name != "migrate")


def test_a_new_variable_is_a_secret_of_somebody_or_a_setting_of_all() -> None:
    """Whoever adds one to the example decides that: in the list of docker-compose.yml, or above."""
    listed = set(COMPOSE["x-settings"])
    assert listed | SECRETS | IMAGES | {"DATABASE_URL"} == example_names()
    assert not listed & SECRETS
    looks_like_one = re.compile("KEY|SECRET|PASSWORD|TOKEN|CREDENTIAL|HEADERS")
    assert {name for name in listed if looks_like_one.search(name)} == NO_SECRETS


def test_what_the_image_sets_is_not_taken_away() -> None:
    """A name without any value unsets the image's own."""
    for name, value in compose.image_environment().items():
        if name in COMPOSE["x-settings"]:
            assert compose.expanded(COMPOSE["x-settings"][name], {}) == value


def test_no_example_has_a_secret_in_it() -> None:
    """Somebody would keep it."""
    filled = compose.dotenv()
    given = (CHECKOUT / ".env.example").read_text()
    for name in (SECRETS - MAIL) & set(filled):
        assert re.search(rf"^{name}=$", given, re.MULTILINE), name
    assert re.search(r"^EMAIL_URL=\w+://[\w.]+:\d+$", given, re.MULTILINE)
    for name, data in manifests_secrets().items():
        for variable, value in data.items():
            password = re.search(r"//[^/@]*:([^@]*)@", value)
            assert password is None or password[1] == "", (name, variable)
            assert variable not in SECRETS - MAIL or value == "", (name, variable)
