"""Which answers to a submit are a no, and whose fault it is."""

from __future__ import annotations

import datetime as dt
from email.utils import format_datetime

import pytest

from generation.backends.base import (
    ModelGone,
    NotAccepted,
    Rejected,
    SubmitRequest,
    Unknown,
)
from generation.backends.vertex.backend import VertexBackend
from tests.generation.backends.conftest import (
    Provider,
    Reply,
    google_error,
    hang_up,
    image,
    reset,
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


def error(**fields: object) -> dict[str, object]:
    return {"error": fields}


UNAVAILABLE = error(code=503, message="The model is overloaded.", status="UNAVAILABLE")
HTML = "<html><title>503 Service Unavailable</title></html>"
ANSWERS: dict[str, tuple[Reply, type[Exception]]] = {
    "429": (google_error(429, "Quota exceeded", "RESOURCE_EXHAUSTED"), NotAccepted),
    "429 of a proxy": (says(text="<html>slow down</html>", status=429), NotAccepted),
    "503 UNAVAILABLE": (says(UNAVAILABLE, status=503), NotAccepted),
    "503 by its rpc code": (says(error(code=14, message="later"), status=503), NotAccepted),
    "503 UNAVAILABLE and no more": (says(error(status="UNAVAILABLE"), status=503), NotAccepted),
    "503 empty": (says(text="", status=503), Unknown),
    "503 HTML": (says(text=HTML, status=503), Unknown),
    "503 with a word of its own": (says(text="Service Unavailable", status=503), Unknown),
    "503 of another word": (says(error(code=503, status="INTERNAL"), status=503), Unknown),
    "503 whose words contradict": (says(error(code=14, status="ABORTED"), status=503), Unknown),
    "503 without a word": (says(error(code=503, message="no"), status=503), Unknown),
    "503 of a code that is none": (says(error(code="14"), status=503), Unknown),
    "503 of a code that is true": (says(error(code=True), status=503), Unknown),
    "503 of a word in lower case": (says(error(status="unavailable"), status=503), Unknown),
    "503 word at the top": (says({"status": "UNAVAILABLE", "code": 14}, status=503), Unknown),
    "503 text for an error": (says({"error": "UNAVAILABLE"}, status=503), Unknown),
    "503 list": (says([UNAVAILABLE], status=503), Unknown),
    "503 null": (says(None, status=503), Unknown),
    "503 cut": (says(text='{"error": {"status": "UNAVAILABLE"', status=503), Unknown),
    "503 not UTF-8": (says(text=b"\xff\xfe", status=503), Unknown),
    "503 too deep": (says(text="[" * 100_000, status=503), Unknown),
    **{
        f"{status} UNAVAILABLE": (says(UNAVAILABLE, status=status), Unknown)
        for status in (408, 409, 425, 499, 500, 501, 502, 504, 529)
    },
    "500": (google_error(500, "internal", "INTERNAL"), Unknown),
    "504": (google_error(504, "late", "DEADLINE_EXCEEDED"), Unknown),
    "302": (says(status=302, headers={"Location": "/elsewhere"}), Unknown),
    "reset": (reset, Unknown),
    "end without an answer": (hang_up, Unknown),
    "400": (google_error(400, "aspectRatio is bad", "INVALID_ARGUMENT"), Rejected),
    "403": (google_error(403, "no", "PERMISSION_DENIED"), ModelGone),
    "403 about the prompt": (google_error(403, "violates our usage guidelines"), Rejected),
    "403 HTML": (says(text="<html>no</html>", status=403), Rejected),
    "404": (google_error(404, "no such model", "NOT_FOUND"), ModelGone),
    "404 without a word": (google_error(404), ModelGone),
    "404 HTML": (says(text="<html>no</html>", status=404), Rejected),
    "404 of another form": (says({"error": "not found"}, status=404), Rejected),
    "404 that contradicts itself": (says(error(code=403), status=404), Rejected),
    "404 of a safety filter": (google_error(404, "Support codes: 61493863"), Rejected),
}


@pytest.mark.parametrize("request_", [video(), image()], ids=["video", "image"])
@pytest.mark.parametrize("answer", ANSWERS)
async def test_what_each_answer_means(
    backend: VertexBackend, provider: Provider, answer: str, request_: SubmitRequest
) -> None:
    """Whatever it says, it is asked once: google-genai repeats nothing."""
    provider.reply, meaning = ANSWERS[answer]
    with pytest.raises(meaning) as caught:
        await backend.submit(request_)
    assert len(provider.seen) == 1
    if isinstance(caught.value, NotAccepted):
        assert caught.value.is_quota == answer.startswith("429")


@pytest.mark.parametrize("request_", [video(), image()], ids=["video", "image"])
async def test_an_overloaded_provider_tells_when(
    backend: VertexBackend, provider: Provider, request_: SubmitRequest
) -> None:
    provider.reply = says(UNAVAILABLE, status=503, headers={"Retry-After": "41"})
    with pytest.raises(NotAccepted) as caught:
        await backend.submit(request_)
    assert caught.value.retry_after == 41


VIOLENCE = ("content_filtered", False, "violence")


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
        *(
            (google_error(status, "no. Support codes: 61493863", word), *VIOLENCE)
            for status, word in (
                (403, "PERMISSION_DENIED"),
                (400, "FAILED_PRECONDITION"),
                (422, ""),
            )
        ),
        (google_error(401, "who?"), "provider_error", True, ""),
        (says(text="<html>no</html>", status=403), "provider_error", True, ""),
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
    assert error.retryable == (code == "provider_error")
    assert "again" not in str(error)  # that is said from the flag, in generation/models/reasons.py
    assert error.__suppress_context__  # what the provider said does not reach a traceback
