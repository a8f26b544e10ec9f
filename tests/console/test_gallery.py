"""The gallery: what it shows, its pages and filters, and what they cost."""

from __future__ import annotations

import base64
import json
import re
import uuid
from typing import Any
from urllib.parse import urlencode

import psycopg
import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts import keys
from accounts.models import Account, ApiKey
from common.api.pagination import COUNT_CAP
from console.pages import gallery_list
from credits import ledger
from credits.models import Wallet
from generation import lifecycle
from generation.models import CatalogModel, Generation
from generation.models.states import State
from tests.generation.api.test_history_plans import COPY
from tests.support.bring_to import FILM, created, kept, reached
from tests.support.console import browser
from tests.support.people import Person, make_token

MOST_STATEMENTS = 12
TILE = re.compile(r'<article class="card tile">.*?</article>', re.DOTALL)
ID = re.compile(r"/gallery/([0-9a-f-]{36})/")
LINK = re.compile(r'href="/c/[0-9a-f-]{36}/gallery/(\?[^"]*)" rel="(next|prev)"')
HOSTILE = ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "{{ 7|add:7 }}"]


@pytest.fixture
def client(alice: Person) -> Client:
    ledger.grant(alice.account.pk, 50_000, description="for many")
    return browser(alice.user)


def path(person: Person, **query: Any) -> str:
    return f"/c/{person.account.pk}/gallery/" + (f"?{urlencode(query)}" if query else "")


def show(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200, answer.content
    return answer.content.decode()


def shown(page: str) -> list[str]:
    """The ids on the page, in its order."""
    return [found[1] for tile in TILE.findall(page) if (found := ID.search(tile))]


def neighbours(page: str) -> dict[str, str]:
    return {which: link.replace("&amp;", "&") for link, which in LINK.findall(page)}


def images(person: Person, count: int) -> list[str]:
    """The ids of new ones, the newest first."""
    return [str(created(person, model="image").pk) for _ in range(count)][::-1]


def copies(admin: psycopg.Connection, original: Generation, count: int, older: int = 0) -> None:
    """So many rows like it, a second apart, the first of them so many seconds old."""
    admin.execute("SET session_replication_role = replica")
    admin.execute(COPY, {"id": original.pk, "count": count, "older": older})
    admin.execute("SET session_replication_role = DEFAULT")
    admin.execute("ANALYZE generation_generation")


# --- What it shows --------------------------------------------------------------------------------


def test_nothing_yet(client: Client, alice: Person) -> None:
    page = show(client, path(alice))
    assert "Nothing yet" in page
    assert page.count(f'href="/c/{alice.account.pk}/create/"') >= 2
    assert "Filters" not in page


def test_one_of_each(client: Client, alice: Person, bob: Person) -> None:
    film = reached(alice, State.COMPLETED)
    picture = reached(alice, State.COMPLETED, model="image")
    failed = reached(alice, State.FAILED)
    canceled = reached(alice, State.CANCELED, model="image")
    running = reached(alice, State.RUNNING)
    reached(bob, State.COMPLETED)
    page = show(client, path(alice))
    mine = [str(row.pk) for row in (running, canceled, failed, picture, film)]
    assert shown(page) == mine
    tiles = dict(zip(mine, TILE.findall(page), strict=True))
    video = tiles[str(film.pk)]
    link = re.search(
        r'<video src="(/media/[^"]+)#t=0\.1" muted playsinline preload="metadata"', video
    )
    assert link is not None
    file = client.get(link[1].replace("&amp;", "&"))
    assert (file.status_code, file.getvalue()) == (200, FILM)
    file.close()
    assert re.search(r'<img src="/media/[^"]+" loading="lazy"', tiles[str(picture.pk)])
    assert "It was not ready in time, so it was given up." in tiles[str(failed.pk)]
    assert "Your 240 credits are back." in tiles[str(failed.pk)]
    assert "Your 24 credits are back." in tiles[str(canceled.pk)]
    assert "45-60 seconds" in tiles[str(running.pk)]
    assert "credits are back" not in video + tiles[str(running.pk)]


def test_sizes_keep_the_page_still(client: Client, alice: Person) -> None:
    film = reached(alice, State.STORING)
    facts = {"output_facts": {"duration_seconds": 8.0, "width": 1280, "height": 720}}
    assert lifecycle.complete(film, **(kept(film) | facts))
    assert 'width="1280" height="720"' in show(client, path(alice))


def test_what_expired_is_still_listed(
    client: Client, alice: Person, admin_connection: psycopg.Connection
) -> None:
    film = reached(alice, State.COMPLETED)
    Generation.objects.filter(pk=film.pk).update(
        output_key="", output_deleted_at=timezone.now(), prompt=""
    )
    page = show(client, path(alice))
    assert shown(page) == [str(film.pk)]
    assert "The file is no longer kept." in page
    assert f"{timezone.now():%b %Y}" in TILE.findall(page)[0]
    assert "The prompt is no longer kept" in page
    assert "/media/" not in page


@pytest.mark.parametrize("prompt", [*HOSTILE, "x" * 1000, "\u202e\x01 \x7f", "𓀀" * 1000])
def test_prompts_are_text(prompt: str, client: Client, alice: Person) -> None:
    reached(alice, State.COMPLETED, prompt=prompt)
    created(alice, model="image", prompt=prompt)
    page = show(client, path(alice))
    assert len(shown(page)) == 2
    for hostile in HOSTILE:
        assert hostile not in page or hostile.startswith("{{")
    assert len(page) < 60_000


def test_links_stay_at_the_host_that_was_asked(
    client: Client, alice: Person, settings: Any
) -> None:
    settings.PUBLIC_BASE_URL = "https://api.example.com"
    reached(alice, State.COMPLETED)
    images(alice, 20)
    page = show(client, path(alice))
    assert "api.example.com" not in page
    assert "/media/" in show(client, path(alice) + neighbours(page)["next"])


# --- Pages ----------------------------------------------------------------------------------------


def test_pages_there_and_back(client: Client, alice: Person) -> None:
    wanted = images(alice, 45)
    page, found, seen = show(client, path(alice)), [], []
    while True:
        found += shown(page)
        seen.append(shown(page))
        if "next" not in neighbours(page):
            break
        page = show(client, path(alice) + neighbours(page)["next"])
    assert found == wanted
    assert [len(each) for each in seen] == [20, 20, 5]
    page = show(client, path(alice) + neighbours(page)["prev"])
    assert shown(page) == seen[1]
    assert shown(show(client, path(alice) + neighbours(page)["prev"])) == seen[0]


def test_filters_stay_on_the_next_page(client: Client, alice: Person) -> None:
    made = images(alice, 22)
    for _ in range(3):
        reached(alice, State.CANCELED)
    page = show(client, path(alice, kind="image"))
    assert shown(page) == made[:20]
    assert shown(show(client, path(alice) + neighbours(page)["next"])) == made[20:]


def cursor(*values: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(values).encode()).decode().rstrip("=")


NOW = "2026-01-01T00:00:00+00:00"
WHO = str(uuid.UUID(int=7))
POSITIONS = [
    {"cursor": "x"}, {"cursor": ""}, {"cursor": "é" * 300}, {"cursor": "A" * 9000},
    {"cursor": cursor(False)}, {"cursor": cursor(False, NOW)}, {"cursor": cursor(1, NOW, WHO)},
    {"cursor": cursor(False, None, None)}, {"cursor": cursor(False, NOW, "x")},
    {"cursor": cursor(False, {}, [])}, {"cursor": cursor(False, "2026-01-01", WHO)},
    {"cursor": cursor(False, "0001-01-01T00:00:00+14:00", WHO)},
    {"cursor": cursor(False, NOW, "9" * 5000)},
    {"cursor": base64.urlsafe_b64encode(b"[" * 5000).decode()},
    {"page": "0"}, {"page": "x"}, {"offset": "-1"}, {"offset": "1" * 40}, {"limit": "0"},
    {"limit": "101"}, {"limit": "²"},
]  # fmt: skip


@pytest.mark.parametrize("position", POSITIONS)
def test_a_position_of_nowhere_leads_to_the_first_page(
    position: dict[str, str], client: Client, alice: Person
) -> None:
    made = images(alice, 1)
    answer = client.get(path(alice, kind="image", **position), follow=True)
    assert answer.status_code == 200
    assert answer.redirect_chain == [(path(alice, kind="image"), 303)]
    page = answer.content.decode()
    assert shown(page) == made
    assert "There is no such page" in page
    assert "There is no such page" not in show(client, path(alice))


def test_another_accounts_cursor_shows_nothing_of_it(
    client: Client, alice: Person, bob: Person
) -> None:
    ledger.grant(bob.account.pk, 5_000, description="for many")
    images(bob, 21)
    link = neighbours(show(browser(bob.user), path(bob)))["next"]
    mine = images(alice, 2)
    assert set(shown(show(client, path(alice) + link))) <= set(mine)


def test_past_the_end(client: Client, alice: Person) -> None:
    images(alice, 1)
    at_the_end = cursor(False, "2001-01-01T00:00:00+00:00", WHO)
    assert "back to the newest" in show(client, path(alice, cursor=at_the_end))
    assert "back to the newest" in show(client, path(alice, offset=10))


# --- Filters --------------------------------------------------------------------------------------


def test_filters(client: Client, alice: Person) -> None:
    first = ApiKey.objects.get(account=alice.account)
    film = reached(alice, State.COMPLETED)
    picture = reached(alice, State.FAILED, model="image")
    running = reached(alice, State.RUNNING)
    slow = reached(alice, State.QUEUED, model="veo3")
    other = keys.create_key(alice.account, alice.user, "other").api_key
    Generation.objects.filter(pk=slow.pk).update(api_key=other)
    Generation.objects.filter(pk=running.pk).update(api_key=None)
    wanted: list[tuple[dict[str, Any], list[Generation]]] = [
        ({"kind": "video"}, [slow, running, film]),
        ({"kind": "image"}, [picture]),
        ({"status": "processing"}, [slow, running]),
        ({"status": "completed"}, [film]),
        ({"status": "failed"}, [picture]),
        ({"status": "canceled"}, []),
        ({"model": "veo3"}, [slow]),
        ({"model": "veo3_fast", "status": "completed"}, [film]),
        ({"key": other.pk}, [slow]),
        ({"key": first.pk, "kind": "image"}, [picture]),
        ({"key": "none"}, [running]),
        ({"kind": "", "status": "", "model": "", "key": ""}, [slow, running, picture, film]),
    ]
    for filters, rows in wanted:
        assert shown(show(client, path(alice, **filters))) == [str(row.pk) for row in rows], filters
    keys.revoke_key(alice.account, other.pk)
    assert shown(show(client, path(alice, key=other.pk))) == [str(slow.pk)]


@pytest.mark.parametrize("name", ["kind", "status", "model", "key"])
@pytest.mark.parametrize("value", ["x", "x" * 9000, "%", *HOSTILE, WHO, "completed'--"])
def test_filters_of_nonsense(name: str, value: str, client: Client, alice: Person) -> None:
    reached(alice, State.COMPLETED)
    page = show(client, path(alice, **{name: value}))
    assert "Nothing fits these filters." in page
    assert "Show all" in page
    assert not shown(page)
    assert not any(hostile in page for hostile in HOSTILE[:2])


@pytest.mark.parametrize("name", ["kind", "key", "cursor", "nothing"])
def test_a_nul_is_refused_by_a_page(name: str, client: Client, alice: Person) -> None:
    answer = client.get(path(alice, **{name: "\0"}))
    assert (answer.status_code, answer["Content-Type"]) == (400, "text/html; charset=utf-8")


def test_a_filter_twice_and_others_that_are_none(client: Client, alice: Person) -> None:
    film, picture = reached(alice, State.COMPLETED), reached(alice, State.FAILED, model="image")
    assert shown(show(client, f"{path(alice)}?kind=video&kind=image")) == [str(picture.pk)]
    nothing = f"{path(alice)}?account={uuid.uuid4()}&api_key__account__name=x"
    assert shown(show(client, nothing)) == [str(picture.pk), str(film.pk)]


def test_a_foreign_key_is_like_one_that_never_was(
    client: Client, alice: Person, bob: Person
) -> None:
    reached(bob, State.COMPLETED)
    theirs = ApiKey.objects.get(account=bob.account)
    assert "Nothing fits these filters." in show(client, path(alice, key=theirs.pk))
    assert theirs.preview not in show(client, path(alice, kind="video"))


def test_login_tokens_are_no_choice(client: Client, alice: Person) -> None:
    make_token(alice)
    images(alice, 1)
    assert show(client, path(alice)).count("<option") == 1 + 2 + 1 + 4 + 1 + (
        CatalogModel.objects.count() + 1 + 2
    )


def test_filters_look_at_the_newest(
    client: Client, alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gallery_list, "NEWEST", 3)
    old = reached(alice, State.CANCELED)
    newer = images(alice, 2)
    assert shown(show(client, path(alice, kind="video"))) == [str(old.pk)]
    newer = images(alice, 1) + newer
    page = show(client, path(alice, kind="video"))
    assert not shown(page)
    assert "Filters look at your newest 3" in page
    page = show(client, path(alice, kind="image"))
    assert shown(page) == newer
    assert len(shown(show(client, path(alice)))) == 4


# --- What it costs --------------------------------------------------------------------------------


def rows_read(plan: dict[str, Any]) -> float:
    """Of the node that reads the most, with those that its filter threw away."""
    own = (plan["Actual Rows"] + plan.get("Rows Removed by Filter", 0)) * plan["Actual Loops"]
    return max([float(own), *(rows_read(each) for each in plan.get("Plans", []))])


def most_read(statement: str) -> float:
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}")
        (plan,) = cursor.fetchone()[0]
        return rows_read(plan["Plan"])


def test_it_costs_the_same_with_many(
    client: Client, alice: Person, admin_connection: psycopg.Connection
) -> None:
    """2,500 pages of them, and next to nothing that fits: nothing reads more than it has to."""
    copies(admin_connection, reached(alice, State.COMPLETED), 50_000)
    rare = created(alice, model="image")
    Generation.objects.filter(pk=rare.pk).update(api_key=None)
    wanted: list[dict[str, str]] = [
        *({}, {"kind": "image"}, {"status": "canceled"}, {"key": "none"}, {"model": "veo3"}),
        {"kind": "video", "status": "failed"},
    ]
    for filters in wanted:
        with CaptureQueriesContext(connection) as asked:
            page = show(client, path(alice, **filters))
        assert len(asked) <= MOST_STATEMENTS, [each["sql"] for each in asked.captured_queries]
        reads = [each["sql"] for each in asked.captured_queries if "generation_" in each["sql"]]
        most = gallery_list.NEWEST + 50 if filters else COUNT_CAP + 1
        assert max(map(most_read, reads)) <= most, reads
        assert ("Filters look at your newest 5,000" in page) is bool(filters)


def test_a_key_whose_work_is_older_than_the_newest(
    client: Client, alice: Person, bob: Person, admin_connection: psycopg.Connection
) -> None:
    """Its many rows have an index, which must not be walked through for them."""
    for person in (alice, bob):
        copies(admin_connection, reached(person, State.COMPLETED, model="image"), 30_000)
    rare = created(alice, model="image")
    Generation.objects.filter(pk=rare.pk).update(api_key=None)
    copies(admin_connection, rare, gallery_list.NEWEST, older=-9_000)
    key = ApiKey.objects.get(account=alice.account)
    with CaptureQueriesContext(connection) as asked:
        assert "Nothing fits" in show(client, path(alice, key=key.pk))
    reads = [each["sql"] for each in asked.captured_queries if "generation_" in each["sql"]]
    assert max(map(most_read, reads)) <= gallery_list.NEWEST + 50, reads


def test_it_reads_no_ledger(client: Client, alice: Person) -> None:
    """However many entries the wallet has."""
    images(alice, 3)
    Wallet.objects.filter(account=alice.account).update(sequence=1_000_000)
    with CaptureQueriesContext(connection) as asked:
        show(client, path(alice))
    assert not [each for each in asked.captured_queries if "ledgerentry" in each["sql"]]


def test_head(client: Client, alice: Person) -> None:
    images(alice, 1)
    answer = client.head(path(alice))
    assert (answer.status_code, answer.content) == (200, b"")
    assert client.head(path(alice, cursor="x")).status_code == 303


def test_a_suspended_account_can_look(client: Client, alice: Person) -> None:
    made = images(alice, 1)
    Account.objects.filter(pk=alice.account.pk).update(suspended_at=timezone.now())
    assert shown(show(client, path(alice))) == made
