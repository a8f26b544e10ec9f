"""API keys in a browser: shown once, made once, deleted for good."""

from __future__ import annotations

import html
import logging
import re
import subprocess
import sys
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import connection, connections, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts import keys, secrets, sessions
from accounts.models import Account, ApiKey, Membership, User
from common.fresh import Fresh
from console import entrance
from console.middleware import COOKIE
from console.sessions import SessionStore
from generation.models import CatalogModel, Generation
from tests.support.console import browser
from tests.support.people import Person, make_person, make_token
from tests.support.racing import wait_until_blocked

SECRET = re.compile(r"rmk_[0-9A-Za-z]{42}")
FORM = re.compile(r'<input type="hidden" name="form" value="([^"]+)"')
MOST_STATEMENTS = 12


@pytest.fixture
def client(alice: Person) -> Client:
    return browser(alice.user)


def path(person: Person, *more: object) -> str:
    return f"/c/{person.account.pk}/keys/" + "".join(f"{each}/" for each in more)


def listed(client: Client, person: Person) -> str:
    answer = client.get(path(person))
    assert answer.status_code == 200
    return answer.content.decode()


def fill(client: Client, person: Person, **changes: str) -> dict[str, str]:
    """The form of the page, filled in."""
    found = FORM.search(listed(client, person))
    assert found is not None
    return {"name": "My shop", "expires": "", "form": found[1]} | changes


def made(answer: Any) -> str:
    """The secret that the answer shows."""
    assert answer.status_code == 200
    return str(next(iter(SECRET.findall(answer.content.decode()))))


def code(answer: Any, language: str) -> str:
    """What the copy button of this language copies."""
    text = answer.content.decode()
    found = re.search(rf'<pre class="code" id="code-{language}"[^>]*>(.*?)</pre>', text, re.DOTALL)
    assert found is not None
    return html.unescape(found[1])


def of(person: Person, name: str = "My shop") -> list[ApiKey]:
    return list(person.account.api_keys.keys().filter(name=name))


def session_of(client: Client) -> SessionStore:
    return SessionStore(client.cookies[COOKIE].value)


# --- Making ---------------------------------------------------------------------------------------


def test_a_key_works_and_is_the_members(client: Client, alice: Person, api: Any) -> None:
    answer = client.post(path(alice), fill(client, alice))
    secret = made(answer)
    assert set(SECRET.findall(answer.content.decode())) == {secret}
    assert secrets.is_well_formed(secret)
    (row,) = of(alice)
    assert (row.account, row.created_by, row.kind) == (alice.account, alice.user, "key")
    assert (row.expires_at, row.scopes) == (None, [])
    assert api(secret).get("/api/account/").json()["id"] == str(alice.account.pk)


def test_the_secret_is_shown_once(
    client: Client, alice: Person, capsys: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    form = fill(client, alice)
    answer = client.post(path(alice), form)
    secret = made(answer)
    assert answer["Cache-Control"] == "no-store"
    assert answer["Referrer-Policy"] == "strict-origin"
    (row,) = of(alice)
    later = [
        client.get(path(alice)),
        client.post(path(alice), form, follow=True),
        client.get(path(alice, row.pk, "used")),
        client.get(path(alice, row.pk, "used"), headers={"HX-Request": "true"}),
        client.get(f"/c/{alice.account.pk}/"),
        client.get(f"/c/{alice.account.pk}/gallery/"),
        client.post(path(alice, row.pk, "delete"), follow=True),
        client.get(path(alice)),
    ]
    for each in later:
        assert secret not in each.content.decode()
        assert secret[8:-4] not in str(each.headers)
    assert row.preview in later[0].content.decode()
    written = capsys.readouterr()
    assert secret[8:-4] not in caplog.text + written.out + written.err
    assert secret[8:-4] not in str(dict(session_of(client).items()))
    for table in ("accounts_apikey", "accounts_consolesession"):
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT * FROM {table}")
            assert secret[8:-4] not in str(cursor.fetchall())


def test_a_reload_makes_no_second_key(client: Client, alice: Person) -> None:
    form = fill(client, alice)
    made(client.post(path(alice), form))
    for changes in ({}, {"name": "Another"}, {"expires": "7"}):
        answer = client.post(path(alice), form | changes)
        assert (answer.status_code, answer["Location"]) == (303, path(alice))
    assert "made already" in listed(client, alice)
    assert alice.account.api_keys.keys().count() == 2
    # nor does it after it was deleted
    (row,) = of(alice)
    client.post(path(alice, row.pk, "delete"))
    assert client.post(path(alice), form).status_code == 303
    assert alice.account.api_keys.keys().live().count() == 1
    made(client.post(path(alice), fill(client, alice)))


def test_a_double_click_makes_one(client: Client, alice: Person) -> None:
    form = fill(client, alice)

    def send(_: int) -> int:
        try:
            return browser(alice.user).post(path(alice), form).status_code
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as pool:
        codes = sorted(pool.map(send, range(8)))
    assert codes == [200] + [303] * 7
    assert len(of(alice)) == 1


def test_a_forms_name_is_of_its_person_and_account(alice: Person, bob: Person) -> None:
    """Nobody can take somebody else's form, or key, away by its name."""
    theirs = str(alice.account.api_keys.get().pk)
    Membership.objects.create(user=bob.user, account=alice.account)
    shared = {"name": "My shop", "form": theirs}
    for person, client in ((alice, browser(alice.user)), (bob, browser(bob.user))):
        made(client.post(path(person), shared))
    made(browser(bob.user).post(path(alice), shared))
    assert len(of(alice)) == 2
    assert len(of(bob)) == 1


@pytest.mark.parametrize("form", [None, "", "x", "x" * 100_000, "\x01", "\ud7ff", "00000000"])
def test_a_form_without_a_proper_name(client: Client, alice: Person, form: str | None) -> None:
    sent = {"name": "My shop"} | ({} if form is None else {"form": form})
    made(client.post(path(alice), sent))
    again = client.post(path(alice), sent)
    assert again.status_code == (303 if form else 200)


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("  spaces ", "spaces"),
        ("n" * 100, "n" * 100),
        ("<b>&\"'", "<b>&\"'"),
        ("a\x01\x1b[31m\u202eb", "a\x01\x1b[31m\u202eb"),
        ("𓀀" * 100, "𓀀" * 100),
        ("a\r\nb", "a\r\nb"),
    ],
)
def test_names(client: Client, alice: Person, name: str, kept: str) -> None:
    answer = client.post(path(alice), fill(client, alice, name=name))
    assert made(answer)
    assert len(of(alice, kept)) == 1
    assert "<b>" not in answer.content.decode() + listed(client, alice)
    row = of(alice, kept)[0]
    assert client.get(path(alice, row.pk, "used")).status_code == 200
    assert client.post(path(alice, row.pk, "delete"), follow=True).status_code == 200


@pytest.mark.parametrize("name", ["", "  ", "n" * 101, "\u200b\u2060", "\0", "a\0b", "\x01\x02"])
def test_bad_names(client: Client, alice: Person, name: str) -> None:
    answer = client.post(path(alice), fill(client, alice, name=name))
    assert answer.status_code == 200
    assert not SECRET.search(answer.content.decode())
    assert 'aria-invalid="true"' in answer.content.decode()
    assert alice.account.api_keys.count() == 1


@pytest.mark.parametrize("expires", ["7", "30", "90", "365"])
def test_expiry(client: Client, alice: Person, expires: str) -> None:
    made(client.post(path(alice), fill(client, alice, expires=expires)))
    (row,) = of(alice)
    assert row.expires_at is not None
    left = row.expires_at - timezone.now()
    assert timedelta(days=int(expires) - 1) < left <= timedelta(days=int(expires))


@pytest.mark.parametrize("expires", ["0", "-1", "8", "x", "9" * 50, "\0"])
def test_odd_expiries(client: Client, alice: Person, expires: str) -> None:
    answer = client.post(path(alice), fill(client, alice, expires=expires))
    assert not SECRET.search(answer.content.decode())
    assert alice.account.api_keys.count() == 1


def test_twenty_keys(client: Client, alice: Person) -> None:
    form = fill(client, alice)
    for number in range(19):
        keys.create_key(alice.account, alice.user, f"k{number}")
    page = listed(client, alice)
    assert "at most 20 live keys" in page
    assert "Create key" not in page
    answer = client.post(path(alice), form)
    assert "at most 20 live API keys" in answer.content.decode()
    assert not of(alice)
    client.post(path(alice, ApiKey.objects.get(name="k3").pk, "delete"))
    made(client.post(path(alice), form))


def test_racing_for_the_last_key(alice: Person) -> None:
    for number in range(18):
        keys.create_key(alice.account, alice.user, f"k{number}")

    def send(_: int) -> bool:
        try:
            sent = {"name": "My shop", "form": str(uuid.uuid4())}
            answer = browser(alice.user).post(path(alice), sent)
            return SECRET.search(answer.content.decode()) is not None
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(send, range(8))).count(True) == 1
    assert alice.account.api_keys.keys().live().count() == 20


def test_making_and_deleting_need_a_fresh_look(client: Client, alice: Person) -> None:
    form, row = fill(client, alice), alice.account.api_keys.get()
    store = session_of(client)
    store[entrance.CONFIRMED] = 0
    store.save()
    for address in (path(alice), path(alice, row.pk, "delete")):
        answer = client.post(address, form, headers={"Referer": f"http://testserver{path(alice)}"})
        assert answer.status_code == 303
        assert answer["Location"].startswith("/confirm/?next=")
    assert not of(alice)
    row.refresh_from_db()
    assert row.is_live
    assert client.get(path(alice)).status_code == 200


def test_a_session_that_ends_meanwhile_makes_none(
    client: Client, alice: Person, admin_connection: psycopg.Connection
) -> None:
    """Who takes a user over holds the account's lock, and ends all sessions under it."""
    form = fill(client, alice)

    def send() -> Any:
        try:
            return client.post(path(alice), form)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            Account.objects.select_for_update(no_key=True).get(pk=alice.account.pk)
            sent = pool.submit(send)
            wait_until_blocked(admin_connection, "FOR NO KEY UPDATE")
            sessions.end_all(alice.user)
        answer = sent.result()
    assert answer.status_code == 303
    assert answer["Location"].startswith("/log-in/")
    assert not of(alice)


def test_a_suspended_account_looks_and_makes_nothing(client: Client, alice: Person) -> None:
    form, row = fill(client, alice), alice.account.api_keys.get()
    Account.objects.filter(pk=alice.account.pk).update(suspended_at=timezone.now())
    assert row.preview in listed(client, alice)
    assert "suspended" in listed(client, alice)
    for address in (path(alice), path(alice, row.pk, "delete")):
        answer = client.post(address, form)
        assert answer.status_code == 403
        assert "suspended" in answer.content.decode()
    row.refresh_from_db()
    assert row.is_live
    assert alice.account.api_keys.count() == 1


# --- The first request ----------------------------------------------------------------------------


def run(language: str, text: str, folder: Path) -> str:
    """What a terminal shows after the text was pasted into it, or into a file."""
    if language == "curl":
        command = ["bash", "-c", text.replace("curl ", "curl -sS -w ' %{http_code}' ", 1)]
    else:
        suffix, program = {"python": (".py", sys.executable), "node": (".js", "node")}[language]
        (folder / f"first{suffix}").write_text(text)
        command = [program, str(folder / f"first{suffix}")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("language", ["curl", "python", "node"])
def test_the_pages_code_runs_as_it_stands(
    language: str, alice: Person, base_url: str, tmp_path: Path, settings: Any
) -> None:
    settings.PUBLIC_BASE_URL = base_url
    client = browser(alice.user)
    answer = client.post(path(alice), fill(client, alice))
    (row,) = of(alice)
    used = path(alice, row.pk, "used")
    assert "Waiting for your first request" in answer.content.decode()
    assert f'hx-get="{used}"' in answer.content.decode()
    assert client.get(used, headers={"HX-Request": "true"}).status_code == 204
    shown = run(language, code(answer, language), tmp_path)
    assert "201" in shown
    made_by_it = Generation.objects.get()
    assert (made_by_it.api_key, made_by_it.created_by) == (row, alice.user)
    assert f"{made_by_it.price} credits" in answer.content.decode()
    fragment = client.get(used, headers={"HX-Request": "true"})
    assert fragment.status_code == 200
    assert "✓" in fragment.content.decode()
    assert "hx-get" not in fragment.content.decode()
    assert "<html" not in fragment.content.decode()
    assert "✓" in client.get(used).content.decode()


def test_without_an_image_a_video_and_without_both_no_code(client: Client, alice: Person) -> None:
    CatalogModel.objects.filter(kind="image").update(enabled=False)
    Fresh.clear_all()
    answer = client.post(path(alice), fill(client, alice))
    assert "/api/v1/generate/video/" in code(answer, "curl")
    assert '"video_model": "veo3_fast"' in code(answer, "curl")
    CatalogModel.objects.update(enabled=False)
    Fresh.clear_all()
    answer = client.post(path(alice), fill(client, alice))
    assert made(answer)
    assert "code-curl" not in answer.content.decode()


def test_nobody_is_asked_for_ever(client: Client, alice: Person) -> None:
    row = alice.account.api_keys.get()
    used = path(alice, row.pk, "used")
    ApiKey.objects.filter(pk=row.pk).update(created_at=timezone.now() - timedelta(minutes=16))
    fragment = client.get(used, headers={"HX-Request": "true"})
    assert "No request with this key yet." in fragment.content.decode()
    assert "hx-get" not in fragment.content.decode()
    keys.revoke_key(alice.account, row.pk)
    fragment = client.get(used, headers={"HX-Request": "true"})
    assert "has ended" in fragment.content.decode()


def test_a_call_that_is_refused_counts_as_one(api: Any) -> None:
    """402 is an answer to a key that works."""
    poor = make_person("poor", 0)
    client = browser(poor.user)
    secret = made(client.post(path(poor), fill(client, poor)))
    (row,) = of(poor)
    assert api(secret).post("/api/v1/generate/video/", json={"prompt": "x"}).status_code == 402
    assert "✓" in client.get(path(poor, row.pk, "used")).content.decode()


# --- The list, and deleting -----------------------------------------------------------------------


def test_the_list(client: Client, alice: Person, bob: Person) -> None:
    friend = User.objects.create(username="friend", first_name="Fr", last_name="Iend")
    Membership.objects.create(user=friend, account=alice.account)
    keys.create_key(alice.account, friend, "of a friend")
    gone = keys.create_key(alice.account, alice.user, "gone").api_key
    keys.revoke_key(alice.account, gone.pk)
    soon = timezone.now() + timedelta(days=7)
    over = keys.create_key(alice.account, alice.user, "over", soon).api_key
    ApiKey.objects.filter(pk=over.pk).update(expires_at=timezone.now())
    token = ApiKey.objects.get(digest=secrets.digest(make_token(alice)))
    page = listed(client, alice)
    live, _, ended = page.partition("Keys that have ended")
    assert "of a friend" in live
    assert "by Fr Iend" in live
    assert "by you" in live
    assert gone.preview in ended
    assert over.preview in ended
    assert gone.preview not in live
    assert token.preview not in page
    assert ApiKey.objects.get(account=bob.account).preview not in page
    User.objects.filter(pk=friend.pk).update(is_active=False)
    assert "(no longer here)" in listed(client, alice)


def test_the_first_key_is_one_click(client: Client, alice: Person) -> None:
    alice.account.api_keys.all().delete()
    page = listed(client, alice)
    assert "Make a key in one click" in page
    assert 'value="My first key"' in page
    assert "Live keys" not in page


def test_deleting(client: Client, alice: Person, api: Any) -> None:
    row = alice.account.api_keys.get()
    assert api(alice.key).get("/api/account/").status_code == 200
    answer = client.post(path(alice, row.pk, "delete"))
    assert (answer.status_code, answer["Location"]) == (303, path(alice))
    assert "is deleted" in listed(client, alice)
    assert api(alice.key).get("/api/account/").status_code == 401
    ended = ApiKey.objects.get(pk=row.pk).revoked_at
    assert client.post(path(alice, row.pk, "delete")).status_code == 303
    assert "deleted before" in listed(client, alice)
    assert ApiKey.objects.get(pk=row.pk).revoked_at == ended


def test_deleting_twice_at_once(alice: Person) -> None:
    row = alice.account.api_keys.get()

    def send(_: int) -> str:
        try:
            client = browser(alice.user)
            return client.post(path(alice, row.pk, "delete"), follow=True).content.decode()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(6) as pool:
        pages = list(pool.map(send, range(6)))
    assert sum("is deleted" in page for page in pages) == 1
    assert sum("deleted before" in page for page in pages) == 5


def test_only_ones_own(client: Client, alice: Person, bob: Person) -> None:
    theirs = bob.account.api_keys.get()
    token = ApiKey.objects.get(digest=secrets.digest(make_token(alice)))
    for odd in (theirs.pk, token.pk, uuid.uuid4(), "x", "a" * 5000, f"{{{theirs.pk}}}"):
        assert client.post(path(alice, odd, "delete")).status_code == 404
        assert client.get(path(alice, odd, "used")).status_code == 404
    for row in (theirs, token):
        row.refresh_from_db()
        assert row.is_live
    hers = alice.account.api_keys.keys().get()
    assert client.post(path(bob, theirs.pk, "delete")).status_code == 404
    assert client.post(path(bob, hers.pk, "delete")).status_code == 404
    assert client.post(path(bob), {"name": "mine"}).status_code == 404
    assert bob.account.api_keys.count() == 1


def test_head_makes_nothing(client: Client, alice: Person) -> None:
    row = alice.account.api_keys.get()
    assert client.head(path(alice)).status_code == 200
    assert client.head(path(alice, row.pk, "used")).status_code == 200
    assert client.head(path(alice, row.pk, "delete")).status_code == 405
    assert alice.account.api_keys.live().count() == 1


def test_it_costs_the_same_with_many(client: Client, alice: Person) -> None:
    for number in range(19):
        somebody = make_person(f"person-{number}").user
        keys.create_key(alice.account, somebody, f"k{number}")
    for number in range(200):
        ApiKey.objects.create(
            account=alice.account,
            created_by=alice.user,
            name=f"old {number}",
            digest=uuid.uuid4().bytes * 2,
            preview="rmk_x",
            revoked_at=timezone.now(),
        )
    listed(client, alice)
    with CaptureQueriesContext(connection) as asked:
        page = listed(client, alice)
    assert len(asked) <= MOST_STATEMENTS
    assert page.count("old ") == 20
    assert page.count("Delete this key") == 0
    assert len(page) < 60_000


def test_the_page_polls_cheaply(client: Client, alice: Person) -> None:
    row = alice.account.api_keys.get()
    used = path(alice, row.pk, "used")
    client.get(used, headers={"HX-Request": "true"})
    with CaptureQueriesContext(connection) as asked:
        assert client.get(used, headers={"HX-Request": "true"}).status_code == 204
    assert len(asked) <= 4, [each["sql"] for each in asked.captured_queries]
