"""Whatever `make help` offers is run by something, or it is broken one day and nobody knows."""

from __future__ import annotations

import re
import tomllib

from dev.benchmarks.__main__ import COMMANDS
from tests.support.packages import ROOT, packages

MAKEFILE = (ROOT / "Makefile").read_text()
SCRIPTS = "".join((ROOT / ".ci" / name).read_text() for name in ("run", "nightly"))
# A line in a shell that runs make, with the words behind it
RUN = re.compile(r"\bmake ([^\n#&|>;]*)")
NOT_RUN = {
    "nightly": "runs the others",
    "audit": "asks a service on the internet, before a release: docs/production.md",
}


def offered() -> set[str]:
    return set(re.findall(r"^([a-z0-9-]+):.*## ", MAKEFILE, re.MULTILINE))


def run() -> list[str]:
    """The words of every call of make, comments left out."""
    lines = [line for line in SCRIPTS.splitlines() if not line.lstrip().startswith("#")]
    return [word for line in lines for words in RUN.findall(line) for word in words.split()]


def needed(target: str) -> set[str]:
    """The targets that make runs before it."""
    found = re.search(rf"^{target}:([^#=\n]*)", MAKEFILE, re.MULTILINE)
    return set(found[1].split()) if found else set()


def test_every_target_of_the_help_is_run() -> None:
    words = set(run())
    by_others = {name for word in words & offered() for name in needed(word)}
    assert offered() - words - by_others == set(NOT_RUN) & offered()


def test_every_part_of_the_benchmarks_is_run() -> None:
    parts = {word.removeprefix("PART=") for word in run() if word.startswith("PART=")}
    assert parts == set(COMMANDS)


def test_coverage_is_asked_of_all_but_the_lab() -> None:
    """Of every test, in one run: a part of them would miss the gates of the Makefile."""
    calls = [words for line in SCRIPTS.splitlines() for words in RUN.findall(line)]
    (call,) = (words for words in calls if "COVERAGE=1" in words)
    assert call.startswith("test ")
    assert "ARGS" not in call
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["coverage"]["run"]
    assert settings["source"] == [name for name in packages() if name != "dev"]


def test_targets_beside_each_other_install_one_after_the_other() -> None:
    """Debian's package manager refuses a second one: who calls it waits for its turn."""
    words = re.sub(r": apt-get|command -v apt-get", "", MAKEFILE)
    assert re.findall(r".*apt-get.*", words) == [
        "APT := flock /var/lib/apt apt-get --option DPkg::Lock::Timeout=300"
    ]
