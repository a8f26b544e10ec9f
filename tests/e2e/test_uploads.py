"""Uploads over real HTTP: what customers send, and what they should not."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from PIL import Image

from dev.embedded.stack import Stack
from tests.e2e.customer import Customer
from tests.e2e.wire import Answer, Wire
from tests.support.images import blank_png, encoded, halves, noise, opened, pixel_at

UPLOADS = "/api/v1/uploads/"
MB = 1_000_000
BLOCK = b"x" * 65536
JPEG = {"Content-Type": "image/jpeg"}
DAMAGED = "The file is not a JPEG, PNG or WebP image, or it is damaged"
PIXELS = "The image is too large: at most 25 megapixels and 8192 pixels a side"
NO_IMAGE = "Send the image as the body, or as the multipart field file"


def send(customer: Customer, data: bytes, content_type: str = "image/png") -> httpx.Response:
    return customer.http.post(
        UPLOADS, content=data, headers={"Content-Type": content_type}, timeout=60
    )


def refused(answer: httpx.Response | Answer, status: int, code: str) -> str:
    """The sentence of an error in the contract's shape."""
    body: dict[str, Any] = answer.json()
    found = answer.status_code if isinstance(answer, httpx.Response) else answer.status
    assert (found, body["success"], body["code"]) == (status, False, code), body
    assert body["request_id"] == answer.headers["x-request-id"]
    return str(body["error"])


@pytest.fixture
def wire(stack: Stack) -> Iterator[Wire]:
    with Wire(stack.base_url) as connection:
        yield connection


def kept(stack: Stack, upload_id: str) -> Image.Image:
    folder = Path(stack.env["OUTPUT_ROOT"], "uploads", upload_id[-2:])
    (path,) = folder.glob(f"{upload_id}.*")
    return opened(path.read_bytes())


def form(*files: tuple[str, bytes], **fields: str) -> dict[str, Any]:
    return {
        "files": [(name, ("any.txt", data, "text/plain")) for name, data in files],
        "data": fields,
    }


@pytest.mark.parametrize("file_format", ["PNG", "JPEG", "WEBP"])
def test_an_image_is_kept_as_the_provider_will_get_it(
    stack: Stack, rich: Customer, file_format: str
) -> None:
    data = encoded(halves(64, 32), file_format)
    for answer in (
        send(rich, data, "image/webp"),
        rich.http.post(UPLOADS, **form(("file", data), ("other", b"x" * 9000), note="ignored")),
    ):
        assert answer.status_code == 201, answer.text
        body = answer.json()
        expected = "image/png" if file_format == "PNG" else "image/jpeg"
        assert (body["content_type"], body["width"], body["height"]) == (expected, 64, 32)
        assert body["url"] == f"upload:{body['id']}"
        assert answer.headers["RateLimit-Policy"].startswith('"uploads"')
        picture = kept(stack, body["id"])
        assert (picture.size, picture.format) == ((64, 32), expected[6:].upper())
        assert pixel_at(picture, 5, 5)[0] > 200
        assert pixel_at(picture, 60, 5)[2] > 200


def test_it_is_upright_and_without_metadata(stack: Stack, rich: Customer) -> None:
    exif = Image.Exif()
    exif[0x0112], exif[0x010E] = 6, "where I live"
    answer = send(rich, encoded(halves(64, 32), "JPEG", exif=exif))
    body = answer.json()
    assert (body["width"], body["height"]) == (32, 64)
    assert not kept(stack, body["id"]).getexif()


def test_chunked_is_as_good(rich: Customer) -> None:
    data = encoded(halves(), "PNG")

    def parts() -> Iterator[bytes]:
        for start in range(0, len(data), 50):
            yield data[start : start + 50]

    answer = rich.http.post(UPLOADS, content=parts(), headers={"Content-Type": "image/png"})
    assert answer.status_code == 201, answer.text
    raw = rich.http.build_request("POST", UPLOADS, **form(("file", data)))
    body, content_type = raw.read(), raw.headers["Content-Type"]
    answer = rich.http.post(UPLOADS, content=iter([body]), headers={"Content-Type": content_type})
    assert answer.status_code == 201, answer.text


def test_a_body_is_asked_for_when_it_is_wanted(rich: Customer, wire: Wire) -> None:
    data = encoded(halves(), "PNG")
    head = ("Content-Type: image/png", f"Content-Length: {len(data)}", "Expect: 100-continue")
    wire.request("POST", UPLOADS, *head, f"Authorization: {rich.http.headers['Authorization']}")
    assert wire.interim() == 100
    wire.send(data)
    assert wire.answer().status == 201
    with Wire(str(rich.http.base_url)) as other:
        other.request("POST", UPLOADS, *head)
        assert other.answer().status == 401


FRAMES = [halves(), halves().rotate(180)]
REFUSED = {
    "text": (b"hello", DAMAGED),
    "svg": (b"<svg xmlns='http://www.w3.org/2000/svg'/>", DAMAGED),
    "gif": (encoded(halves(), "GIF"), DAMAGED),
    "half": (encoded(halves(400, 400), "JPEG")[:900], DAMAGED),
    "wide": (encoded(Image.new("1", (8193, 1)), "PNG"), PIXELS),
    "many": (encoded(Image.new("1", (5001, 5000)), "PNG"), PIXELS),
    "bomb": (blank_png(60_000, 60_000), PIXELS),
    "apng": (encoded(FRAMES[0], "PNG", save_all=True, append_images=FRAMES[1:]), "animated"),
    "webp": (encoded(FRAMES[0], "WEBP", save_all=True, append_images=FRAMES[1:]), "animated"),
    "none": (b"", NO_IMAGE),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_image_is_refused_with_the_reason(
    stack: Stack, rich: Customer, name: str
) -> None:
    data, sentence = REFUSED[name]
    if sentence == "animated":
        sentence = "Animated images are not taken"
    before = set(Path(stack.env["OUTPUT_ROOT"], "uploads").rglob("*.*"))
    assert refused(send(rich, data), 400, "invalid_request") == sentence
    assert set(Path(stack.env["OUTPUT_ROOT"], "uploads").rglob("*.*")) == before


def test_forms_without_one_file_are_refused(rich: Customer) -> None:
    image = encoded(halves(), "PNG")
    for asked in (
        form(("other", image)),
        form(("file", image), ("file", image)),
        form(("other", b"x"), file="as text"),
    ):
        answer = rich.http.post(UPLOADS, **asked)
        assert refused(answer, 400, "invalid_request") == NO_IMAGE
    for content_type in ("multipart/form-data", "multipart/form-data; boundary=x"):
        assert refused(send(rich, image, content_type), 400, "invalid_request") == NO_IMAGE


@pytest.mark.parametrize("content_type", ["application/json", "image/gif", "image/*", "text/plain"])
def test_other_types_are_refused(rich: Customer, content_type: str) -> None:
    refused(send(rich, encoded(halves(), "PNG"), content_type), 415, "unsupported_media_type")


def test_no_type_and_codings_are_refused(rich: Customer) -> None:
    image = encoded(halves(), "PNG")
    refused(rich.http.post(UPLOADS, content=image), 415, "unsupported_media_type")
    coded = {"Content-Type": "image/png", "Content-Encoding": "gzip"}
    answer = rich.http.post(UPLOADS, content=image, headers=coded)
    refused(answer, 415, "unsupported_media_type")


def test_21_mb_are_refused_while_they_are_being_sent(rich: Customer) -> None:
    def parts() -> Iterator[bytes]:
        for _ in range(21 * MB // len(BLOCK)):
            yield BLOCK

    told = send(rich, BLOCK * (21 * MB // len(BLOCK)), "image/jpeg")
    chunked = rich.http.post(UPLOADS, content=parts(), headers=JPEG, timeout=60)
    multipart = rich.http.post(UPLOADS, **form(("file", b"x" * (20 * MB + 1))), timeout=60)
    for answer in (told, chunked, multipart):
        assert refused(answer, 413, "request_too_large") == "The image is larger than 20 MB"


def test_a_client_that_never_stops_sending_reads_the_413(rich: Customer, wire: Wire) -> None:
    """It looks for the answer only when it has sent all of it."""
    secret = f"Authorization: {rich.http.headers['Authorization']}"
    wire.request("POST", UPLOADS, secret, "Content-Type: image/png", "Content-Length: 40000000")
    for _ in range(40 * MB // len(BLOCK)):
        wire.send(BLOCK)
    refused(wire.answer(), 413, "request_too_large")


def test_without_a_key_nothing_of_the_body_is_waited_for(wire: Wire) -> None:
    """1 kB a second."""
    began = time.monotonic()
    wire.request("POST", UPLOADS, "Content-Type: image/png", "Content-Length: 19000000")
    wire.send(b"x" * 1000)
    refused(wire.answer(), 401, "not_authenticated")
    assert time.monotonic() - began < 12


def test_framing_of_single_bytes_is_refused(rich: Customer, wire: Wire) -> None:
    secret = f"Authorization: {rich.http.headers['Authorization']}"
    wire.request("POST", UPLOADS, secret, "Content-Type: image/png", "Transfer-Encoding: chunked")
    for _ in range(300):
        wire.send(b"1\r\nx\r\n" * 1000)
    said = refused(wire.answer(), 400, "invalid_request")
    assert said == "The body's chunks are invalid"


def test_slow_bodies_end_and_hold_nobody_up(stack: Stack, rich: Customer) -> None:
    """More of them than there are threads for uploads, a byte a second, with a good key."""
    with contextlib.ExitStack() as closing:
        wires = [closing.enter_context(Wire(stack.base_url)) for _ in range(16)]
        slow_bodies(stack, rich, wires)


def slow_bodies(stack: Stack, rich: Customer, wires: list[Wire]) -> None:
    secret = f"Authorization: {rich.http.headers['Authorization']}"
    head = (secret, "Content-Type: image/png", "Content-Length: 1000")
    for each in wires:
        each.request("POST", UPLOADS, *head)
    ends = time.monotonic() + 32
    slowest = 0.0
    while time.monotonic() < ends:
        began = time.monotonic()
        assert httpx.get(f"{stack.base_url}/livez", timeout=5).status_code == 200
        rich.balance()
        slowest = max(slowest, time.monotonic() - began)
        for each in wires:
            with contextlib.suppress(OSError):
                each.send(b"x")
        time.sleep(1)
    assert slowest < 2
    answers = [each.answer() for each in wires]
    statuses = {answer.status for answer in answers}
    assert 408 in statuses
    assert statuses <= {408, 503}
    for answer in answers:
        if answer.status == 408:
            sentence = refused(answer, 408, "request_timeout")
            assert sentence == "The upload did not arrive in time"
        else:
            refused(answer, 503, "service_unavailable")
            assert answer.headers["retry-after"]


def test_eight_at_once_of_19_mb(stack: Stack, rich: Customer) -> None:
    image = noise(2516, 2516)
    assert 18.9 * MB < len(image) < 20 * MB
    send(rich, encoded(halves(), "PNG"))
    leader = psutil.Process(stack.processes.children["web"].pid)
    web = [leader, *leader.children()]
    before = sum(process.memory_info().rss for process in web)
    most, slowest = before, 0.0
    with ThreadPoolExecutor(8) as pool:
        sent = [pool.submit(send, rich, image) for _ in range(8)]
        while not all(each.done() for each in sent):
            began = time.monotonic()
            assert httpx.get(f"{stack.base_url}/livez", timeout=5).status_code == 200
            slowest = max(slowest, time.monotonic() - began)
            most = max(most, sum(process.memory_info().rss for process in web))
            time.sleep(0.05)
    statuses = sorted(each.result().status_code for each in sent)
    print(f"{statuses}, /livez {slowest:.2f} s, memory {(most - before) / MB:.1f} MB")
    assert set(statuses) <= {201, 503}
    assert 201 in statuses
    for each in sent:
        assert each.result().status_code == 201 or each.result().headers["Retry-After"]
    assert slowest < 1
    assert most - before < 60 * MB


def test_a_video_from_an_upload(stack: Stack, rich: Customer) -> None:
    """No URL is fetched, and nobody else may use it."""
    photo = httpx.get(f"{stack.emulator_url}/sample-images/photo.jpg").content
    body = send(rich, photo, "image/jpeg").json()
    film = rich.create("/api/v1/generate/video/", "a red fox", source_image_urls=[body["url"]])
    shown = rich.finished(film)
    assert (shown["status"], shown["mode"]) == ("completed", "image-to-video")
    stranger = json.loads(stack.manage("create_account", "bob-uploads@example.com"))["key"]
    sentences = set()
    for entry in (body["url"], "upload:x"):
        answer = httpx.post(
            f"{stack.base_url}/api/v1/generate/video/",
            json={"prompt": "a", "source_image_urls": [entry]},
            headers={"Authorization": f"Bearer {stranger}"},
        )
        sentences.add(refused(answer, 400, "invalid_request"))
    assert sentences == {"source_image_urls[0] is not an upload of this account, or it has expired"}
