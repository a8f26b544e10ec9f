"""What the receiver plays, what it verifies, and what it remembers when it is killed."""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from standardwebhooks import Webhook

from dev.receiver.scenarios import FINE, UnknownScenarioError, parse
from tests.support.receiver import Receiver, receiver

SECRET = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
OTHER = "whsec_HxAdHBsaGRgXFhUUExIREA8ODQwLCgkIBwYFBAMCAQA="
BODY = '{"type":"webhook_endpoint.test"}'


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Receiver]:
    with receiver(tmp_path_factory.mktemp("receiver")) as made:
        yield made


@pytest.fixture
def there(running: Receiver) -> Receiver:
    """The receiver, and nothing in it."""
    running.http.post("/receiver/reset").raise_for_status()
    return running


def signed(
    event_id: str, secret: str = SECRET, age: float = 0.0, body: str = BODY
) -> dict[str, str]:
    moment = datetime.now(tz=UTC) - timedelta(seconds=age)
    return {
        "webhook-id": event_id,
        "webhook-timestamp": str(int(moment.timestamp())),
        "webhook-signature": Webhook(secret).sign(event_id, moment, body),
    }


def post(there: Receiver, path: str, event_id: str = "evt_1", **options: float) -> httpx.Response:
    headers = signed(event_id, age=options.get("age", 0.0))
    return there.http.post(path, content=BODY, headers=headers)


def test_it_verifies_and_remembers(there: Receiver) -> None:
    there.configure("a", OTHER, SECRET)
    assert post(there, "/hooks/a").status_code == 200
    (got,) = there.received("a")
    assert (got["box"], got["id"], got["attempt"], got["verified"]) == ("a", "evt_1", 1, True)
    assert got["body"] == BODY
    assert got["headers"]["webhook-id"] == "evt_1"
    assert abs(got["at"] - time.time()) < 10
    assert there.received("b") == []
    page = there.http.get("/").text
    assert "evt_1" in page
    assert "whsec_" not in page + there.http.get("/receiver/boxes").text


@pytest.mark.parametrize(
    ("secret", "age", "changed", "body", "why"),
    [
        (OTHER, 0, {}, BODY, "No matching signature"),
        (SECRET, 0, {}, BODY.replace("test", "tess"), "No matching signature"),
        (SECRET, 301, {}, BODY, "too old"),
        (SECRET, -400, {}, BODY, "too new"),
        (SECRET, 0, {"webhook-id": "evt_2"}, BODY, "No matching signature"),
        (SECRET, 0, {"webhook-id": ""}, BODY, "Missing required headers"),
        (SECRET, 0, {"webhook-signature": "garbage"}, BODY, ""),
        (SECRET, 0, {"webhook-signature": "v1,*"}, BODY, ""),
    ],
)
def test_what_does_not_verify_is_refused(
    there: Receiver, secret: str, age: float, changed: dict[str, str], body: str, why: str
) -> None:
    there.configure("a", SECRET)
    headers = signed("evt_1", secret, age) | changed
    assert there.http.post("/hooks/a", content=body, headers=headers).status_code == 400
    (got,) = there.received("a")
    assert got["verified"] is False
    assert why in got["why"]


def test_without_a_secret_nothing_is_said_of_the_signature(there: Receiver) -> None:
    assert post(there, "/hooks/a").status_code == 200
    assert there.received("a")[0]["verified"] is None


@pytest.mark.parametrize(
    ("word", "status"), [("500", 500), ("429", 429), ("301", 301), ("410", 410)]
)
def test_statuses(there: Receiver, word: str, status: int) -> None:
    answer = post(there, f"/hooks/a/{word}")
    assert answer.status_code == status
    assert ("Retry-After" in answer.headers) is (status == 429)
    assert ("Location" in answer.headers) is (status == 301)


def test_so_many_times_for_each_event_then_fine(there: Receiver) -> None:
    path = "/hooks/a/500=2+429=1"
    first = [post(there, path).status_code for _ in range(4)]
    assert first == [500, 500, 429, 200]
    assert post(there, path, "evt_2").status_code == 500
    assert [got["attempt"] for got in there.received("a")] == [1, 2, 3, 4, 1]


def test_a_box_plays_what_it_is_told_whatever_its_url_says(there: Receiver) -> None:
    there.configure("a", scenario="410")
    assert post(there, "/hooks/a/fine").status_code == 410
    there.configure("a", scenario="")
    assert post(there, "/hooks/a/410").status_code == 200


@pytest.mark.parametrize("word", ["close-unread", "close-read"])
def test_it_resets_the_connection(there: Receiver, word: str) -> None:
    with pytest.raises(httpx.TransportError):
        post(there, f"/hooks/a/{word}")
    (got,) = there.received("a")
    assert (got["body"] is None) is (word == "close-unread")


def test_garbage_is_no_http(there: Receiver) -> None:
    with pytest.raises(httpx.RemoteProtocolError):
        post(there, "/hooks/a/garbage")


@pytest.mark.parametrize(("word", "most"), [("hang", 0), ("drip", 4)])
def test_an_answer_does_not_come(there: Receiver, word: str, most: int) -> None:
    place = urlsplit(there.url)
    head = f"POST /hooks/a/{word} HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n"
    with socket.create_connection((str(place.hostname), place.port or 0)) as raw:
        raw.sendall(head.encode() + b"{}")
        raw.settimeout(2.5)
        came = 0
        with contextlib.suppress(TimeoutError):
            for _ in range(max(1, most)):
                came += len(raw.recv(1))
    assert came == most
    assert len(there.received("a")) == 1


def test_a_body_without_an_end(there: Receiver) -> None:
    with there.http.stream("POST", "/hooks/a/endless", content=b"{}") as answer:
        assert answer.status_code == 200
        size = 0
        for chunk in answer.iter_raw():
            size += len(chunk)
            if size > 1_000_000:
                break
    assert there.http.get("/receiver/boxes").json()["a"]["most_at_once"] == 1


def test_it_remembers_what_it_got_before_it_died(tmp_path: Path) -> None:
    with receiver(tmp_path) as first:
        first.configure("a", SECRET)
        with pytest.raises(httpx.TransportError):
            post(first, "/hooks/a/dies=1")
        url = first.url
    port = urlsplit(url).port or 0
    with receiver(tmp_path, port=port) as second:
        assert second.url == url
        (got,) = second.received("a")
        assert got["verified"] is True
        assert post(second, "/hooks/a/dies=1").status_code == 200
        assert second.received("a")[1]["attempt"] == 2
        assert second.http.post("/hooks/a", content="{}").status_code == 400


def test_a_port_that_is_taken_is_no_reason_not_to_start(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with receiver(tmp_path, port=port) as made:
            assert urlsplit(made.url).port != port


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/hooks/a", "", 405),
        ("POST", "/hooks/a/nonsense", "{}", 404),
        ("POST", "/hooks/a/500=-1", "{}", 404),
        ("PUT", "/receiver/boxes/a", "[]", 400),
        ("PUT", "/receiver/boxes/a", "{", 400),
        ("PUT", "/receiver/boxes/a", '{"secrets": "whsec_x"}', 400),
        ("PUT", "/receiver/boxes/a", '{"scenario": "nonsense"}', 400),
        ("GET", "/receiver/received?after=x", "", 400),
    ],
)
def test_misuse(there: Receiver, method: str, path: str, body: str, status: int) -> None:
    assert there.http.request(method, path, content=body).status_code == status
    assert there.received() == []


def test_words_and_times() -> None:
    scenario = parse("500=2+hang")
    assert [scenario.word(n) for n in (1, 2, 3, 99)] == ["500", "500", "hang", "hang"]
    assert parse("").word(1) == FINE
    with pytest.raises(UnknownScenarioError):
        parse("500=x")
