"""Which bodies are left to their views; of all others none may be larger than a megabyte."""

from __future__ import annotations

import pytest

from common.web.streaming import is_streamed

PAGE = "/c/0193b6a2-5d1e-7c3a-9b0e-4f6a1d2c8e55/create/upload"


@pytest.mark.parametrize("path", ["/api/v1/uploads", "/api/v1/uploads/", PAGE, f"{PAGE}/"])
def test_uploads_alone_are_streamed(path: str) -> None:
    assert is_streamed("POST", path)
    assert not is_streamed("GET", path)


@pytest.mark.parametrize("path", [None, "/", "/c/x/create/upload/", f"{PAGE}//", f"{PAGE}/\n"])
def test_what_only_looks_like_it_is_not(path: str | None) -> None:
    assert not is_streamed("POST", path)
