"""Several places say which Pythons we support; CI tries the oldest and the newest of them."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.specifiers import SpecifierSet

ROOT = Path(__file__).resolve().parent.parent.parent


def text(name: str) -> str:
    return (ROOT / name).read_text()


PROJECT = tomllib.loads(text("pyproject.toml"))
SUPPORTED = SpecifierSet(PROJECT["project"]["requires-python"])
MINORS = [minor for minor in range(50) if f"3.{minor}.0" in SUPPORTED]
OLDEST, NEWEST = f"3.{MINORS[0]}", f"3.{MINORS[-1]}"


def test_the_range_has_two_ends():
    assert list(range(MINORS[0], MINORS[-1] + 1)) == MINORS
    assert MINORS[-1] < 49, "requires-python promises Pythons that nobody has tried"


def test_ci_looks_for_each_of_them_and_tries_the_oldest_and_the_newest():
    looked_for = re.search(r"^for minor in ([\d ]+); do$", text(".ci/pythons"), re.MULTILINE)
    assert looked_for
    assert [int(minor) for minor in looked_for[1].split()] == MINORS

    run = text(".ci/run")
    assert 'make check demo PYTHON="$oldest"' in run
    assert 'make check demo PYTHON="$newest"' in run
    assert 'make test PYTHON="$newest"' in run
    assert re.search(r"make test ([A-Z]+=\w+ )*PYTHON=", text(".ci/nightly"))  # all of them


def test_the_image_is_of_the_oldest_which_ci_always_tries():
    images = re.findall(r"python:(3\.\d+)", text("Dockerfile"))
    assert images == [OLDEST]


def test_make_refuses_all_others_with_a_sentence():
    makefile = text("Makefile")
    low, high = OLDEST.replace(".", ", "), NEWEST.replace(".", ", ")
    assert f"not ({low}) <= sys.version_info[:2] <= ({high})" in makefile
    assert f"Python {OLDEST} to {NEWEST} is needed" in makefile


def test_tools_and_words_name_the_same_range():
    assert f"--universal --python-version {OLDEST} " in text("Makefile")
    assert PROJECT["tool"]["ruff"]["target-version"] == "py" + OLDEST.replace(".", "")
    assert f"Python {OLDEST} to {NEWEST}" in text("README.md")


def test_no_package_that_we_name_differs_by_python():
    """What was tried with one Python is then what every other gets.

    Django once did: 5.2 for 3.11 and 6.1 for all newer ones, which did not start.
    """
    ours = {
        re.split(r"[^A-Za-z0-9_.-]", line, maxsplit=1)[0].lower()
        for line in PROJECT["project"]["dependencies"]
    }
    for lock in ("requirements.lock", "requirements-dev.lock"):
        differing = re.findall(r"^([\w.-]+)==\S+ ; .*python", text(lock), re.MULTILINE)
        assert not ours & set(differing), lock


@pytest.mark.parametrize("version", [(3, 10, 9), (3, MINORS[-1] + 1, 0)])
def test_make_says_what_is_wrong_with_a_python_that_is_not_supported(tmp_path: Path, version):
    python = tmp_path / "python"
    pretend = f"import sys; sys.version_info = {version}; exec(sys.argv[1])"
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" -c "{pretend}" "$2"\n')
    python.chmod(0o755)

    venv = tmp_path / "venv"
    command = ["make", "demo", f"PYTHON={python}", f"VENV={venv}"]
    made = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)

    assert made.returncode != 0
    assert f"Python {OLDEST} to {NEWEST} is needed" in made.stdout
    assert "Traceback" not in made.stdout + made.stderr
    assert not venv.exists()
