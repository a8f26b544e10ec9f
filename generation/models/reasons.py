"""Why a generation failed, as its row keeps it and its customer reads it."""

from __future__ import annotations

from typing import Any

MAX_MESSAGE = 400  # characters, as the column
AGAIN = "Try again later."


def columns(code: str, what: str, *, retryable: bool) -> dict[str, Any]:
    """The row's ``error_…`` columns: ``what`` happened, in a sentence or two.

    Whether the same request may be sent again is said here, from the fact that the flag is, so that
    a person and a program are told the same; ``what`` says nothing about it.
    """
    message = what[:MAX_MESSAGE]
    if retryable:
        message = f"{what[: MAX_MESSAGE - len(AGAIN) - 2].rstrip('. ')}. {AGAIN}"
    return {"error_code": code, "error_message": message, "error_retryable": retryable}
