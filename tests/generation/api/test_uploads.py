"""Uploads as rows: limits of a day, and what a full disk leaves behind."""

from __future__ import annotations

import fcntl
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from django.conf import LazySettings
from django.utils import timezone

from generation.inputs import upload_places
from generation.inputs.upload_body import NoImageSent
from generation.models import Upload
from tests.support.images import encoded, halves
from tests.support.people import Person

UPLOADS = "/api/v1/uploads/"
PNG = {"Content-Type": "image/png"}
IMAGE = encoded(halves(), "PNG")

Api = Callable[..., httpx.Client]


@pytest.fixture(autouse=True)
def folders(settings: LazySettings, tmp_path: Path) -> Path:
    settings.WORK_DIR = tmp_path / "work"
    return tmp_path


def test_a_row_says_what_is_kept(api: Api, alice: Person) -> None:
    answer = api(alice.key).post(UPLOADS, content=IMAGE, headers=PNG)
    assert answer.status_code == 201, answer.text
    row = Upload.objects.get()
    assert (row.account_id, row.received, row.width) == (alice.account.pk, len(IMAGE), 40)
    assert row.expires_at is not None
    assert timedelta(hours=23) < row.expires_at - timezone.now() <= timedelta(hours=24)


def test_a_form_is_as_good(api: Api, alice: Person) -> None:
    answer = api(alice.key).post(UPLOADS, files={"file": IMAGE})
    assert answer.status_code == 201, answer.text


@pytest.mark.parametrize("parameter", ["x*=bogus''%ff", "x*=idna''%ff", "x*=a; x*0=b"])
def test_a_form_whose_headers_nobody_can_parse(api: Api, alice: Person, parameter: str) -> None:
    head = f'Content-Disposition: form-data; name="file"; filename="a"; {parameter}'
    form = b"--B\r\n%s\r\n\r\n%s\r\n--B--\r\n" % (head.encode(), IMAGE)
    sent = {"Content-Type": "multipart/form-data; boundary=B"}
    answer = api(alice.key).post(UPLOADS, content=form, headers=sent)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request")
    assert answer.json()["error"] == NoImageSent.default_detail


def test_the_day_has_a_last_upload(api: Api, alice: Person, bob: Person, settings) -> None:
    settings.UPLOADS_PER_DAY = 2
    client = api(alice.key)
    assert client.post(UPLOADS, content=b"no image", headers=PNG).status_code == 400
    assert client.post(UPLOADS, content=IMAGE, headers=PNG).status_code == 201
    answer = client.post(UPLOADS, content=IMAGE, headers=PNG)
    body = answer.json()
    assert (answer.status_code, body["code"]) == (429, "upload_limit_reached")
    assert body["error"] == "At most 2 uploads in 24 hours, try again later"
    assert 86_000 < int(answer.headers["Retry-After"]) <= 86_400
    assert Upload.objects.count() == 2
    assert api(bob.key).post(UPLOADS, content=IMAGE, headers=PNG).status_code == 201
    Upload.objects.update(created_at=timezone.now() - timedelta(hours=25))
    assert client.post(UPLOADS, content=IMAGE, headers=PNG).status_code == 201


def test_the_day_has_a_last_megabyte(api: Api, alice: Person, settings) -> None:
    settings.UPLOAD_MB_PER_DAY = 1
    client = api(alice.key)
    told = client.post(UPLOADS, content=b"x" * 1_000_001, headers=PNG)
    assert told.json()["error"] == "At most 1 MB of uploads in 24 hours, try again later"
    assert (told.status_code, Upload.objects.count()) == (429, 0)
    assert client.post(UPLOADS, content=b"x" * 999_999, headers=PNG).status_code == 400
    assert client.post(UPLOADS, content=b"x", headers=PNG).status_code == 400
    answer = client.post(UPLOADS, content=IMAGE, headers=PNG)
    assert (answer.status_code, answer.json()["code"]) == (429, "upload_limit_reached")


def test_two_at_once_are_not_both_the_last_one(api: Api, alice: Person, settings) -> None:
    settings.UPLOADS_PER_DAY = 3
    client = api(alice.key)
    with ThreadPoolExecutor(8) as pool:
        sent = [pool.submit(client.post, UPLOADS, content=b"x", headers=PNG) for _ in range(8)]
    statuses = sorted(each.result().status_code for each in sent)
    assert statuses == [400] * 3 + [429] * 5
    assert Upload.objects.count() == 3


def test_a_minute_has_a_window_of_its_own(api: Api, alice: Person, settings) -> None:
    settings.RATE_LIMIT_UPLOADS, settings.RATE_LIMIT_READS = 2, 3
    client = api(alice.key)
    answers = [client.post(UPLOADS, content=b"x", headers=PNG) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [400, 400, 429]
    assert answers[2].json()["code"] == "rate_limited"
    assert client.get("/api/v1/credits/").status_code == 200


def test_a_suspended_account_uploads_nothing(api: Api, alice: Person) -> None:
    alice.account.suspended_at = timezone.now()
    alice.account.save()
    answer = api(alice.key).post(UPLOADS, content=IMAGE, headers=PNG)
    assert (answer.status_code, answer.json()["code"]) == (403, "account_suspended")
    assert not Upload.objects.exists()


@pytest.mark.parametrize("where", ["WORK_DIR", "OUTPUT_ROOT"])
def test_a_disk_that_takes_nothing_is_ours(
    api: Api, alice: Person, folders: Path, settings, where: str
) -> None:
    """A file stands where a folder should be."""
    (folders / "broken").write_bytes(b"")
    client = api(alice.key)
    if where == "WORK_DIR":
        settings.WORK_DIR = folders / "broken" / "work"
    else:
        storage = {"OPTIONS": {"location": str(folders / "broken")}}
        settings.STORAGES = settings.STORAGES | {"default": settings.STORAGES["default"] | storage}
    answer = client.post(UPLOADS, content=IMAGE, headers=PNG)
    assert (answer.status_code, answer.json()["code"]) == (503, "service_unavailable")
    assert answer.headers["Retry-After"]
    row = Upload.objects.get()
    assert row.expires_at is None
    assert bool(row.key) == (where == "OUTPUT_ROOT")  # retention looks for what may be there


def test_all_places_for_decoding_are_taken(
    api: Api, alice: Person, folders: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folders / "work").mkdir()
    with (
        monkeypatch.context() as hasty,
        (folders / "work" / "upload-decode.0").open("ab") as other,
    ):
        hasty.setattr(upload_places, "PLACE_SECONDS", 0.3)
        fcntl.flock(other, fcntl.LOCK_EX)  # another process of this host
        answer = api(alice.key).post(UPLOADS, content=IMAGE, headers=PNG)
        assert (answer.status_code, answer.json()["code"]) == (503, "service_unavailable")
        assert answer.headers["Retry-After"]
    assert api(alice.key).post(UPLOADS, content=IMAGE, headers=PNG).status_code == 201


def test_nothing_is_left_in_the_work_folder(api: Api, alice: Person, folders: Path) -> None:
    for data in (IMAGE, b"x"):
        api(alice.key).post(UPLOADS, content=data, headers=PNG)
    turn = f"upload-turn.{alice.account.pk.int % upload_places.TURNS:02}"
    assert {path.name for path in (folders / "work").iterdir()} == {"upload-decode.0", turn}
