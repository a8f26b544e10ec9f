"""``video_url`` and ``image_url``: signed links that a browser plays without a header."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
import time_machine
from django.core import signing
from pytest_django.fixtures import Settings

from generation import public
from generation.models import Generation
from generation.models.states import State
from generation.outputs import links
from tests.support.bring_to import FILM, reached
from tests.support.people import Person

Api = Callable[..., httpx.Client]
NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


@pytest.fixture
def film(alice: Person) -> Generation:
    """A completed video of Alice's."""
    return reached(alice, State.COMPLETED)


@pytest.fixture
def link(api: Api, alice: Person, film: Generation) -> str:
    """Its ``video_url``."""
    return str(api(alice.key).get(f"/api/v1/generate/{film.pk}/").json()["video_url"])


def test_a_link_is_one_string_for_a_period_and_lives_on_for_another() -> None:
    first = links.path("k.mp4", links.LinkPeriod.of(NOON))
    assert links.path("k.mp4", links.LinkPeriod.of(NOON + timedelta(seconds=899))) == first
    assert links.path("k.mp4", links.LinkPeriod.of(NOON + timedelta(seconds=900))) != first
    assert links.LinkPeriod.of(NOON).expires_at == NOON + timedelta(minutes=30)
    assert links.LinkPeriod.of(NOON + timedelta(seconds=899)).expires_at == NOON + timedelta(
        minutes=30
    )


def test_links_of_a_rotated_key_go_on_to_their_end(monkeypatch: pytest.MonkeyPatch) -> None:
    def signer(key: str, *fallbacks: str) -> None:
        made = signing.Signer(key=key, fallback_keys=list(fallbacks), salt="generation.links")
        monkeypatch.setattr(links, "_signer", lambda: made)

    signer("old" * 20)
    query = parse_qs(urlsplit(links.path("k.mp4", links.LinkPeriod.of(NOON))).query)
    told = (query["expires"][0], query["signature"][0])
    signer("new" * 20, "older" * 20, "old" * 20)
    assert links.is_valid("k.mp4", *told, NOON)
    assert not links.is_valid("k.mp4", *told, NOON + timedelta(minutes=30))
    assert not links.is_valid("other.mp4", *told, NOON)
    assert told[1] not in links.path("k.mp4", links.LinkPeriod.of(NOON))
    signer("new" * 20)
    assert not links.is_valid("k.mp4", *told, NOON)


def test_the_tag_of_the_status_changes_when_the_link_does(film: Generation) -> None:
    tags = [public.etag(film, NOON + timedelta(seconds=n)) for n in (0, 899, 900)]
    assert tags[0] == tags[1] != tags[2]


def test_it_plays_without_a_header_until_it_expires(
    api: Api, alice: Person, film: Generation
) -> None:
    body = api(alice.key).get(f"/api/v1/generate/{film.pk}/").json()
    link, expires = body["video_url"], datetime.fromisoformat(body["expires_at"])
    left = (expires - datetime.now(UTC)).total_seconds()
    assert 900 <= left <= 1800
    assert link == api(alice.key).get(f"/api/v1/generate/{film.pk}/").json()["video_url"]
    for when, status in (
        (expires - timedelta(minutes=15), 200),
        (expires - timedelta(seconds=2), 200),
        (expires, 403),
        (expires + timedelta(days=1), 403),
    ):
        with time_machine.travel(when):
            assert api().get(link).status_code == status, when
    assert api().get(link).content == FILM


@pytest.mark.parametrize(
    ("asked", "status", "got"),
    [
        ("bytes=0-1", 206, FILM[:2]),
        ("bytes=500-", 206, FILM[500:]),
        ("bytes=-1", 206, FILM[-1:]),
        ("bytes=0-1,5-6", 200, FILM),
        ("lines=1-2", 200, FILM),
    ],
)
def test_ranges_work(link: str, api: Api, asked: str, status: int, got: bytes) -> None:
    answer = api(Range=asked).get(link)
    assert (answer.status_code, answer.content) == (status, got)
    assert answer.headers["Accept-Ranges"] == "bytes"


def test_a_range_beyond_the_end(link: str, api: Api) -> None:
    answer = api(Range="bytes=1000-").get(link)
    assert (answer.status_code, answer.json()["code"]) == (416, "range_not_satisfiable")
    assert answer.headers["Content-Range"] == "bytes */1000"


def test_head_and_other_methods(link: str, api: Api) -> None:
    answer = api().head(link)
    assert (answer.status_code, answer.headers["Content-Length"]) == (200, "1000")
    assert answer.headers["Content-Type"] == "video/mp4"
    for method in ("POST", "PUT", "DELETE"):
        answer = api().request(method, link)
        assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")


def test_what_we_did_not_sign_is_403(link: str, api: Api, film: Generation) -> None:
    parts = urlsplit(link)
    query = {name: values[0] for name, values in parse_qs(parts.query).items()}
    base = f"{parts.scheme}://{parts.netloc}{parts.path}"
    later = str(int(query["expires"]) + 900)
    broken: list[dict[str, str]] = [
        {},
        {"expires": query["expires"]},
        {"signature": query["signature"]},
        query | {"expires": later},
        query | {"expires": query["expires"] + "0"},
        query | {"expires": "9" * 40},
        query | {"expires": "-1"},
        query | {"expires": "١٢٣"},
        query | {"expires": ""},
        query | {"signature": query["signature"][:-1]},
        query | {"signature": query["signature"] + "x"},
        query | {"signature": "é"},
    ]
    for changed in broken:
        answer = api().get(base, params=changed)
        assert answer.status_code == 403, changed
        assert answer.json()["code"] == "permission_denied"
    # refused before any page, whatever it is about
    assert api().get(base, params=query | {"signature": "\0"}).status_code == 400
    another = reached_again(film)
    assert api().get(base.replace(str(film.pk), another), params=query).status_code == 403
    assert api().get(f"{base}/../x.mp4", params=query).status_code == 403


def reached_again(film: Generation) -> str:
    """A name like its own."""
    name = str(film.pk)
    return ("0" if name[0] != "0" else "1") + name[1:]


def test_a_signed_link_to_what_is_not_there_is_404(api: Api) -> None:
    link = links.path("outputs/none.mp4", links.LinkPeriod.of(datetime.now(UTC)))
    answer = api().get(link)
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


def test_an_images_link(api: Api, alice: Person) -> None:
    picture = reached(alice, State.COMPLETED, model="image")
    body = api(alice.key).get(f"/api/v1/generate/{picture.pk}/").json()
    assert body["video_url"] is None
    assert api().get(body["image_url"]).headers["Content-Type"] == "image/png"


def test_links_lead_to_where_the_operator_says(
    api: Api, alice: Person, film: Generation, settings: Settings
) -> None:
    settings.PUBLIC_BASE_URL = "https://api.example"
    body = api(alice.key).get(f"/api/v1/generate/{film.pk}/").json()
    assert body["video_url"].startswith("https://api.example/media/outputs/")
    assert body["download_url"] == f"https://api.example/api/v1/generate/{film.pk}/download/"


def test_after_retention_it_is_still_completed_without_a_link(
    api: Api, alice: Person, film: Generation, link: str
) -> None:
    Generation.objects.filter(pk=film.pk).update(output_key="", output_deleted_at=film.finished_at)
    body = api(alice.key).get(f"/api/v1/generate/{film.pk}/").json()
    assert (body["status"], body["progress"], body["credits_used"]) == ("completed", 1, 240)
    assert body["output_deleted_at"] is not None
    for name in ("video_url", "image_url", "download_url", "expires_at", "error"):
        assert body[name] is None
