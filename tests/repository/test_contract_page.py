"""docs/api-contract.md names all that clients meet: paths, keys of a status, codes of errors."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from common.errors import ApiError
from common.web import refusals
from generation.interventions import NotAllowed
from generation.models.states import ERROR_CODES
from generation.public import PublicGeneration
from tests.support.document import document
from tests.support.packages import ROOT

PAGE = (ROOT / "docs" / "api-contract.md").read_text()
SECTIONS = dict(re.findall(r"^## (\d)\. (.+?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL))
FOR_OPERATORS = {NotAllowed.default_code}  # their pages show the sentence, and no code


def in_code_style(text: str) -> set[str]:
    """Words in backticks, outside of examples."""
    return set(re.findall(r"`([^`]+)`", re.sub(r"```.*?```", "", text, flags=re.DOTALL)))


def errors(of: type[ApiError] = ApiError) -> Iterator[type[ApiError]]:
    yield of
    for each in of.__subclasses__():
        yield from errors(each)


def test_it_has_every_key_of_a_status_in_its_order() -> None:
    _, _, keys = SECTIONS["4"].partition("Every key is always there")
    listed = re.findall(r"`(\w+)`", keys.partition("\n- ")[0])
    assert [key for key in listed if key != "null"] == list(PublicGeneration.__annotations__)


def test_it_has_every_code_of_an_error() -> None:
    codes = set(re.findall(r'"code": "(\w+)"', json.dumps(document()))) - set(ERROR_CODES)
    codes |= {str(each.default_code) for each in errors()} - FOR_OPERATORS
    codes |= {each.code for each in vars(refusals).values() if isinstance(each, refusals.Refusal)}
    assert len(codes) > 20
    assert codes - in_code_style(SECTIONS["6"]) == set()


def test_it_has_every_reason_of_a_failure() -> None:
    assert set(ERROR_CODES) - in_code_style(SECTIONS["8"]) == set()


def test_it_has_every_path() -> None:
    paths = {re.sub(r"\{\w+\}", "{id}", path) for path in document()["paths"]}
    named = re.sub(r"\{\w+\}", "{id}", PAGE).replace("`/models/", "`/api/v1/models/")
    assert len(paths) > 15
    assert [path for path in sorted(paths) if path not in named] == []
