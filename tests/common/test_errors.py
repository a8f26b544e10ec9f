"""The tree of errors names them all, and so does the contract."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib import import_module

from common import errors
from generation import interventions as of_generations
from payments import interventions as of_payments
from tests.support.packages import ROOT

LINE = re.compile(r"^ {4}(\d{3}) (\w+)( +)([\w.]+)", re.MULTILINE)

# on their pages
OPERATORS_ALONE = {of_generations.NotAllowed, of_payments.NotAllowed}


def below(error: type[errors.ApiError]) -> Iterator[type[errors.ApiError]]:
    """All subclasses of the product, each after its base."""
    for each in error.__subclasses__():
        if each.__module__.partition(".")[0] not in {"dev", "tests"}:
            yield each
            yield from below(each)


def name_of(error: type[errors.ApiError]) -> str:
    place = f"{error.__module__}.{error.__name__}"
    return place.removeprefix(f"{errors.__name__}.")


def test_the_tree_has_every_error() -> None:
    import_module("config.urls")
    tree = {(int(status), code, name) for status, code, _, name in LINE.findall(errors.__doc__)}
    assert tree == {(e.status_code, e.default_code, name_of(e)) for e in below(errors.ApiError)}


def test_the_contract_has_every_code() -> None:
    import_module("config.urls")
    contract = (ROOT / "docs" / "api-contract.md").read_text()
    for error in below(errors.ApiError):
        if error not in OPERATORS_ALONE:
            assert f"`{error.default_code}`" in contract
