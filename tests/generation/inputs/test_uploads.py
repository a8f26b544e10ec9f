"""An image that came whole, by a form: it is kept as if the API had taken it."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.conf import LazySettings

from accounts.caller import Caller
from generation.inputs import uploads
from generation.inputs.upload_body import spool
from generation.inputs.upload_decoding import NotAnImage
from generation.models import Upload
from tests.support.people import Person
from tests.support.uploads import PICTURE


@pytest.fixture(autouse=True)
def folders(settings: LazySettings, tmp_path: Path) -> None:
    settings.WORK_DIR = tmp_path / "work"


def take(person: Person, data: bytes) -> Upload:
    caller = Caller.by_member(person.account.pk, person.user.pk)
    with spool() as image:
        image.write(data)
        image.flush()
        return uploads.take(caller, image, len(data))


def test_an_image_is_kept(alice: Person) -> None:
    kept = take(alice, PICTURE)
    assert (kept.account_id, kept.created_by_id) == (alice.account.pk, alice.user.pk)
    assert (kept.width, kept.height, kept.received) == (40, 20, len(PICTURE))
    assert kept.expires_at is not None


def test_what_is_no_image_counts_all_the_same(alice: Person, settings: LazySettings) -> None:
    settings.UPLOADS_PER_DAY = 1
    with pytest.raises(NotAnImage):
        take(alice, b"no image")
    with pytest.raises(uploads.UploadLimitReached):
        take(alice, PICTURE)
