"""GET /api/v1/generate/{id}/download/."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest

from generation.models import Generation
from generation.models.states import OPEN, State
from tests.support.bring_to import FILM, reached
from tests.support.people import Person

Api = Callable[..., httpx.Client]


def path(generation: Generation) -> str:
    return f"/api/v1/generate/{generation.pk}/download/"


@pytest.fixture
def film(alice: Person) -> Generation:
    """A completed video of Alice's."""
    return reached(alice, State.COMPLETED)


def test_the_file_comes_with_a_name(api: Api, alice: Person, film: Generation) -> None:
    answer = api(alice.key).get(path(film))
    assert answer.status_code == 200
    assert answer.content == FILM
    headers = answer.headers
    assert headers["Content-Type"] == "video/mp4"
    assert headers["Content-Length"] == str(len(FILM))
    assert headers["Content-Disposition"] == f'attachment; filename="video-{film.pk}.mp4"'
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["ETag"] == f'"{film.output_sha256}"'


def test_an_image_has_its_own_name_and_type(api: Api, alice: Person) -> None:
    picture = reached(alice, State.COMPLETED, model="image")
    headers = api(alice.key).get(path(picture)).headers
    assert headers["Content-Type"] == "image/png"
    assert headers["Content-Disposition"] == f'attachment; filename="image-{picture.pk}.png"'


def test_the_download_url_of_the_status_leads_here(
    api: Api, alice: Person, film: Generation
) -> None:
    body = api(alice.key).get(f"/api/v1/generate/{film.pk}/").json()
    assert body["download_url"].endswith(path(film))
    assert api(alice.key).get(body["download_url"]).content == FILM
    assert api().get(body["download_url"]).status_code == 401  # it is not the signed link


@pytest.mark.parametrize(
    ("asked", "got", "content_range"),
    [
        ("bytes=0-4", FILM[:5], "bytes 0-4/1000"),
        ("bytes=990-", FILM[990:], "bytes 990-999/1000"),
        ("bytes=-7", FILM[-7:], "bytes 993-999/1000"),
    ],
)
def test_ranges(
    api: Api, alice: Person, film: Generation, asked: str, got: bytes, content_range: str
) -> None:
    answer = api(alice.key, Range=asked).get(path(film))
    assert answer.status_code == 206
    assert answer.content == got
    assert answer.headers["Content-Range"] == content_range


def test_a_range_beyond_the_end(api: Api, alice: Person, film: Generation) -> None:
    answer = api(alice.key, Range="bytes=1000-").get(path(film))
    assert answer.status_code == 416
    assert answer.headers["Content-Range"] == "bytes */1000"


def test_head_has_the_headers_alone(api: Api, alice: Person, film: Generation) -> None:
    answer = api(alice.key).head(path(film))
    assert answer.status_code == 200
    assert answer.content == b""
    assert answer.headers["Content-Length"] == "1000"
    assert answer.headers["Accept-Ranges"] == "bytes"


@pytest.mark.parametrize("accept", ["video/mp4", "text/html,*/*;q=0.1", "image/avif"])
def test_any_accept_will_do(api: Api, alice: Person, film: Generation, accept: str) -> None:
    assert api(alice.key, Accept=accept).get(path(film)).content == FILM


@pytest.mark.parametrize("state", [*OPEN, State.FAILED, State.CANCELED])
def test_without_completion_there_is_nothing(state: State, api: Api, alice: Person) -> None:
    """Who waits for what will never come waits for ever."""
    answer = api(alice.key).get(path(reached(alice, state)))
    over = f"This generation {'was ' if state == State.CANCELED else ''}{state}, there will be no"
    code, sentence = ("not_ready", "The output is not ready yet")
    if state not in OPEN:
        code, sentence = (f"generation_{state}", f"{over} output")
    assert answer.status_code == 409
    assert (answer.json()["code"], answer.json()["error"]) == (code, sentence)
    assert answer.json()["request_id"] == answer.headers["X-Request-ID"]


def test_after_retention_it_is_gone(api: Api, alice: Person, film: Generation) -> None:
    Generation.objects.filter(pk=film.pk).update(output_key="", output_deleted_at=film.finished_at)
    answer = api(alice.key).get(path(film))
    assert answer.status_code == 410
    assert answer.json()["code"] == "output_expired"
