"""Settings that cannot be meant as they are, and the documents that list them all."""

from __future__ import annotations

import logging
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from common import checks, setting_checks
from config.misspelt import READ_ELSEWHERE, misspelt

ROOT = Path(__file__).resolve().parent.parent.parent
GOOD = {
    "DEBUG": False,
    "ALLOW_EMULATOR": False,
    "VERTEX_BASE_URL": "",
    "HTTPS": True,
    "NUM_PROXIES": 1,
    "ALLOWED_HOSTS": ["api.example.com", "localhost"],
    "OUTPUT_BUCKET": "theirs",
    "OUTPUT_STORAGE": "gcs",
    "OUTPUT_GCS_BUCKET": "ours",
    "REGISTRATION_OPEN": True,
    "SIGNUP_CREDITS": 0,
    "SECURE_HSTS_SECONDS": 31_536_000,
    "SECURE_HSTS_INCLUDE_SUBDOMAINS": False,
    "SECURE_HSTS_PRELOAD": False,
    "SECRET_KEY": "a" * 50,
    "SECRET_KEY_FALLBACKS": ["b" * 50],
}


@pytest.mark.parametrize(
    ("changes", "numbers"),
    [
        ({}, []),
        ({"NUM_PROXIES": 0}, ["W021"]),
        ({"NUM_PROXIES": 0, "DEBUG": True}, ["W027"]),
        ({"DEBUG": True, "ALLOWED_HOSTS": ["localhost"]}, []),
        ({"HTTPS": False, "SECURE_HSTS_SECONDS": 0}, ["W022"]),
        ({"HTTPS": False}, ["W022", "W023"]),
        ({"SECURE_HSTS_PRELOAD": True}, ["W031"]),
        ({"SECURE_HSTS_PRELOAD": True, "SECURE_HSTS_INCLUDE_SUBDOMAINS": True}, []),
        ({"SECURE_HSTS_INCLUDE_SUBDOMAINS": True}, []),
        ({"ALLOW_EMULATOR": True}, ["W026"]),
        (
            {
                "ALLOW_EMULATOR": True,
                "VERTEX_BASE_URL": "http://127.0.0.1:9",
                "HTTPS": False,
                "SECURE_HSTS_SECONDS": 0,
            },
            [],
        ),
        ({"OUTPUT_STORAGE": "local"}, ["W024"]),
        ({"OUTPUT_GCS_BUCKET": "theirs"}, ["W025"]),
        ({"REGISTRATION_OPEN": False, "SIGNUP_CREDITS": 5}, ["W029"]),
        ({"SECRET_KEY": "b" * 50}, ["W030"]),
    ],
)
def test_contradictions(settings, changes: dict[str, object], numbers: list[str]) -> None:
    for name, value in (GOOD | changes).items():
        setattr(settings, name, value)
    found = setting_checks.check_contradictions()
    assert [message.id for message in found] == [f"reelmint.{number}" for number in numbers]
    assert all(message.hint for message in found)


def test_a_misspelt_variable_is_told_with_the_one_that_was_meant(
    settings, caplog: pytest.LogCaptureFixture
) -> None:
    settings.MISSPELT_VARIABLES = misspelt(
        ("REGISTRATON_OPEN", "rate_limit_reads"), settings.KNOWN_VARIABLES
    )
    found = setting_checks.check_misspelt()
    assert [(message.msg, message.hint) for message in found] == [
        ("REGISTRATON_OPEN is no setting.", "Did you mean REGISTRATION_OPEN?"),
        ("rate_limit_reads is no setting.", "Did you mean RATE_LIMIT_READS?"),
    ]
    settings.GOOGLE_CLOUD_PROJECT, settings.PUBLIC_BASE_URL = "p", "https://api.example.com"
    with caplog.at_level(logging.WARNING):
        checks.refuse_to_start()
    assert "Did you mean REGISTRATION_OPEN?" in caplog.text


def test_what_belongs_to_others_is_not_held_against_anybody() -> None:
    others = {"PATH", "HOME", "DEBUGGER", "DATABASE", "HOST", "HTTP_PROXY", "LOGLEVEL", "TZ"}
    others |= {"OTEL_EXPORTER_OTLP_ENDPOINTS", "GOOGLE_CLOUD_QUOTA_PROJECT", "REDISCLI_AUTH"}
    assert misspelt(others, {"DEBUG", "HTTPS", "DATABASE_URL", "REDIS_URL", "LOG_LEVEL"}) == {
        "LOGLEVEL": "LOG_LEVEL"
    }


def test_the_page_lists_every_variable_and_no_other(settings) -> None:
    text = (ROOT / "docs" / "settings.md").read_text()
    rows = [line.split("|")[1] for line in text.splitlines() if line.startswith("| `")]
    listed = [name for row in rows for name in re.findall(r"`([A-Z][A-Z0-9_]+)`", row)]
    assert len(listed) == len(set(listed))
    assert settings.KNOWN_VARIABLES - set(listed) == set()
    assert set(listed) - settings.KNOWN_VARIABLES - READ_ELSEWHERE == set()


def test_the_example_names_only_what_exists(settings) -> None:
    text = (ROOT / ".env.example").read_text()
    named = set(re.findall(r"^(?:# )?([A-Z][A-Z0-9_]+)=", text, re.MULTILINE))
    assert named - settings.KNOWN_VARIABLES - READ_ELSEWHERE == set()
    assert len(named) > 30


def test_by_default_hsts_speaks_for_the_name_alone() -> None:
    """Whoever did not say so may have a name below it that has no certificate."""
    code = """
import os, django
os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
from django.conf import settings
print(settings.SECURE_HSTS_SECONDS, settings.SECURE_HSTS_INCLUDE_SUBDOMAINS,
      settings.SECURE_HSTS_PRELOAD)
"""
    known = {"PATH": os.environ["PATH"]}

    def said(**variables: str) -> str:
        return subprocess.run(
            [sys.executable, "-c", code],
            cwd=ROOT,
            env=known | variables,
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()

    assert said() == "31536000 False False"
    assert said(HSTS_INCLUDE_SUBDOMAINS="1", HSTS_PRELOAD="1") == "31536000 True True"
