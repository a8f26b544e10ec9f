"""Outside DEBUG nothing starts with a secret of an example; what signs not without a key."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from django.core.exceptions import ImproperlyConfigured

from config.env import Env
from dev.embedded.paths import CHECKOUT
from tests.repository.test_kubernetes import of_kind
from tests.support import compose

# As the examples had them, before they were left empty
KNOWN_TO_ALL = {
    "SECRET_KEY": "change-me-python-c-import-secrets-print-secrets-token-urlsafe-50",
    "SECRET_KEY_FALLBACKS": "a-good-one-of-long-ago,change-me-as-well",
    "DATABASE_URL": "postgresql://reelmint_app:change-me-app@127.0.0.1:9/reelmint",
    "REDIS_URL": "redis://:Change%2DMe@127.0.0.1:9/0",
    "METRICS_TOKEN": "change-me-metrics-token",
}
PYTHON = sys.executable
SERVICES = compose.compose()["services"]
PROGRAMS = {
    "web": [PYTHON, "-m", *compose.image_command(), "--check-config"],
    "waiter": [PYTHON, "-m", *SERVICES["waiter"]["command"], "--check-config"],
    "worker": [PYTHON, "-m", *SERVICES["worker-submit"]["command"]],
    "beat": [PYTHON, "-m", *SERVICES["beat"]["command"]],
    "migrate": [PYTHON, *SERVICES["migrate"]["command"][1:]],
    "check": [PYTHON, "manage.py", "check", "--deploy"],
}
LOADS_OF_WORKERS = """
import os
os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
import django
django.setup()
import generation.tasks.poll, generation.tasks.store, generation.tasks.submit
from config.celery import check_settings
from django.core.management import call_command
check_settings()
call_command("check")
"""


def run(command: list[str], **secrets: str) -> subprocess.CompletedProcess[str]:
    """As deployed, but for the addresses."""
    environment = compose.image_environment() | of_kind("ConfigMap")["reelmint"]["data"]
    environment |= {"PATH": os.environ["PATH"], "DATABASE_URL": "postgresql://127.0.0.1:9/none"}
    environment |= {"REDIS_URL": "redis://127.0.0.1:9/0"}
    return subprocess.run(
        command,
        cwd=CHECKOUT,
        env=environment | secrets,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.parametrize("program", PROGRAMS)
def test_nothing_starts_with_a_secret_that_everybody_knows(program: str) -> None:
    done = run(PROGRAMS[program], **KNOWN_TO_ALL)
    assert done.returncode != 0
    said = done.stdout + done.stderr
    for name in KNOWN_TO_ALL:
        assert f"{name}: holds a value of the example" in said, said
    assert "change-me" not in said.lower()  # nor is one told


@pytest.mark.parametrize("name", KNOWN_TO_ALL)
def test_each_of_them_alone_is_enough(name: str) -> None:
    env = Env({"SECRET_KEY": "x" * 50, name: KNOWN_TO_ALL[name]})
    for variable in KNOWN_TO_ALL:
        env.text(variable)
    env.refuse_examples()
    with pytest.raises(ImproperlyConfigured, match=f"{name}: holds"):
        env.finish()


def test_only_what_signs_needs_the_key() -> None:
    for program in ("web", "waiter"):
        done = run(PROGRAMS[program])
        assert done.returncode != 0
        assert "reelmint.E009: SECRET_KEY is not set" in done.stdout + done.stderr
    done = run(PROGRAMS["check"])
    assert "reelmint.E009" in done.stderr
    done = run([PYTHON, "-c", LOADS_OF_WORKERS])
    assert done.returncode == 0, done.stderr


def test_without_a_key_nothing_is_signed_with_an_empty_one() -> None:
    signs = "from generation.outputs.links import LinkPeriod, path; print(path('k', LinkPeriod(1)))"
    done = run(
        [PYTHON, "-c", f"import django; django.setup(); {signs}"],
        DJANGO_SETTINGS_MODULE="config.settings",
    )
    assert done.returncode != 0
    assert "SECRET_KEY setting must not be empty" in done.stderr
    assert done.stdout == ""
