"""The environment is read as it is meant, or refused with every fault named."""

from __future__ import annotations

import json
import os

import pytest
from django.core.exceptions import ImproperlyConfigured

from config.env import (
    CREDENTIALS,
    Env,
    celery_broker_url,
    environment,
    limits_storage_url,
    parse_database_url,
)


def test_defaults_for_unset_and_empty():
    env = Env({"EMPTY": ""})
    for name in ("EMPTY", "UNSET"):
        assert env.text(name, "x") == "x"
        assert env.flag(name, True) is True
        assert env.integer(name, 3) == 3
        assert env.number(name, 0.5) == 0.5
        assert env.words(name, ("a",)) == ["a"]
        assert env.choice(name, "a", ("a", "b")) == "a"
    env.finish()


def test_values():
    env = Env({"A": "Yes", "B": "off", "C": "12", "D": "0.5", "E": " x, ,y ", "F": "b"})
    assert env.flag("A", False) is True
    assert env.flag("B", True) is False
    assert env.integer("C", 1) == 12
    assert env.number("D", 1.0) == 0.5
    assert env.words("E") == ["x", "y"]
    assert env.choice("F", "a", ("a", "b")) == "b"
    env.finish()


def test_every_fault_is_named_at_once():
    env = Env(
        {
            "A": "maybe",
            "B": "twelve",
            "C": "-1",
            "D": "inf",
            "E": "nan",
            "F": "c",
            "G": "mysql://host/name",
            "H": "postgresql://host",
        }
    )
    env.flag("A", True)
    env.integer("B", 1)
    env.integer("C", 1)
    env.number("D", 1.0)
    env.number("E", 1.0)
    env.choice("F", "a", ("a", "b"))
    env.database("G", "postgresql:///x")
    env.database("H", "postgresql:///x")
    with pytest.raises(ImproperlyConfigured) as caught:
        env.finish()
    for name in "ABCDEFGH":
        assert f"- {name}: " in str(caught.value)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        (
            "postgresql://me:p%40ss@db.example:5433/shop?sslmode=require",
            {
                "NAME": "shop",
                "USER": "me",
                "PASSWORD": "p@ss",
                "HOST": "db.example",
                "PORT": "5433",
            },
        ),
        (
            "postgres:///shop?host=/run/pg&user=me",
            {"NAME": "shop", "USER": "me", "PASSWORD": "", "HOST": "/run/pg", "PORT": ""},
        ),
        ("postgresql:///?dbname=shop", {"NAME": "shop", "HOST": ""}),
        ("postgresql://[::1]:5432/shop", {"HOST": "::1", "PORT": "5432"}),
    ],
)
def test_database_urls(url, expected):
    found = parse_database_url(url)
    assert {name: found[name] for name in expected} == expected
    assert found["OPTIONS"] == ({"sslmode": "require"} if "sslmode" in url else {})


def test_redis_urls_in_the_spellings_of_others():
    tcp = "redis://:secret@host:6379/2"
    unix = "unix:///run/valkey.sock?db=3"
    assert celery_broker_url(tcp) == limits_storage_url(tcp) == tcp
    assert celery_broker_url(unix) == "redis+socket:///run/valkey.sock?virtual_host=3"
    assert limits_storage_url(unix) == "redis+unix:///run/valkey.sock?db=3"


@pytest.fixture
def patch():
    """Of its own, so that it ends before the other fixtures need the variables again."""
    with pytest.MonkeyPatch.context() as own:
        yield own


@pytest.fixture
def checkout(tmp_path, patch):
    """A folder with the ``var/run.json`` of a stack that this process is."""
    for name in ("DATABASE_URL", "REDIS_URL", "DEBUG"):
        patch.delenv(name, raising=False)

    def write(**changes: object):
        run = {
            "pid": os.getpid(),
            "database_url": "postgresql:///running",
            "redis_url": "redis://running",
            "environment": {"DEBUG": 1, "OUTPUT_BUCKET": "running"},
        }
        (tmp_path / "var").mkdir(exist_ok=True)
        (tmp_path / "var" / "run.json").write_text(json.dumps(run | changes))
        return tmp_path

    return write


def test_a_command_talks_to_the_stack_that_is_up(checkout, patch):
    patch.setenv("OUTPUT_BUCKET", "mine")
    found = environment(checkout())
    assert found["DATABASE_URL"] == "postgresql:///running"
    assert found["REDIS_URL"] == "redis://running"
    assert found["DEBUG"] == "1"
    assert found["OUTPUT_BUCKET"] == "mine"


def test_googles_library_finds_the_credentials_of_the_stack_that_is_up(checkout, patch):
    """It asks the process's environment, and not ours."""
    patch.setenv(CREDENTIALS, "")  # so that it is taken back
    running = checkout(environment={CREDENTIALS: "/running.json"})
    assert environment(running)[CREDENTIALS] == "/running.json"
    assert os.environ[CREDENTIALS] == "/running.json"
    patch.setenv(CREDENTIALS, "/mine.json")
    assert environment(running)[CREDENTIALS] == "/mine.json"
    assert os.environ[CREDENTIALS] == "/mine.json"


def test_a_set_database_wins(checkout, patch):
    patch.setenv("DATABASE_URL", "postgresql:///mine")
    found = environment(checkout())
    assert found["DATABASE_URL"] == "postgresql:///mine"
    assert "REDIS_URL" not in found


def test_nothing_is_up(checkout, tmp_path):
    assert "DATABASE_URL" not in environment(tmp_path)
    gone = checkout(pid=2**22 + 1)  # above the kernel's largest process id
    assert "DATABASE_URL" not in environment(gone)
    assert "DATABASE_URL" not in environment(checkout(pid="x"))
    (tmp_path / "var" / "run.json").write_text("[]")
    assert "DATABASE_URL" not in environment(tmp_path)
    (tmp_path / "var" / "run.json").write_text("{")
    assert "DATABASE_URL" not in environment(tmp_path)
