"""What ``COPY . .`` takes: what Git knows and a process needs, and nothing that lies around."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from dev.embedded.paths import CHECKOUT
from tests.support import compose
from tests.support.docker_context import taken

IGNORE = (CHECKOUT / ".dockerignore").read_text()
# Beside docker-compose.yml, and inside of each folder that has something in the image
LITTER = [
    *("secrets/google.json", "google.json", "service-account.json", "key.pem", "id_rsa"),
    *(".env", ".env.production", ".env.local", ".envrc", "settings.env", "prod.env"),
    *("reelmint.dump", "backup.sql", "dump.sql.gz", "db.sqlite3", "customers.csv", "core.1234"),
    *("notes.txt", "README.md", "Makefile", "requirements-dev.lock", "x.pyc", ".netrc"),
    *(".git/config", ".venv/bin/python", "var/run.json", "__pycache__/x.pyc", ".ssh/id_ed25519"),
    *("tls/server.key", "tls/server.crt", "a.p12", "a.kdbx", "a.tfstate", "a.yaml", "a.log"),
]


# What gunicorn, the workers, manage.py and the demo load, and what reads files
LOADS = """
import config.wsgi, dev.embedded.demo, dev.embedded.run, dev.emulator.app, dev.stripe.app
import generation.tasks.submit, generation.tasks.poll, generation.tasks.store
from django.core.management import call_command
call_command("check")
call_command("spectacular", file="schema.yml")
"""


@pytest.fixture(scope="module")
def tracked() -> set[str]:
    done = subprocess.run(["git", "ls-files"], cwd=CHECKOUT, capture_output=True, text=True)
    if done.returncode:
        pytest.skip("not a checkout of Git's")
    return set(done.stdout.splitlines())


def test_docker_s_rules() -> None:
    """The examples of its own documentation, and those where Git would say something else."""
    files = {"a.md", "README.md", "x/temp1", "x/y/temp1", "x/a.go", "a.go", "doc/b.md"}
    assert taken(files, "*/temp*") == files - {"x/temp1"}
    assert taken(files, "**/*.go") == files - {"x/a.go", "a.go"}
    assert taken(files, "*.md\n!README.md") == files - {"a.md"}  # Git: the one in doc, too
    assert taken(files, "*\n!x") == {"x/temp1", "x/y/temp1", "x/a.go"}
    assert taken(files, "*\n!x/**/temp1") == {"x/temp1", "x/y/temp1"}  # Git: nothing
    assert taken(files, "/x\n# doc\n") == files - {"x/temp1", "x/y/temp1", "x/a.go"}


def test_nothing_is_taken_that_lies_around(tracked: set[str]) -> None:
    inside = taken(tracked, IGNORE)
    folders = {str(parent) for file in inside for parent in Path(file).parents}
    assert "generation/backends" in folders
    litter = {str(Path(folder) / name) for folder in folders for name in LITTER}
    found = taken(litter - tracked, IGNORE)
    # the introduction of the documentation page is a .md beside the other templates
    assert {file for file in found if not file.startswith("templates/")} == set()
    assert {Path(file).name for file in found} == {"README.md"}


def test_what_is_taken_of_this_checkout_is_known_to_git(tracked: set[str]) -> None:
    """Whatever the tests, tools and people have left in it."""
    there = set()
    for root, folders, names in os.walk(CHECKOUT):
        folders[:] = [name for name in folders if name not in {".git", ".venv", "var"}]
        there |= {str((Path(root) / name).relative_to(CHECKOUT)) for name in names}
    found = taken(there, IGNORE)
    assert found
    # somebody's next module, which is not added yet
    assert {file for file in found - tracked if not file.endswith(".py")} == set()


def test_what_is_taken_is_enough(tracked: set[str], tmp_path: Path) -> None:
    """For collecting the static files as the image does, and for each of its processes to load."""
    for file in taken(tracked, IGNORE):
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(CHECKOUT / file, tmp_path / file)
    environment = {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "DEBUG": "1"}
    environment |= {"STATIC_ROOT": str(tmp_path / "staticfiles"), "PYTHONDONTWRITEBYTECODE": "1"}
    commands = [["sh", "-c", compose.collect_static()], [sys.executable, "-c", LOADS]]
    for command in commands:
        done = subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
    assert (tmp_path / "staticfiles/staff/operations.css").exists()


def test_the_code_does_not_belong_to_whoever_runs_it() -> None:
    dockerfile = (CHECKOUT / "Dockerfile").read_text()
    assert "\nCOPY . .\n" in dockerfile
    assert "--chown" not in dockerfile
    before, _, after = dockerfile.partition("\nUSER reelmint\n")
    assert "collectstatic" in before
    assert "RUN" not in after
    assert " /app " not in before.partition("install -d")[2].partition("\n")[0] + " "
