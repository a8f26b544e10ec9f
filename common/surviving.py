"""The one place of the product that catches every error of our own code."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def surviving(failed: Callable[[Exception], None]) -> Iterator[None]:
    """Hand whatever goes wrong to ``failed``, where an error of one must not cost the others."""
    try:
        yield
    except Exception as error:  # noqa: BLE001 - that is what it is for
        failed(error)
