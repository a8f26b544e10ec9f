"""Which bodies are left to their views; of all others none may be larger than a megabyte."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from common.web.streaming import is_streamed, sent_by

PAGE = "/c/0193b6a2-5d1e-7c3a-9b0e-4f6a1d2c8e55/create/upload"


@pytest.mark.parametrize("path", ["/api/v1/uploads", "/api/v1/uploads/", PAGE, f"{PAGE}/"])
def test_uploads_alone_are_streamed(path: str) -> None:
    assert is_streamed("POST", path)
    assert not is_streamed("GET", path)


@pytest.mark.parametrize("path", [None, "/", "/c/x/create/upload/", f"{PAGE}//", f"{PAGE}/\n"])
def test_what_only_looks_like_it_is_not(path: str | None) -> None:
    assert not is_streamed("POST", path)


@pytest.mark.parametrize(
    "headers",
    [
        [("AUTHORIZATION", "Bearer one")],
        [("AUTHORIZATION", "Token   one ")],
        [("AUTHORIZATION", "one"), ("COOKIE", "two")],
        [("X-API-KEY", "one"), ("COOKIE", "two")],
        [("AUTHORIZATION", " "), ("COOKIE", "one")],
    ],
)
def test_a_request_is_of_whose_secret_it_has(headers: list[tuple[str, str]]) -> None:
    request: Any = SimpleNamespace(headers=headers)
    assert sent_by(request, "192.0.2.1") == "one"


def test_without_a_secret_it_is_of_its_address() -> None:
    request: Any = SimpleNamespace(headers=[("HOST", "x")])
    assert sent_by(request, "192.0.2.1") == "192.0.2.1"
