"""Which answers to a submit are a no, and whose fault it is."""

from __future__ import annotations

import datetime as dt
from email.utils import format_datetime

import pytest

from generation.backends.base import (
    NotAccepted,
    Rejected,
)
from generation.backends.vertex import VertexBackend
from tests.generation.backends.conftest import (
    Provider,
    Reply,
    google_error,
    says,
    video,
)

pytestmark = pytest.mark.anyio


async def test_busy_is_not_accepted_and_tells_when(
    backend: VertexBackend, provider: Provider
) -> None:
    soon = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=90)
    for value, low, high in [
        ("7", 7, 7),
        ("99999", 600, 600),
        (format_datetime(soon, usegmt=True), 80, 91),
        ("Mon, 01 Jan 2024 00:00:00 GMT", 0, 0),
    ]:
        provider.reply = google_error(429, "Quota exceeded", retry_after=value)
        with pytest.raises(NotAccepted) as caught:
            await backend.submit(video())
        assert caught.value.retry_after is not None
        assert low <= caught.value.retry_after <= high
    for value in ("", "soon", "-1", "nan"):
        provider.reply = google_error(429, retry_after=value)
        with pytest.raises(NotAccepted) as caught:
            await backend.submit(video())
        assert caught.value.retry_after is None


@pytest.mark.parametrize(
    ("reply", "code", "operator", "category"),
    [
        (google_error(400, "aspectRatio is bad"), "provider_rejected", False, ""),
        (google_error(422, "bad"), "provider_rejected", False, ""),
        (
            google_error(400, "blocked. Support codes: 61493863"),
            "content_filtered",
            False,
            "violence",
        ),
        (
            google_error(400, "This violates our usage guidelines"),
            "content_filtered",
            False,
            "other",
        ),
        (
            google_error(400, "Billing is disabled", "FAILED_PRECONDITION"),
            "provider_error",
            True,
            "",
        ),
        (google_error(401, "who?"), "provider_error", True, ""),
        (google_error(403, "organisation policy"), "provider_error", True, ""),
        (google_error(404, "Publisher Model was not found"), "provider_error", True, ""),
        (says(text="<html>no</html>", status=404), "provider_error", True, ""),
    ],
)
async def test_a_refusal_is_final(
    backend: VertexBackend,
    provider: Provider,
    reply: Reply,
    code: str,
    operator: bool,
    category: str,
) -> None:
    provider.reply = reply
    with pytest.raises(Rejected) as caught:
        await backend.submit(video("my secret prompt"))
    error = caught.value
    assert (error.code, error.operator_fault, error.category) == (code, operator, category)
    assert str(error).endswith(".")
    assert error.__suppress_context__  # what the provider said does not reach a traceback
