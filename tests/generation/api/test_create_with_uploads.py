"""``upload:<id>`` in ``source_image_urls``: whose it must be, until when, and what is sent."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import httpx
import psycopg
import pytest
from django.core.files.storage import default_storage
from django.utils import timezone

from generation import interventions
from generation.inputs import upload_retention
from generation.models import Generation, Upload, UploadUse
from generation.models.states import State
from generation.outputs import retention
from generation.refusals import UnusableUpload
from tests.generation.outputs.test_retention import Ended, ended
from tests.support.bring_to import created
from tests.support.people import Person, inside, make_staff
from tests.support.uploads import make_upload, name_of
from tests.support.works import Emulator, Works

__all__ = ["ended"]  # a fixture

Api = Callable[..., httpx.Client]
VIDEO = "/api/v1/generate/video/"
QUOTE = "/api/v1/quote/"
URL = "https://example.com/a.png"


def ask(api: Api, person: Person, *entries: str, path: str = VIDEO, **more: Any) -> httpx.Response:
    body = {"prompt": "a red fox", "source_image_urls": list(entries), **more}
    return api(person.key).post(path, json=body)


def sentence(index: int) -> str:
    return f"source_image_urls[{index}] is not an upload of this account, or it has expired"


def test_an_upload_is_what_the_provider_gets(
    api: Api, alice: Person, works: Works, emulator: Emulator
) -> None:
    """It skips `prepare`, and nothing is fetched."""
    upload = make_upload(alice)
    answer = ask(api, alice, name_of(upload))
    assert answer.status_code == 201, answer.text
    data = answer.json()["data"]
    assert (data["mode"], data["source_images_count"]) == ("image-to-video", 1)
    row = Generation.objects.get()
    assert (row.images_until, row.source_image_urls) == (None, [name_of(upload)])
    assert UploadUse.objects.get().upload == upload
    assert works.run("prepare") == 0
    assert works.finish(str(row.pk)).state == State.COMPLETED
    asked = httpx.get(f"{emulator.url}/emulator/operations/{row.pk}").json()
    assert "image" in str(asked).lower()


@pytest.mark.parametrize("path", [VIDEO, QUOTE])
def test_all_that_is_no_upload_of_the_account_is_answered_alike(
    api: Api, alice: Person, bob: Person, path: str
) -> None:
    mine, foreign, old = make_upload(alice), make_upload(bob), make_upload(alice, -0.001)
    gone, unfinished = make_upload(alice), make_upload(alice)
    Upload.objects.filter(pk=gone.pk).update(deleted_at=timezone.now())
    Upload.objects.filter(pk=unfinished.pk).update(expires_at=None)
    unusable = [name_of(each) for each in (foreign, old, gone, unfinished)]
    malformed = ["upload:", "upload:x", f"upload:{{{mine.pk}}}", f"upload:{mine.pk}/", "upload://a"]
    unknown = f"upload:{uuid.uuid4()}"
    for entry in (*unusable, *malformed, unknown):
        answer = ask(api, alice, name_of(mine), entry, path=path)
        body = answer.json()
        assert (answer.status_code, body["code"]) == (400, "invalid_request"), entry
        assert body["error"] == body["details"]["source_image_urls"] == sentence(1)
    assert alice.balance == 1000
    assert not Generation.objects.exists()
    assert not UploadUse.objects.exists()


def test_a_quote_takes_uploads_and_uses_none(api: Api, alice: Person) -> None:
    answer = ask(api, alice, name_of(make_upload(alice)), path=QUOTE)
    assert (answer.status_code, answer.json()["mode"]) == (200, "image-to-video")
    assert not UploadUse.objects.exists()


def test_an_upload_works_as_often_as_wanted(api: Api, alice: Person) -> None:
    upload, other = make_upload(alice), make_upload(alice)
    for entries in ([upload], [upload, upload], [upload, other, upload]):
        assert ask(api, alice, *map(name_of, entries)).status_code == 201
    assert UploadUse.objects.count() == 4


def test_400_comes_before_all_else(api: Api, alice: Person) -> None:
    entry = f"upload:{uuid.uuid4()}"
    answer = ask(api, alice, entry, video_model="veo3", resolution="4k", max_credits=1)
    assert answer.json()["error"] == sentence(0)


def test_a_poor_account_hears_of_its_balance(api: Api, alice: Person) -> None:
    upload = make_upload(alice)
    for _ in range(4):
        assert ask(api, alice, name_of(upload)).status_code == 201
    answer = ask(api, alice, name_of(upload))
    assert answer.json()["code"] == "insufficient_credits"
    assert UploadUse.objects.count() == 4


def test_a_replay_outlives_the_upload(api: Api, alice: Person) -> None:
    upload = make_upload(alice)
    body = {"prompt": "a red fox", "source_image_urls": [name_of(upload)]}
    key = {"Idempotency-Key": "once"}
    first = api(alice.key).post(VIDEO, json=body, headers=key)
    Upload.objects.update(expires_at=timezone.now() - timedelta(hours=1))
    again = api(alice.key).post(VIDEO, json=body, headers=key)
    assert (again.status_code, again.json()) == (201, first.json())
    assert again.headers["Idempotent-Replayed"] == "true"
    assert ask(api, alice, name_of(upload)).status_code == 400


def test_the_statement_decides_whatever_was_seen_before(
    alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It expires between the look and the charge."""
    upload = make_upload(alice, -0.001)
    looks = iter([None, 0])
    monkeypatch.setattr("generation.creation.first_unusable", lambda *a, **k: next(looks))
    with pytest.raises(UnusableUpload):
        created(alice, source_image_urls=[name_of(upload)])
    assert alice.balance == 1000
    assert not UploadUse.objects.exists()


def test_an_order_waits_for_whoever_takes_the_upload_away(
    api: Api, alice: Person, admin_connection: psycopg.Connection
) -> None:
    upload = make_upload(alice)
    with ThreadPoolExecutor(1) as pool:
        with admin_connection.transaction():
            admin_connection.execute("UPDATE generation_upload SET deleted_at = now()")
            asked = pool.submit(ask, api, alice, name_of(upload))
            with pytest.raises(TimeoutError):
                asked.result(0.5)
        answer = asked.result(10)
    assert (answer.status_code, answer.json()["error"]) == (400, sentence(0))
    assert (alice.balance, Generation.objects.count()) == (1000, 0)


def test_two_orders_at_once_while_it_expires(api: Api, alice: Person) -> None:
    """Retention passes all the time: what was sold has its file, and nothing else was."""
    for _ in range(8):
        upload = make_upload(alice, hours_left=0.15 / 3600)
        Upload.objects.update(next_look_at=timezone.now())
        with ThreadPoolExecutor(4) as pool:
            orders = [pool.submit(ask, api, alice, name_of(upload)) for _ in range(2)]
            while not all(each.done() for each in orders):
                Upload.objects.update(next_look_at=timezone.now())
                upload_retention.remove_ended(1.0)
        sold = [each.result().status_code == 201 for each in orders]
        assert {each.result().status_code for each in orders} <= {201, 400}
        assert UploadUse.objects.filter(upload_id=upload.pk).count() == sum(sold)
        upload_retention.remove_ended(1.0)
        if any(sold):
            assert default_storage.exists(upload.key)
        for generation in Generation.objects.filter(state=State.QUEUED):
            client = api(alice.key)
            assert client.post(f"/api/v1/generate/{generation.pk}/cancel/").status_code == 200


def test_of_a_mixed_list_the_urls_alone_are_prepared(
    alice: Person, works: Works, emulator: Emulator, settings
) -> None:
    settings.SOURCE_IMAGE_ALLOWED_ORIGINS = frozenset({emulator.url})
    first, last = make_upload(alice), make_upload(alice)
    photo = f"{emulator.url}/sample-images/photo.jpg"
    film = created(alice, source_image_urls=[name_of(first), photo, name_of(last)])
    assert film.images_until is not None
    assert works.run("prepare") == 1
    suffix = f"prepared/{film.pk.hex[-2:]}/{film.pk}"
    kept = [default_storage.exists(f"{suffix}.{number}") for number in range(3)]
    assert kept == [False, True, False]
    assert works.finish(str(film.pk)).state == State.COMPLETED


def test_a_url_that_is_no_image_keeps_its_index(
    alice: Person, works: Works, emulator: Emulator, settings
) -> None:
    settings.SOURCE_IMAGE_ALLOWED_ORIGINS = frozenset({emulator.url})
    film = created(
        alice, source_image_urls=[name_of(make_upload(alice)), f"{emulator.url}/emulator/stats"]
    )
    film = works.finish(str(film.pk))
    assert (film.error_code, alice.balance) == ("invalid_source_image", 1000)
    assert film.error_message.startswith("source_image_urls[1] ")


def test_a_file_that_is_missing_is_our_fault(
    alice: Person, works: Works, emulator: Emulator, caplog: pytest.LogCaptureFixture
) -> None:
    upload = make_upload(alice)
    film = created(alice, source_image_urls=[name_of(upload)])
    default_storage.delete(upload.key)
    film = works.finish(str(film.pk))
    assert (film.state, film.error_code) == (State.FAILED, "provider_error")
    assert (alice.balance, emulator.bought(str(film.pk))) == (1000, 0)
    errors = [each for each in caplog.records if each.levelno == logging.ERROR]
    assert any(str(upload.pk) in each.getMessage() for each in errors)


def test_staff_try_again_as_long_as_the_file_is_there(alice: Person, bob: Person) -> None:
    upload = make_upload(alice)
    film = created(alice, source_image_urls=[name_of(upload)])
    interventions.cancel(film, actor=bob.user, reason="wrong")
    Upload.objects.update(expires_at=timezone.now() - timedelta(days=3))
    film = Generation.objects.get(pk=film.pk)
    asked: dict[str, Any] = {"actor": bob.user, "reason": "sorry"}
    again = interventions.order_again(film, paid_by="grant", token=uuid.uuid4(), **asked)
    assert UploadUse.objects.filter(generation_id=again.generation_id).exists()
    second = Generation.objects.get(pk=again.generation_id)
    interventions.cancel(second, actor=bob.user, reason="wrong")
    Upload.objects.update(deleted_at=timezone.now())
    assert interventions.why_not_retry(film) == (
        "Its uploaded images were deleted: it cannot be made again"
    )
    with pytest.raises(interventions.NotAllowed):
        interventions.order_again(film, paid_by="grant", token=uuid.uuid4(), **asked)


def test_erasure_takes_prompt_reference_file_and_key(alice: Person, ended: Ended) -> None:
    upload = make_upload(alice)
    film = created(alice, source_image_urls=[name_of(upload)])
    interventions.cancel(film, actor=alice.user, reason="old")
    ended(film, 400)
    assert retention.erase_prompts() == 1
    assert upload_retention.remove_ended(5.0) == 1
    film.refresh_from_db()
    upload.refresh_from_db()
    assert (film.prompt, film.source_image_urls, upload.key) == ("", [""], "")
    assert not default_storage.exists(f"uploads/{upload.pk.hex[-2:]}/{upload.pk}.png")


def test_operators_see_which_images_were_uploads(alice: Person) -> None:
    upload = make_upload(alice)
    film = created(alice, source_image_urls=[name_of(upload)])
    page = f"/admin/generation/generation/{film.pk}/change/"
    browser = inside(make_staff("support"))
    assert f"{upload.pk}: image/png, 40 × 20, {upload.size} bytes" in browser.get(page).text
    Upload.objects.update(deleted_at=timezone.now())
    assert "bytes, deleted" in browser.get(page).text
