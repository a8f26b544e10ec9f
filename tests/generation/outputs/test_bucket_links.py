"""Outputs in a bucket of ours: its links, signed by what really signs them, end when ours do."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
import time_machine
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from google.oauth2 import service_account
from pytest_django.fixtures import Settings

from generation.models import Generation
from generation.models.states import State
from generation.outputs import links
from tests.support.bring_to import reached
from tests.support.people import Person

Api = Callable[..., httpx.Client]
NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def signer() -> service_account.Credentials:
    """A service account whose key only this test knows; signing asks nobody."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    info = {
        "client_email": "reelmint@shop.iam.example",
        "private_key": pem.decode(),
        "token_uri": "http://127.0.0.1:9/token",
    }
    made: service_account.Credentials = service_account.Credentials.from_service_account_info(info)
    return made


@pytest.fixture
def film(alice: Person, settings: Settings, signer: service_account.Credentials) -> Generation:
    """A completed video whose file is in the bucket."""
    made = reached(alice, State.COMPLETED)
    options = {"bucket_name": "films", "project_id": "shop", "credentials": signer}
    bucket = {"BACKEND": "generation.outputs.bucket_storage.BucketStorage", "OPTIONS": options}
    settings.STORAGES = settings.STORAGES | {"default": bucket}
    settings.OUTPUT_STORAGE = "gcs"
    return made


def signed_for(answer: httpx.Response, film: Generation) -> tuple[datetime, timedelta]:
    """From when, and how long, the bucket's link of a redirect is good."""
    assert answer.status_code == 302
    to = urlsplit(answer.headers["Location"])
    assert (to.hostname, to.path) == ("storage.googleapis.com", f"/films/{film.output_key}")
    query = parse_qs(to.query)
    began = datetime.strptime(query["X-Goog-Date"][0], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    return began, timedelta(seconds=int(query["X-Goog-Expires"][0]))


def test_a_download_is_good_for_a_quarter_of_an_hour(
    api: Api, alice: Person, film: Generation
) -> None:
    answer = api(alice.key).get(f"/api/v1/generate/{film.pk}/download/")
    assert signed_for(answer, film)[1] == timedelta(minutes=15)
    assert answer.headers["Cache-Control"] == "private, no-store"


@pytest.mark.parametrize("after", [0, 1, 899.5, 1795, 1798.2, 1799, 1799.9])
def test_a_buckets_link_ends_with_ours(
    api: Api, alice: Person, film: Generation, after: float
) -> None:
    ours = links.path(film.output_key, links.LinkPeriod.of(NOON))
    end = links.LinkPeriod.of(NOON).expires_at
    now = NOON + timedelta(seconds=after)
    with time_machine.travel(now, tick=False):
        answer = api().get(ours)
        began, good_for = signed_for(answer, film)
        assert end - timedelta(seconds=1) <= began + good_for <= end
        kept = answer.headers["Cache-Control"]
        assert kept.startswith("private, max-age=")
        assert now + timedelta(seconds=int(kept.rpartition("=")[2])) <= end
    with time_machine.travel(end, tick=False):
        refused = api().get(ours)
        assert (refused.status_code, refused.headers["Cache-Control"]) == (403, "private, no-store")


def test_a_file_of_ours_is_kept_no_longer_than_its_link(api: Api, alice: Person) -> None:
    made = reached(alice, State.COMPLETED)
    ours = links.path(made.output_key, links.LinkPeriod.of(NOON))
    for after, left in ((0, 1800), (0.5, 1799), (1795, 5), (1799.9, 0)):
        with time_machine.travel(NOON + timedelta(seconds=after), tick=False):
            for headers in ({}, {"Range": "bytes=0-1"}, {"If-None-Match": "*"}):
                answer = api().get(ours, headers=headers)
                assert answer.status_code in {200, 206, 304}
                assert answer.headers["Cache-Control"] == f"private, max-age={left}"
    assert api().get(f"/media/{made.output_key}?expires=1&signature=x").status_code == 403
