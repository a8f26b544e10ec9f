"""Images by the playground's form: the API's limits, and nothing that was typed is lost."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from generation.inputs.image_limits import MAX_BYTES
from generation.models import Generation, Upload
from tests.console.test_create import PROMPT, address, form_of, nothing_happened, send, text
from tests.support.console import browser
from tests.support.forms import Fields, filled
from tests.support.people import Person
from tests.support.uploads import PICTURE, make_upload, name_of


@pytest.fixture(autouse=True)
def folders(settings: LazySettings, tmp_path: Path) -> None:
    settings.WORK_DIR = tmp_path / "work"


@pytest.fixture
def client(alice: Person) -> Client:
    return browser(alice.user)


def add(client: Client, person: Person, fields: Fields, data: bytes, **options: Any) -> Any:
    file = SimpleUploadedFile("cat.png", data, "image/png")
    return client.post(f"{address(person)}upload/", {**fields, "image": file}, **options)


def test_an_image_is_added_and_ordered_with(client: Client, alice: Person) -> None:
    answer = add(client, alice, form_of(client, alice, seed="5"), PICTURE)
    assert answer.status_code == 200
    kept = Upload.objects.get()
    assert (kept.account_id, kept.created_by_id) == (alice.account.pk, alice.user.pk)
    assert kept.received == len(PICTURE)
    fields = filled(text(answer), "create")
    assert fields["source_image_urls"] == [name_of(kept), ""]
    assert (fields["prompt"], fields["seed"]) == ([PROMPT], ["5"])
    assert nothing_happened(alice)
    assert send(client, alice, fields).status_code == 303
    assert Generation.objects.get().source_image_urls == [name_of(kept)]


def test_with_a_script_the_fields_alone_come_back(client: Client, alice: Person) -> None:
    asks = {"HX-Request": "true", "HX-Target": "images"}
    part = text(add(client, alice, form_of(client, alice), PICTURE, headers=asks))
    assert "<html" not in part
    assert name_of(Upload.objects.get()) in part


@pytest.mark.parametrize(
    ("data", "says", "status"),
    [
        (b"no image", "is not a JPEG, PNG or WebP image", 400),
        (b"", "Choose a file first", 400),
        (PICTURE + b"x" * (MAX_BYTES + 1), "The image is larger than 20 MB", 413),
    ],
    ids=["no image", "empty", "too large"],
)
def test_a_refused_image_loses_nothing(
    client: Client, alice: Person, data: bytes, says: str, status: int
) -> None:
    fields = form_of(client, alice, source_image_urls="https://example.com/a.png")
    answer = add(client, alice, fields, data)
    assert answer.status_code == status
    assert says in text(answer)
    kept = filled(text(answer), "create")
    assert kept["prompt"] == [PROMPT]
    assert kept["source_image_urls"] == ["https://example.com/a.png", ""]
    asks = {"HX-Request": "true", "HX-Target": "images"}
    answer = add(client, alice, fields, data, headers=asks)
    assert (answer.status_code, says in text(answer)) == (200, True)
    assert not Upload.objects.exclude(key="").exists()


def test_none_was_chosen(client: Client, alice: Person) -> None:
    answer = client.post(f"{address(alice)}upload/", form_of(client, alice))
    assert (answer.status_code, "Choose a file first" in text(answer)) == (400, True)


def test_far_too_much_is_not_read(client: Client, alice: Person) -> None:
    answer = add(client, alice, form_of(client, alice), b"x" * (3 * MAX_BYTES + 1))
    assert answer.status_code == 413
    assert not Upload.objects.exists()


@pytest.mark.parametrize("parameter", ["x*=bogus''%ff", "x*=a; x*0=b"])
def test_a_form_that_nobody_can_parse(client: Client, alice: Person, parameter: str) -> None:
    head = f'Content-Disposition: form-data; name="image"; filename="a"; {parameter}'
    form = b"--B\r\n%s\r\n\r\n%s\r\n--B--\r\n" % (head.encode(), PICTURE)
    answer = client.post(
        f"{address(alice)}upload/", form, content_type="multipart/form-data; boundary=B"
    )
    assert answer.status_code == 400
    assert not Upload.objects.exists()


def test_the_apis_limits_hold(client: Client, alice: Person, settings: LazySettings) -> None:
    settings.UPLOADS_PER_DAY = 1
    fields = form_of(client, alice)
    assert add(client, alice, fields, PICTURE).status_code == 200
    answer = add(client, alice, fields, PICTURE)
    assert answer.status_code == 429
    assert "At most 1 uploads in 24 hours" in text(answer)
    assert filled(text(answer), "create")["prompt"] == [PROMPT]
    settings.RATE_LIMIT_UPLOADS = 1
    assert add(client, alice, fields, PICTURE).status_code == 429
    assert Upload.objects.count() == 1


def test_one_is_removed(client: Client, alice: Person) -> None:
    entries = [name_of(make_upload(alice)), "https://example.com/a.png"]
    fields = form_of(client, alice, source_image_urls=entries, remove="0")
    answer = send(client, alice, fields)
    assert answer.status_code == 200
    assert filled(text(answer), "create")["source_image_urls"] == [entries[1], ""]
    assert nothing_happened(alice)


def test_strangers_send_nothing(alice: Person, bob: Person) -> None:
    fields = form_of(browser(bob.user), bob)
    answer = add(browser(bob.user), alice, fields, PICTURE)
    assert answer.status_code == 404
    assert add(Client(), alice, fields, PICTURE).status_code == 303
    assert browser(bob.user).get(f"{address(bob)}upload/").status_code == 405
    assert not Upload.objects.exists()
    foreign = form_of(browser(bob.user), bob, source_image_urls=name_of(make_upload(alice)))
    answer = send(browser(bob.user), bob, foreign)
    assert answer.status_code == 400
    assert "Image 1 is not an upload of this account" in text(answer)
