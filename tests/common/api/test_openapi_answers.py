"""The OpenAPI document says what the service does: same keys, same answers, same refusals."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import connection
from django.db.models.functions import Now

from credits.models import LedgerEntry
from credits.public import to_dict as ledger_entry
from generation import lifecycle, public
from generation.api import examples, requests
from generation.models import CatalogModel, Generation
from generation.offer import catalog
from tests.support.document import fits, keys, served, validator
from tests.support.people import PASSWORD, Person

Api = Callable[..., httpx.Client]
VIDEO, IMAGE = "/api/v1/generate/video/", "/api/v1/generate/"


def test_the_schemas_have_the_keys_of_the_answers(api: Api, alice: Person):
    """What drifts apart is found here, whichever side was changed."""
    video = api(alice.key).post(VIDEO, json={"prompt": "a", "source_image_urls": [examples.CAT]})
    image = api(alice.key).post(IMAGE, json={"prompt": "a"})
    assert set(video.json()["data"]) == keys("CreatedVideo")
    assert set(image.json()["data"]) == keys("CreatedImage")
    generation = Generation.objects.get(pk=video.json()["data"]["generation_id"])
    shown = public.to_dict(generation, generation.created_at, "https://api.example.com")
    assert set(shown) == keys("Generation") == set(examples.PROCESSING)
    entry = LedgerEntry.objects.filter(kind="charge").first()
    assert entry is not None
    assert set(ledger_entry(entry)) == keys("LedgerEntry")
    models = [set(catalog.to_dict(model)) for model in CatalogModel.objects.all()]
    assert set.union(*models) == keys("CatalogModel")
    assert keys("VideoRequest") == set(requests.VideoRequestSerializer().fields)
    assert keys("ImageRequest") == set(requests.ImageRequestSerializer().fields)


def schemas_of(api: Api) -> dict[str, Any]:
    schemas: dict[str, Any] = api().get("/api/schema/?format=json").json()["components"]["schemas"]
    return schemas


def test_the_choices_are_those_of_the_catalog(api: Api):
    """Also of a row that was added since, without any other change."""
    video, image = schemas_of(api)["VideoRequest"]["properties"], schemas_of(api)["ImageRequest"]
    assert video["video_model"]["enum"] == ["veo3_fast", "veo3", None]
    assert video["aspect_ratio"]["enum"] == ["16:9", "9:16", None]
    assert video["duration"]["enum"] == [4, 6, 8, None]
    assert video["resolution"]["enum"] == ["720p", "1080p", "4k", None]
    assert image["properties"]["size"]["enum"] == ["1:1", "3:2", "2:3", None]
    CatalogModel.objects.filter(pk="omni").update(enabled=True, shapes=["16:9", "21:9"])
    catalog.sold.clear()
    quote = schemas_of(api)["QuoteRequest"]["properties"]
    assert quote["video_model"]["enum"] == ["veo3_fast", "veo3", "omni", None]
    assert quote["aspect_ratio"]["enum"] == ["16:9", "9:16", "21:9", None]
    assert quote["duration"]["enum"] == [4, 6, 8, 3, 5, 7, *range(9, 16), None]
    assert quote["type"]["enum"] == ["video", "image", None]


def test_answers_about_generations_fit(api: Api, alice: Person):
    client = api(alice.key)
    path = "/api/v1/generate/{generation_id}/"
    made = fits(client.post(VIDEO, json={"prompt": "a fox"}), VIDEO, 201)["data"]
    status = client.get(f"/api/v1/generate/{made['generation_id']}/")
    fits(status, path, 200)
    same = {"If-None-Match": status.headers["ETag"]}
    fits(client.get(status.request.url, headers=same), path, 304)
    fits(client.get(f"{status.request.url}download/"), f"{path}download/", 409)
    fits(client.post(f"{status.request.url}cancel/"), f"{path}cancel/", 200)
    fits(client.post(IMAGE, json={"prompt": "a fox", "size": "3:2"}), IMAGE, 201)
    fits(client.post(f"{IMAGE}image/", json={"prompt": "a fox"}), f"{IMAGE}image/", 201)
    fits(client.get("/api/v1/generate/history/?limit=1"), "/api/v1/generate/history/", 200)
    fits(client.get("/api/v1/credits/"), "/api/v1/credits/", 200)
    fits(client.get("/api/v1/credits/transactions/"), "/api/v1/credits/transactions/", 200)
    for kind in ("", "video/", "image/"):
        fits(api().get(f"/api/v1/models/{kind}"), f"/api/v1/models/{kind}", 200)


def test_a_finished_generation_fits(api: Api, alice: Person):
    made = [api(alice.key).post(VIDEO, json={"prompt": "a"}).json()["data"] for _ in range(2)]
    failed, completed = (uuid.UUID(data["generation_id"]) for data in made)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE generation_generation SET state = 'completed', output_key = %s,"
            " output_type = 'video/mp4', next_attempt_at = NULL, finished_at = now()"
            " WHERE id = %s",
            [default_storage.save("a.mp4", ContentFile(b"0123456789")), completed],
        )
        cursor.execute(
            "UPDATE generation_generation SET lease_token = %s WHERE id = %s", [failed, failed]
        )
    generation = Generation.objects.get(pk=failed)
    assert lifecycle.fail(generation, "timeout", "It took too long", retryable=True)
    path = "/api/v1/generate/{generation_id}/"
    shown = fits(api(alice.key).get(f"/api/v1/generate/{failed}/"), path, 200)
    assert shown["error"]["code"] == "timeout"
    shown = fits(api(alice.key).get(f"/api/v1/generate/{completed}/"), path, 200)
    assert shown["video_url"].startswith("http")
    file, path = f"/api/v1/generate/{completed}/download/", f"{path}download/"
    assert fits(api(alice.key).get(file), path, 200) == b"0123456789"
    part = api(alice.key, Range="bytes=2-3").get(file)
    assert (fits(part, path, 206), part.headers["Content-Range"]) == (b"23", "bytes 2-3/10")
    fits(api(alice.key, Range="bytes=10-").get(file), path, 416)
    Generation.objects.filter(pk=completed).update(output_key="", output_deleted_at=Now())
    fits(api(alice.key).get(file), path, 410)


def test_answers_about_accounts_fit(api: Api, alice: Person):
    new = {"username": "carol", "email": "carol@example.com", "password": PASSWORD}
    fits(api().post("/api/register/", json=new), "/api/register/", 201)
    token = fits(api().post("/api/login/", json=new), "/api/login/", 200)["token"]
    client = api(token)
    made = fits(client.post("/api/api-keys/", json={"name": "a"}), "/api/api-keys/", 201)
    fits(client.get("/api/api-keys/"), "/api/api-keys/", 200)
    fits(client.delete(f"/api/api-keys/{made['id']}/"), "/api/api-keys/{key_id}/", 204)
    fits(client.get("/api/account/"), "/api/account/", 200)
    fits(client.patch("/api/account/", json={"keys_manage_keys": True}), "/api/account/", 200)
    other = fits(api().post("/api/login/", json=new), "/api/login/", 200)["token"]
    listed = fits(client.get("/api/tokens/"), "/api/tokens/", 200)
    gone = next(row["id"] for row in listed if not row["current"])
    fits(client.delete(f"/api/tokens/{gone}/"), "/api/tokens/{token_id}/", 204)
    assert api(other).get("/api/account/").status_code == 401
    fits(client.delete("/api/tokens/"), "/api/tokens/", 204)
    change = {"current_password": PASSWORD, "new_password": f"{PASSWORD}-2"}
    fits(
        client.post("/api/password/", json=change | {"current_password": "x"}),
        *("/api/password/", 401),
    )
    fresh = fits(client.post("/api/password/", json=change), "/api/password/", 200)["token"]
    client = api(fresh)
    fits(client.post("/api/logout/"), "/api/logout/", 204)
    key = api(alice.key)
    fits(key.post("/api/logout/"), "/api/logout/", 403)
    fits(key.post("/api/password/", json=change), "/api/password/", 403)
    fits(key.get("/api/tokens/"), "/api/tokens/", 403)
    fits(key.delete("/api/tokens/"), "/api/tokens/", 403)
    fits(key.delete(f"/api/tokens/{gone}/"), "/api/tokens/{token_id}/", 403)
    fits(key.patch("/api/account/", json={}), "/api/account/", 403)
    fits(key.post("/api/api-keys/", json={"name": "a"}), "/api/api-keys/", 403)
    fits(key.delete(f"/api/api-keys/{gone}/"), "/api/api-keys/{key_id}/", 403)


def test_errors_fit(api: Api, alice: Person):
    client = api(alice.key)
    status = "/api/v1/generate/{generation_id}/"
    fits(client.post(VIDEO, json={"prompt": " "}), VIDEO, 400)
    fits(client.get("/api/v1/generate/history/?limit=0"), "/api/v1/generate/history/", 400)
    fits(api().post(VIDEO, json={"prompt": "a"}), VIDEO, 401)
    fits(api().post("/api/login/", json={"username": "x", "password": "y"}), "/api/login/", 401)
    for _ in range(2):
        client.post(VIDEO, json={"prompt": "a", "video_model": "veo3"})
    fits(client.post(VIDEO, json={"prompt": "a"}), VIDEO, 402)
    fits(client.get("/api/v1/generate/unknown/"), status, 404)
    accept = {"Accept": "image/png"}
    fits(client.get("/api/v1/credits/", headers=accept), "/api/v1/credits/", 406)
    plain = {"Content-Type": "text/plain"}
    fits(client.post(VIDEO, content=b"a", headers=plain), VIDEO, 415)
    fits(client.post(VIDEO, content=b" " * (1024 * 1024 + 1)), VIDEO, 413)


@pytest.mark.parametrize(
    ("value", "good"),
    [
        ({"prompt": "a", "video_model": None, "source_image_urls": None}, True),
        ({"prompt": " a\n", "source_image_urls": [], "unknown": {"x": 1}}, True),
        ({"prompt": "a" * 1000, "video_model": "veo3", "aspect_ratio": "9:16"}, True),
        ({"prompt": "a", "source_image_urls": ["http://a_b.example:443?x=1#y"] * 3}, True),
        ({"prompt": "a" * 1001}, False),
        ({"prompt": "\u001f \u0085"}, False),
        ({"prompt": "a\0"}, False),
        ({"prompt": None}, False),
        ({}, False),
        ({"prompt": "a", "video_model": ""}, False),
        ({"prompt": "a", "video_model": "sora"}, False),
        ({"prompt": "a", "aspect_ratio": 1}, False),
        ({"prompt": "a", "duration": 8.0, "seed": 7, "generate_audio": None}, True),
        ({"prompt": "a", "duration": 5}, False),
        ({"prompt": "a", "duration": "8"}, False),
        ({"prompt": "a", "resolution": "8k"}, False),
        ({"prompt": "a", "generate_audio": 1}, False),
        ({"prompt": "a", "seed": -1}, False),
        ({"prompt": "a", "seed": 2**32}, False),
        ({"prompt": "a", "negative_prompt": "b" * 1001}, False),
        ({"prompt": "a", "max_credits": -1}, False),
        ({"prompt": "a", "source_image_urls": ["upload:x"]}, False),
        ({"prompt": "a", "source_image_urls": ["ftp://example.com"]}, False),
        ({"prompt": "a", "source_image_urls": ["https://user@example.com/"]}, False),
        ({"prompt": "a", "source_image_urls": ["https://example.com:8080/"]}, False),
        ({"prompt": "a", "source_image_urls": [f"http://a/{'b' * 2048}"]}, False),
        ({"prompt": "a", "source_image_urls": ["http://a.example/"] * 4}, False),
        ([], False),
    ],
)
def test_the_document_and_the_service_agree_on_a_body(api: Api, alice: Person, value, good):
    schema = {"$ref": "#/components/schemas/VideoRequest"}
    assert validator(schema, served()).is_valid(value) == good
    assert api(alice.key).post(VIDEO, json=value).status_code == (201 if good else 400)
    assert alice.balance == (500 if good and value.get("video_model") else 760 if good else 1000)
