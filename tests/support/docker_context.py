"""What Docker takes into the context of a build, by its rules for .dockerignore.

They are not Git's: a pattern begins at the root, ``*`` does not cross a slash, ``**/`` may be
nothing, a folder takes its contents along, and the last pattern that fits decides (moby's
patternmatcher, without the character classes and escapes that we do not use).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import PurePosixPath


def patterns(text: str) -> list[tuple[bool, re.Pattern[str]]]:
    """(whether it takes back in, what fits) of each line."""
    lines = [line.strip() for line in text.splitlines()]
    kept = [line for line in lines if line and not line.startswith("#")]
    return [
        (line.startswith("!"), _pattern(str(PurePosixPath(line.removeprefix("!").lstrip("/")))))
        for line in kept
    ]


def _pattern(line: str) -> re.Pattern[str]:
    words = re.split(r"(\*\*/|\*\*|\*|\?)", line)
    as_regex = {"**/": "(.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    return re.compile("".join(as_regex.get(word) or re.escape(word) for word in words))


def taken(files: Iterable[str], dockerignore: str) -> set[str]:
    """Those of ``files`` (paths from the root) that a build sees."""
    rules = patterns(dockerignore)
    return {file for file in files if not _is_ignored(file, rules)}


def _is_ignored(file: str, rules: list[tuple[bool, re.Pattern[str]]]) -> bool:
    path = PurePosixPath(file)
    names = [str(path), *(str(parent) for parent in path.parents if str(parent) != ".")]
    ignored = False
    for takes_back, pattern in rules:
        if any(pattern.fullmatch(name) for name in names):
            ignored = not takes_back
    return ignored
