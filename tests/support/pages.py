"""What this repository says about itself: its pages, its comments and its docstrings."""

from __future__ import annotations

import ast
import io
import re
import subprocess
import tokenize
from functools import cache
from pathlib import PurePosixPath

from tests.support.packages import ROOT

# What changed is told in the words of its day.
LEFT_OUT = {"CHANGELOG.md"}
COMMENTED = {".sh": "#", ".yml": "#", ".yaml": "#", ".toml": "#", ".sql": "--"}
COMMENTED_BY_NAME = {"Makefile", "Dockerfile", ".env.example", ".gitignore", ".dockerignore"}
WITH_DOCSTRING = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
HEADING = re.compile(r"^#{1,6} (.+?) *$", re.MULTILINE)
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)


@cache
def files() -> frozenset[str]:
    """Every file of the repository, also one that is yet to be committed."""
    listing = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    told = subprocess.run(listing, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return frozenset(name for name in told.split("\0") if name and (ROOT / name).is_file())


@cache
def folders() -> frozenset[str]:
    """Every folder that holds a file of the repository."""
    found = {str(parent) for name in files() for parent in PurePosixPath(name).parents}
    return frozenset(found - {"."})


def pages() -> list[str]:
    return sorted(name for name in files() if name.endswith(".md") and name not in LEFT_OUT)


@cache
def words() -> dict[str, str]:
    """What is said where; of code the comments and docstrings alone."""
    said = {name: said_by(name, (ROOT / name).read_text()) for name in files() if _is_read(name)}
    return {name: text for name, text in sorted(said.items()) if text}


def _is_read(name: str) -> bool:
    path = PurePosixPath(name)
    if name in LEFT_OUT:
        return False
    return path.suffix in {".py", ".md", *COMMENTED} or path.name in COMMENTED_BY_NAME


def said_by(name: str, text: str) -> str:
    path = PurePosixPath(name)
    if path.suffix == ".md":
        return text
    if path.suffix == ".py":
        return _of_python(text)
    mark = COMMENTED.get(path.suffix, "#")
    comments = (line.partition(mark) for line in text.splitlines())
    return "\n".join(comment.strip() for _, found, comment in comments if found)


def _of_python(text: str) -> str:
    """A comment of several lines is one text, as its sentences go on."""
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    comments = [token.string.lstrip("# ") for token in tokens if token.type == tokenize.COMMENT]
    nodes = (node for node in ast.walk(ast.parse(text)) if isinstance(node, WITH_DOCSTRING))
    docstrings = [ast.get_docstring(node) or "" for node in nodes]
    return "\n".join([*docstrings, "", *comments])


def anchors(page: str) -> set[str]:
    """What a link may name behind its #, as GitHub makes it of a page's headings."""
    found: set[str] = set()
    for heading in HEADING.findall(FENCE.sub("", page)):
        plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower()
        anchor = re.sub(r"[^\w\- ]", "", plain).replace(" ", "-")
        found.add(anchor if anchor not in found else f"{anchor}-1")
    return found
