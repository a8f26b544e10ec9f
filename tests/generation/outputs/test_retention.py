"""Outputs and prompts end: what the customer sees, what is deleted, and what stays for ever."""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from django.conf import settings
from django.core.files.storage import default_storage
from django.db.models import F
from django.utils import timezone

from accounts.models import Account, ApiKey
from credits.books import check_ledger
from generation.books import check_generations
from generation.models import Attempt, Erasure, Generation
from generation.models.states import State
from generation.outputs import retention
from generation.stages.retention import let_expire
from tests.support.bring_to import attempt_of, reached
from tests.support.orphan_looks import upload
from tests.support.people import Person, inside, make_staff, make_token
from tests.support.works import Emulator, Works

Api = Callable[..., httpx.Client]
Ended = Callable[[Generation, float], Generation]
ROOT = Path(__file__).resolve().parent.parent.parent.parent
RUN = "from generation.tasks.store import retention; retention()"
URLS = ["https://example.com/a.jpg?secret=1", "https://example.com/b.jpg"]


@pytest.fixture
def ended(admin_connection: psycopg.Connection) -> Ended:
    """``ended(generation, days)``: it ended so many days ago."""

    def make(generation: Generation, days: float) -> Generation:
        with admin_connection.transaction():
            admin_connection.execute("SET LOCAL session_replication_role = replica")
            admin_connection.execute(
                "UPDATE generation_generation SET finished_at = now() - %s * interval '1 day'"
                " WHERE id = %s",
                [days, generation.pk],
            )
        return Generation.objects.get(pk=generation.pk)

    return make


def expire(works: Works) -> int:
    """A pass of one batch."""
    return let_expire(works.provider, works.engine.loop, 0.0)


def status(api: Api, person: Person, generation: Generation) -> dict[str, Any]:
    return dict(api(person.key).get(f"/api/v1/generate/{generation.pk}/").json())


def objects(emulator: Emulator, prefix: str) -> list[str]:
    """What lies under a prefix in the provider's bucket."""
    bucket, _, name = prefix.removeprefix("gs://").partition("/")
    listed = httpx.get(f"{emulator.url}/storage/v1/b/{bucket}/o", params={"prefix": name}).json()
    return [item["name"] for item in listed.get("items", [])]


def make_tries_due() -> None:
    Erasure.objects.update(next_try_at=timezone.now())


# --- What the database lets retention do ----------------------------------------------------------


@pytest.mark.parametrize("state", [State.COMPLETED, State.FAILED, State.CANCELED])
def test_the_prompt_may_go(state: State, alice: Person) -> None:
    row = Generation.objects.filter(pk=reached(alice, state).pk)
    assert row.update(prompt="", version=F("version") + 1) == 1
    assert row.get().prompt == ""


def test_the_file_may_go_and_the_row_says_when(alice: Person) -> None:
    film = reached(alice, State.COMPLETED)
    row = Generation.objects.filter(pk=film.pk)
    gone = {"output_key": "", "output_deleted_at": film.finished_at, "prompt": ""}
    assert row.update(**gone, version=F("version") + 1) == 1
    generation = row.get()
    assert (generation.state, generation.output_key) == (State.COMPLETED, "")
    assert (generation.output_deleted_at, generation.version) == (film.finished_at, 6)


# --- What the customer sees -----------------------------------------------------------------------


def test_an_expired_output_is_gone_everywhere_and_the_rest_stays(
    api: Api,
    alice: Person,
    works: Works,
    emulator: Emulator,
    start: Callable[..., str],
    ended: Ended,
) -> None:
    film = works.finish(start(alice))
    prefix, path = attempt_of(film).prefix, Path(default_storage.path(film.output_key))
    film = ended(film, 91)
    before = status(api, alice, film)
    tag = api(alice.key).get(f"/api/v1/generate/{film.pk}/").headers["ETag"]
    assert before["output_expires_at"] < before["updated_at"]
    assert path.exists()
    assert objects(emulator, prefix)

    assert expire(works) == 1
    answer = api(alice.key).get(f"/api/v1/generate/{film.pk}/", headers={"If-None-Match": tag})
    after = answer.json()
    links = ("video_url", "download_url", "expires_at", "output_expires_at")
    moved = dict.fromkeys(links) | {
        "output_deleted_at": after["updated_at"],
        "updated_at": after["updated_at"],
    }
    assert after == before | moved
    assert after["status"] == "completed"
    assert after["output_deleted_at"].endswith("Z")
    for answer in (
        api().get(before["video_url"]),
        api(alice.key).get(before["download_url"]),
    ):
        assert (answer.status_code, answer.json()["code"]) == (410, "output_expired")
    assert not path.exists()
    assert objects(emulator, prefix) == []
    assert not Erasure.objects.exists()
    assert alice.balance == 760
    assert check_ledger().differences == check_generations().differences == []
    assert expire(works) == 0


def test_an_expired_prompt_is_empty_and_says_as_much_as_before(
    api: Api, alice: Person, works: Works, ended: Ended
) -> None:
    old = ended(reached(alice, State.COMPLETED, source_image_urls=URLS), 366)
    kept = ended(reached(alice, State.FAILED), 364)
    before = status(api, alice, old)
    expire(works)
    after = status(api, alice, old)
    for name in ("mode", "source_images_count", "aspect_ratio", "credits_used", "created_at"):
        assert after[name] == before[name]
    assert (after["source_images_count"], after["mode"]) == (2, "image-to-video")
    assert after["prompt"] == ""
    row = Generation.objects.get(pk=old.pk)
    assert row.parameters["source_image_urls"] == ["", ""]
    assert (row.parameters["aspect_ratio"], row.parameters["duration"]) == ("16:9", 8)
    assert status(api, alice, kept)["prompt"] == "a red fox"
    history = api(alice.key).get("/api/v1/generate/history/").json()["results"]
    assert history[-1] == after


def test_the_same_request_is_still_replayed(
    api: Api, alice: Person, works: Works, ended: Ended
) -> None:
    body = {"prompt": "a red fox", "source_image_urls": URLS}
    answers = []
    for _ in range(2):
        answers.append(
            api(alice.key, **{"Idempotency-Key": "once"}).post("/api/v1/generate/video/", json=body)
        )
        generation = Generation.objects.get()
        if generation.is_open:
            api(alice.key).post(f"/api/v1/generate/{generation.pk}/cancel/")
            ended(Generation.objects.get(), 400)
            expire(works)
    assert Generation.objects.get().prompt == ""
    assert answers[1].headers["Idempotent-Replayed"] == "true"
    assert answers[1].json() == answers[0].json()


def test_open_generations_and_their_prompts_never_expire(
    alice: Person, works: Works, admin_connection: psycopg.Connection
) -> None:
    for state in (State.QUEUED, State.RUNNING, State.STORING):
        reached(alice, state)
    admin_connection.execute(
        "UPDATE generation_generation SET created_at = now() - interval '9 years'"
    )
    assert expire(works) == 0
    assert set(Generation.objects.values_list("prompt", flat=True)) == {"a red fox"}


# --- How long: the setting, or the account's own number -------------------------------------------


@pytest.mark.parametrize(
    ("setting", "own", "kept_days"),
    [(90, None, 90), (90, 7, 7), (90, 400, 400), (7, 0, None), (0, None, None), (0, 7, 7)],
)
def test_how_long_an_output_is_kept(
    setting: int,
    own: int | None,
    kept_days: int | None,
    api: Api,
    alice: Person,
    works: Works,
    ended: Ended,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(settings, "OUTPUT_RETENTION_DAYS", setting)
    Account.objects.filter(pk=alice.account.pk).update(output_retention_days=own)
    film = reached(alice, State.COMPLETED)
    if kept_days is None:
        film = ended(film, 30_000)
        assert status(api, alice, film)["output_expires_at"] is None
        assert expire(works) == 0
        return
    film = ended(film, kept_days - 0.01)
    shown = retention.output_expires_at(film)
    assert shown is not None
    assert status(api, alice, film)["output_expires_at"] == shown.isoformat().replace("+00:00", "Z")
    assert 0 < (shown - timezone.now()).total_seconds() < 900
    assert expire(works) == 0
    ended(film, kept_days + 0.01)
    assert expire(works) == 1


def test_prompts_have_numbers_of_their_own(
    alice: Person, bob: Person, works: Works, ended: Ended, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "PROMPT_RETENTION_DAYS", 0)
    Account.objects.filter(pk=bob.account.pk).update(prompt_retention_days=1)
    for person in (alice, bob):
        ended(reached(person, State.CANCELED), 2)
    expire(works)
    prompts = dict(Generation.objects.values_list("account", "prompt"))
    assert prompts == {alice.account.pk: "a red fox", bob.account.pk: ""}


def test_the_tag_changes_with_what_the_body_says(api: Api, alice: Person) -> None:
    film = reached(alice, State.COMPLETED)
    url = f"/api/v1/generate/{film.pk}/"
    tag = api(alice.key).get(url).headers["ETag"]
    assert api(alice.key, **{"If-None-Match": tag}).get(url).status_code == 304
    Account.objects.filter(pk=alice.account.pk).update(output_retention_days=3)
    assert api(alice.key, **{"If-None-Match": tag}).get(url).status_code == 200


def test_what_a_shorter_time_would_take(alice: Person, bob: Person, ended: Ended) -> None:
    old, young = (reached(alice, State.COMPLETED) for _ in range(2))
    failed, foreign = reached(alice, State.FAILED), reached(bob, State.COMPLETED)
    reached(alice, State.RUNNING)
    for each in (old, failed, foreign):
        ended(each, 3)
    ended(young, 1)
    assert [row.pk for row in retention.with_older_output(alice.account, 2)] == [old.pk]
    prompts = {row.pk for row in retention.with_older_prompt(alice.account, 2)}
    assert prompts == {old.pk, failed.pk}
    # the same rows that a pass takes then
    Account.objects.filter(pk=alice.account.pk).update(output_retention_days=2)
    assert retention.expire_outputs() == 1
    assert not retention.with_older_output(alice.account, 2).exists()


# --- Batches --------------------------------------------------------------------------------------


def test_a_statement_takes_a_batch_and_a_pass_goes_on(
    alice: Person, bob: Person, works: Works, ended: Ended, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "BATCH", 2)
    for person in (alice, bob, alice, alice, bob):
        ended(reached(person, State.COMPLETED, model="image"), 400)
    assert retention.expire_outputs() == 2
    assert retention.erase_prompts() == 2
    assert Erasure.objects.count() == 2
    assert let_expire(works.provider, works.engine.loop, 20.0) == 5
    assert not Generation.objects.exclude(prompt="", output_key="").exists()
    assert not Erasure.objects.exists()


KEYS = "generation_idempotency_key_unique"  # begins with the account, too
OTHER_INDEXES = """
SELECT indexrelid::regclass FROM pg_index
 WHERE indrelid = 'generation_generation'::regclass AND NOT indisunique
   AND indexrelid <> %s::regclass
"""


def test_nobody_is_walked_over(admin_connection: psycopg.Connection, alice: Person) -> None:
    """Rows are found by the partial indexes alone, an account after another."""
    for statement, name in (
        (retention.EXPIRE, "generation_with_output"),
        (retention.FORGET, "generation_with_prompt"),
    ):
        with admin_connection.transaction(force_rollback=True):
            # Can this index answer it? Of an empty table another one of the account's may seem as
            # cheap, and a bitmap of the same index would say the same in other words.
            others = admin_connection.execute(OTHER_INDEXES, [name]).fetchall()
            for (other,) in others:
                admin_connection.execute(f'DROP INDEX "{other}"')
            admin_connection.execute(f"ALTER TABLE generation_generation DROP CONSTRAINT {KEYS}")
            admin_connection.execute("SET LOCAL enable_seqscan = off")
            admin_connection.execute("SET LOCAL enable_bitmapscan = off")
            plan = admin_connection.execute(
                f"EXPLAIN {statement}", {"days": 90, "most": 36_500, "limit": 200}
            ).fetchall()
        lines = [line for (line,) in plan]
        # how the rows that are due are found; those found may be read again by any index
        below = itertools.pairwise(lines)
        conditions = [after for line, after in below if f"using {name} " in line]
        assert any("account_id = " in one and "finished_at <= " in one for one in conditions), plan


# --- When it does not work ------------------------------------------------------------------------


def test_a_file_that_is_gone_already_counts_as_deleted(
    alice: Person, works: Works, ended: Ended
) -> None:
    film = ended(reached(alice, State.COMPLETED), 91)
    Path(default_storage.path(film.output_key)).unlink()
    assert expire(works) == 1
    assert not Erasure.objects.exists()


class Refusing(BaseHTTPRequestHandler):
    """A bucket that lets nobody delete."""

    def _refuse(self) -> None:
        self.send_response(403)
        self.end_headers()

    do_GET = do_DELETE = _refuse  # noqa: N815

    def log_request(self, *_: Any) -> None:
        """Quietly."""


@pytest.fixture
def refusing() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), Refusing)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_a_bucket_that_refuses_is_asked_later_and_holds_up_the_rest(
    api: Api,
    alice: Person,
    works: Works,
    emulator: Emulator,
    ended: Ended,
    refusing: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(retention, "BATCH", 1)
    films = [ended(reached(alice, State.COMPLETED), 91) for _ in range(2)]
    left = [upload(emulator, attempt_of(film).prefix) for film in films]
    with monkeypatch.context() as down:
        down.setattr(settings, "STORAGE_BASE_URL", refusing)
        assert let_expire(works.provider, works.engine.loop, 5.0) == 0
    (erasure,) = Erasure.objects.all()
    assert "HTTP 403" in erasure.last_error
    assert 55 < (erasure.next_try_at - timezone.now()).total_seconds() < 61
    assert "are not deleted yet" in caplog.text
    shown = [status(api, alice, film)["video_url"] for film in films]
    assert sorted(url is None for url in shown) == [False, True]
    assert not default_storage.exists(erasure.key)  # ours is
    make_tries_due()
    assert let_expire(works.provider, works.engine.loop, 5.0) == 2
    assert [objects(emulator, uri) for uri in left] == [[], []]


def test_nothing_beside_the_attempts_own_prefix_is_deleted(
    alice: Person, works: Works, emulator: Emulator, ended: Ended
) -> None:
    old, new = reached(alice, State.COMPLETED), reached(alice, State.COMPLETED)
    prefix = attempt_of(old).prefix
    stay = [
        upload(emulator, prefix.removesuffix("1/") + "11/"),
        upload(emulator, prefix.removesuffix("/") + "-notes/"),
        upload(emulator, attempt_of(new).prefix),
    ]
    for name in ("a/", "b/"):
        upload(emulator, f"{prefix}{name}")
    ended(old, 91)
    assert expire(works) == 1
    assert objects(emulator, prefix) == []
    assert all(objects(emulator, uri) for uri in stay)


@pytest.mark.parametrize("bucket", ["gs://missing-bucket/generations/1/", "gs://test-outputs/x/"])
def test_a_place_that_does_not_exist_holds_nothing(
    bucket: str, alice: Person, works: Works, ended: Ended
) -> None:
    film = ended(reached(alice, State.COMPLETED), 91)
    Attempt.objects.filter(generation=film).update(prefix=bucket)
    assert expire(works) == 1
    assert not Erasure.objects.exists()


def test_login_tokens_that_ended_go_with_it(
    api: Api, alice: Person, bob: Person, emulator: Emulator
) -> None:
    """The task of a real worker; what an ended token had ordered still says so."""
    token = make_token(alice)
    made = api(token).post("/api/v1/generate/", json={"prompt": "a"}).json()["data"]
    row = ApiKey.objects.tokens().get()
    make_token(alice)
    ApiKey.objects.tokens().update(expires_at=timezone.now() - timedelta(days=31))
    make_token(bob)
    page = f"/admin/generation/generation/{made['generation_id']}/change/"
    browser = inside(make_staff("support"))
    assert row.preview in browser.get(page).text
    done = subprocess.run(
        [sys.executable, "-c", f"import django; django.setup(); {RUN}"],
        cwd=ROOT,
        env=os.environ
        | {"DJANGO_SETTINGS_MODULE": "config.settings", "VERTEX_BASE_URL": emulator.url},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert {left.account for left in ApiKey.objects.tokens()} == {alice.account, bob.account}
    assert ApiKey.objects.tokens().get(account=alice.account) == row
    assert row.preview in browser.get(page).text
    assert status(api, alice, Generation.objects.get())["status"] == "processing"


@pytest.mark.parametrize("point", ["retention.after_rows", "retention.after_files"])
def test_a_worker_that_dies_between_row_and_file(
    point: str, api: Api, alice: Person, works: Works, emulator: Emulator, ended: Ended
) -> None:
    """A real process, killed: never a link without its file, never a file without its erasure."""
    film = reached(alice, State.COMPLETED)
    link = status(api, alice, film)["video_url"]
    film, left = ended(film, 400), upload(emulator, attempt_of(film).prefix)
    died = subprocess.run(
        [sys.executable, "-c", f"import django; django.setup(); {RUN}"],
        cwd=ROOT,
        env=os.environ
        | {"DJANGO_SETTINGS_MODULE": "config.settings", "CRASH_POINTS": f"{point}=1"}
        | {"VERTEX_BASE_URL": emulator.url},
        capture_output=True,
        text=True,
    )
    assert died.returncode == -signal.SIGKILL, died.stderr
    body = status(api, alice, film)
    assert (body["status"], body["video_url"], body["prompt"]) == ("completed", None, "")
    exists = default_storage.exists(film.output_key)
    assert exists == (point == "retention.after_rows")
    assert (api().get(link).status_code == 410) == (not exists)
    assert Erasure.objects.get().key == film.output_key
    make_tries_due()
    assert expire(works) == 1
    assert not default_storage.exists(film.output_key)
    assert objects(emulator, left) == []
    assert api().get(link).status_code == 410


def test_two_at_once_share_the_work(
    alice: Person, works: Works, ended: Ended, admin_connection: psycopg.Connection
) -> None:
    """What another one holds is neither waited for nor taken."""
    films = [ended(reached(alice, State.COMPLETED), 91) for _ in range(2)]
    with admin_connection.transaction(force_rollback=True):
        admin_connection.execute(
            "SELECT FROM generation_generation WHERE id = %s FOR UPDATE", [films[0].pk]
        )
        assert retention.expire_outputs() == 1
    assert [each.generation_id for each in retention.claim_erasures()] == [films[1].pk]
    assert retention.claim_erasures() == []  # leased
    assert expire(works) == 1


def test_a_bucket_of_ours_says_so_without_a_look_at_the_file(
    api: Api, alice: Person, ended: Ended, monkeypatch: pytest.MonkeyPatch
) -> None:
    film = reached(alice, State.COMPLETED)
    link = status(api, alice, film)["video_url"]
    ended(film, 91)
    assert retention.expire_outputs() == 1
    monkeypatch.setattr(settings, "OUTPUT_STORAGE", "gcs")
    assert api().get(link).json()["code"] == "output_expired"
