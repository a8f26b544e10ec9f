"""What does not start in production, and what `check --deploy` says of it."""

from __future__ import annotations

import logging
import os
import secrets
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

import psycopg
import pytest
from django.core.checks import CheckMessage
from django.core.exceptions import ImproperlyConfigured

from common import checks
from config.celery import check_settings
from credits.checks import check_ledger_owner
from generation import checks as provider_checks
from payments import checks as payment_checks
from webhooks import checks as webhook_checks

ROOT = Path(__file__).resolve().parent.parent.parent
GOOD = {
    "DEBUG": False,
    "ALLOW_EMULATOR": False,
    "VERTEX_BASE_URL": "",
    "STORAGE_BASE_URL": "",
    "SOURCE_IMAGE_ALLOWED_ORIGINS": frozenset(),
    "GOOGLE_CLOUD_PROJECT": "project",
    "OUTPUT_BUCKET": "bucket",
    "TIME_SCALE": 1.0,
    "PUBLIC_BASE_URL": "https://api.example.com",
    "HTTPS": True,
    "NUM_PROXIES": 1,
    "STRIPE_SECRET_KEY": "rk_live_abc",
    "WEBHOOK_ALLOWED_ORIGINS": frozenset(),
    "WEBHOOK_ALLOW_HTTP": False,
}
ALL = (
    provider_checks.check_emulator,
    provider_checks.check_source_images,
    provider_checks.check_provider,
    provider_checks.check_time_scale,
    checks.check_public_base_url,
    checks.check_https_of_links,
    payment_checks.check_return_address,
    webhook_checks.check_receivers,
)


@pytest.fixture
def production(settings) -> Callable[..., list[str]]:
    """``production(NAME=value)`` is the ids of what is found with that one setting."""

    def find(**changes: object) -> list[str]:
        for name, value in (GOOD | changes).items():
            setattr(settings, name, value)
        return [message.id or "" for check in ALL for message in found(check())]

    return find


def found(messages: Iterable[CheckMessage]) -> list[CheckMessage]:
    listed = list(messages)
    assert all(message.hint for message in listed)
    return listed


@pytest.mark.parametrize(
    ("changes", "ids"),
    [
        ({}, []),
        ({"VERTEX_BASE_URL": "https://us-central1-aiplatform.googleapis.com"}, []),
        ({"VERTEX_BASE_URL": "http://127.0.0.1:9000"}, ["reelmint.E001"]),
        ({"VERTEX_BASE_URL": "http://aiplatform.googleapis.com"}, ["reelmint.E001"]),
        ({"VERTEX_BASE_URL": "https://googleapis.com.example.com"}, ["reelmint.E001"]),
        ({"STORAGE_BASE_URL": "http://127.0.0.1:9000"}, ["reelmint.E002"]),
        ({"SOURCE_IMAGE_ALLOWED_ORIGINS": frozenset({"http://10.0.0.1:80"})}, ["reelmint.E003"]),
        ({"GOOGLE_CLOUD_PROJECT": ""}, ["reelmint.E004"]),
        ({"OUTPUT_BUCKET": ""}, ["reelmint.E005"]),
        ({"TIME_SCALE": 0.1}, ["reelmint.W006"]),
        ({"PUBLIC_BASE_URL": "http://api.example.com"}, ["reelmint.W007"]),
        ({"PUBLIC_BASE_URL": "", "STRIPE_SECRET_KEY": ""}, ["reelmint.E037"]),
        ({"PUBLIC_BASE_URL": "", "ALLOW_EMULATOR": True}, ["reelmint.E037", "reelmint.E032"]),
        ({"PUBLIC_BASE_URL": "", "DEBUG": True}, ["reelmint.E032"]),
        ({"WEBHOOK_ALLOW_HTTP": True}, ["reelmint.E038"]),
        ({"WEBHOOK_ALLOW_HTTP": True, "ALLOW_EMULATOR": True}, ["reelmint.E038"]),
        ({"WEBHOOK_ALLOW_HTTP": True, "DEBUG": True}, []),
        ({"WEBHOOK_ALLOWED_ORIGINS": frozenset({"http://10.0.0.1:80"})}, ["reelmint.E039"]),
    ],
)
def test_one_setting_each(production, changes, ids):
    assert production(**changes) == ids


@pytest.mark.parametrize("allowed", ["DEBUG", "ALLOW_EMULATOR"])
def test_the_emulator_may_be_allowed(production, allowed):
    emulated = {
        "VERTEX_BASE_URL": "http://127.0.0.1:9000",
        "SOURCE_IMAGE_ALLOWED_ORIGINS": frozenset({"http://127.0.0.1:9000"}),
        "TIME_SCALE": 0.1,
        "PUBLIC_BASE_URL": "http://localhost:8000",
        "STRIPE_SECRET_KEY": "",
        "WEBHOOK_ALLOWED_ORIGINS": frozenset({"http://127.0.0.1:9001"}),
    }
    assert production(**emulated, **{allowed: True}) == []


def test_the_start_is_refused_with_every_error(production):
    production(VERTEX_BASE_URL="http://127.0.0.1:9000", OUTPUT_BUCKET="", TIME_SCALE=0.1)
    with pytest.raises(ImproperlyConfigured) as raised:
        checks.refuse_to_start()
    assert "reelmint.E001" in str(raised.value)
    assert "reelmint.E005" in str(raised.value)
    assert "W006" not in str(raised.value)
    # what Celery's signals would swallow, were it an Exception
    with pytest.raises(SystemExit, match=r"reelmint\.E001"):
        check_settings()


def test_the_start_says_that_outputs_are_emulated(production, caplog):
    production(VERTEX_BASE_URL="http://127.0.0.1:9000", ALLOW_EMULATOR=True)
    with caplog.at_level(logging.WARNING):
        provider_checks.log_emulation()
    assert said(caplog) == ["outputs are emulated: the provider is http://127.0.0.1:9000"]
    caplog.clear()
    production()
    provider_checks.log_emulation()
    assert said(caplog) == []


def said(caplog) -> list[str]:
    """By the checks; another test's thread may log meanwhile."""
    return [each.getMessage() for each in caplog.records if each.name == provider_checks.__name__]


def test_the_services_role_does_not_own_the_ledger(admin_connection: psycopg.Connection):
    assert check_ledger_owner() == []
    assert check_ledger_owner(databases=["default"]) == []
    admin_connection.execute("GRANT reelmint_owner TO reelmint_app")
    try:
        ids = [message.id for message in check_ledger_owner(databases=["default"])]
    finally:
        admin_connection.execute("REVOKE reelmint_owner FROM reelmint_app")
    assert ids == ["reelmint.W008"]


def example() -> dict[str, str]:
    lines = (ROOT / ".env.example").read_text().splitlines()
    found = dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
    return found | {"SECRET_KEY": secrets.token_urlsafe(50)}  # as its own words tell the reader


def run(*argv: str, **changes: str) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": os.environ["PATH"], **example(), **changes}
    return subprocess.run(
        [sys.executable, *argv], cwd=ROOT, env=environment, capture_output=True, text=True
    )


def test_the_example_of_a_production_environment_is_clean():
    done = run("manage.py", "check", "--deploy", "--fail-level", "WARNING")
    assert (done.returncode, "no issues" in done.stdout) == (0, True), done.stderr


def test_neither_web_nor_worker_start_as_they_must_not():
    mistakes = {"VERTEX_BASE_URL": "http://127.0.0.1:9", "WEBHOOK_ALLOW_HTTP": "1"}
    for argv in (("-c", "import config.wsgi"), ("-m", "celery", "-A", "config.celery", "beat")):
        done = run(*argv, **mistakes, PUBLIC_BASE_URL="")
        assert done.returncode == 1
        for number in ("E001", "E037", "E038"):
            assert f"reelmint.{number}" in done.stderr


def test_an_origin_that_nothing_could_match_is_named():
    origins = "http://127.0.0.1:9001,https://[::1]:8443,https://a.example,HTTP://a.example:1,a:1"
    done = run("-c", "import config.settings", DEBUG="1", WEBHOOK_ALLOWED_ORIGINS=origins)
    assert done.returncode == 1
    lines = [line for line in done.stderr.splitlines() if "WEBHOOK_ALLOWED_ORIGINS" in line]
    named = [line.partition("'")[2].partition("'")[0] for line in lines]
    assert named == ["https://a.example", "HTTP://a.example:1", "a:1"]
