"""What caches may keep of every route, and how long an answer without content is."""

from __future__ import annotations

import pytest
from django.test import Client

from accounts.models import ApiKey
from generation.models import Generation
from generation.models.states import State
from tests.contract.test_isolation import routes
from tests.support.bring_to import reached
from tests.support.people import Person

PUBLIC = {
    "/api/v1/models/": "public, no-cache",
    "/api/v1/models/video/": "public, no-cache",
    "/api/v1/models/image/": "public, no-cache",
    "/api/v1/credits/packs/": "public, no-cache",
    "/api/schema/": "public, no-cache",
    "/api/docs/": "public, max-age=60",
    "/api/docs/webhooks/": "public, max-age=60",
}
METHODS = ("GET", "HEAD", "OPTIONS", "POST", "DELETE")


@pytest.fixture
def film(alice: Person) -> Generation:
    return reached(alice, State.COMPLETED)


def paths(film: Generation) -> list[str]:
    """Every path of the API, and some that are none."""
    key = str(ApiKey.objects.filter(account=film.account).earliest("created_at").pk)
    found = [
        "/" + each.replace("<str:generation_id>", str(film.pk)).replace("<str:key_id>", key)
        for each in routes()
    ]
    return [*found, "/api/", "/api", "/api/nothing/", "/api/v1/generate/x/", "/api/a%00b/"]


def credentials(person: Person) -> list[dict[str, str]]:
    return [
        {},
        {"X-API-Key": "rmk_wrong"},
        {"Authorization": f"Bearer {person.key}"},
        {"X-API-Key": person.key},
    ]


def test_no_answer_of_the_api_is_a_shared_caches_to_keep(
    client: Client, film: Generation, alice: Person
) -> None:
    seen: set[int] = set()
    for path in paths(film):
        for method in METHODS:
            for headers in credentials(alice):
                answer = client.generic(method, path, headers=headers)
                seen.add(answer.status_code)
                kept, where = answer.headers["Cache-Control"], (method, path, answer.status_code)
                if answer.status_code == 200 and path in PUBLIC:
                    assert kept == PUBLIC[path], where
                    continue
                own = path.endswith(f"{film.pk}/") and answer.status_code == 200
                assert kept == ("private, no-cache" if own else "private, no-store"), where
                varies = {name.strip() for name in answer.headers["Vary"].split(",")}
                assert {"Authorization", "X-API-Key"} <= varies, where
    assert seen >= {200, 400, 401, 404, 405}


def test_log_ins_are_not_kept(client: Client, alice: Person) -> None:
    for password in ("wrong", "correct-horse-7-battery"):
        body = {"username": "alice", "password": password}
        answer = client.post("/api/login/", body, content_type="application/json")
        assert answer.headers["Cache-Control"] == "private, no-store"
    assert answer.status_code == 200


def test_an_answer_without_content_has_no_length(
    client: Client, film: Generation, alice: Person
) -> None:
    """RFC 9110, section 8.6; whatever route has an ETag."""
    headers = {"Authorization": f"Bearer {alice.key}"}
    link = client.get(f"/api/v1/generate/{film.pk}/", headers=headers).json()["video_url"]
    tagged = 0
    for path in [*paths(film), link.removeprefix("http://testserver")]:
        answer = client.get(path, headers=headers)
        answer.close()
        if tag := answer.headers.get("ETag"):
            tagged += 1
            for method in ("GET", "HEAD"):
                same = client.generic(method, path, headers=headers | {"If-None-Match": tag})
                assert (same.status_code, same.content) == (304, b""), path
                assert same.headers["ETag"] == tag
                assert "Content-Length" not in same.headers, path
                other = client.generic(method, path, headers=headers | {"If-Match": '"x"'})
                assert other.status_code == 412, path
                assert other.headers["Content-Type"] == "application/json"
            body = client.get(path, headers=headers | {"If-Match": '"x"'}).json()
            assert body["code"] == "precondition_failed"
    assert tagged == 3
    gone = client.post("/api/logout/", headers={"Authorization": f"Bearer {token(client)}"})
    assert (gone.status_code, "Content-Length" in gone.headers) == (204, False)


def token(client: Client) -> str:
    body = {"username": "alice", "password": "correct-horse-7-battery"}
    answer = client.post("/api/login/", body, content_type="application/json")
    return str(answer.json()["token"])
