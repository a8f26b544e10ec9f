from __future__ import annotations

import base64
import uuid
from typing import Any

import httpx
import pytest

from tests.dev.emulator.conftest import RunningEmulator
from tests.dev.emulator.interactions import (
    BUCKET,
    OMNI,
    PATH,
    begin,
    body,
    done,
    finish,
    get,
    output,
    told,
    url,
)
from tests.dev.emulator.pictures import BLUE, RED, color_at, plain_image, probe


def inline(color: tuple[int, int, int] = RED) -> dict[str, str]:
    return {"data": base64.b64encode(plain_image(color)).decode(), "mime_type": "image/png"}


def stored(emulator: RunningEmulator, color: tuple[int, int, int] = RED) -> dict[str, str]:
    name = f"inputs/{uuid.uuid4().hex}.png"
    target = f"{emulator.url}/upload/storage/v1/b/{BUCKET}/o"
    params = {"name": name, "uploadType": "media"}
    emulator.client.post(target, params=params, content=plain_image(color)).raise_for_status()
    return {"uri": f"gs://{BUCKET}/{name}", "mime_type": "image/png"}


def content(emulator: RunningEmulator, key: str) -> bytes:
    (item,) = emulator.listed(BUCKET, f"{key}/")
    assert item["name"] == f"{key}/video.mp4"
    return emulator.client.get(item["mediaLink"]).content


def test_a_video_is_written_below_the_gcs_uri(emulator: RunningEmulator):
    answer, key = begin(emulator, "A kite", duration="3s", aspect_ratio="9:16")
    begun = answer.json()
    assert begun["status"] == "in_progress"
    assert begun["model"] == OMNI
    ended = finish(emulator, begun["id"])
    assert ended["status"] == "completed"
    (video,) = output(ended)
    uri = f"gs://{BUCKET}/{key}/video.mp4"
    assert video == {"type": "video", "mime_type": "video/mp4", "uri": uri}
    assert ended["usage"]["total_output_tokens"] == 3 * 5792
    found = probe(content(emulator, key))
    assert found["size"] == (180, 320)
    assert found["seconds"] == pytest.approx(3, abs=0.05)
    assert (emulator.bought(key), emulator.billed(key)) == (1, 1)


def test_two_images_are_the_first_and_the_last_frame(emulator: RunningEmulator):
    answer, key = done(emulator, "A kite", stored(emulator), inline(BLUE))
    assert answer["status"] == "completed"
    found = probe(content(emulator, key))
    assert color_at(found["first"], 0.5, 0.9) == pytest.approx(RED, abs=14)
    assert color_at(found["last"], 0.5, 0.3) == pytest.approx(BLUE, abs=14)


def test_inline_delivery_gives_the_bytes(emulator: RunningEmulator):
    payload = body("A kite", uuid.uuid4().hex)
    payload["response_format"] = {"type": "video", "duration": "4s", "delivery": "inline"}
    begun = emulator.client.post(url(emulator), json=payload).raise_for_status().json()
    (video,) = output(finish(emulator, begun["id"]))
    assert probe(base64.b64decode(video["data"]))["seconds"] == pytest.approx(4, abs=0.05)
    assert "uri" not in video


def test_the_inputs_are_repeated_unless_they_are_not_wanted(emulator: RunningEmulator):
    image = inline()
    ended, _ = done(emulator, "A kite", image)
    assert [each["type"] for each in ended["steps"]] == ["thought", "model_output"]
    whole = emulator.client.get(f"{url(emulator)}/{ended['id']}").json()
    assert whole["steps"][0] == {
        "type": "user_input",
        "content": [{"type": "text", "text": "A kite"}, {"type": "image"} | image],
    }
    assert get(emulator, ended["id"], stream="true").status_code == 400
    assert get(emulator, ended["id"], include_input="1").status_code == 400


def test_what_was_asked_for_can_be_looked_up(emulator: RunningEmulator):
    key = uuid.uuid4().hex
    payload = body(
        "A <FIRST_FRAME> kite [emulator:never]", key, inline(), resolution="1080p", duration="10s"
    )
    payload["generation_config"] = {"seed": 7, "video_config": {"task": "image_to_video"}}
    payload["labels"] |= {"token": f"{key}-1"}
    identity = emulator.client.post(url(emulator), json=payload).json()["id"]
    expected = {
        "api": "interactions",
        "location": "global",
        "model": OMNI,
        "prompt": "A <FIRST_FRAME> kite [emulator:never]",
        "seed": 7,
        "negativePrompt": None,
        "generateAudio": True,
        "duration": 10,
        "resolution": "1080p",
        "images": 1,
        "deleted": False,
    }
    for what in (key, f"{key}-1", identity):
        operation = told(emulator, what)
        assert {each: operation[each] for each in expected} == expected
        assert operation["name"] == f"{PATH}/{identity}"


def test_a_deleted_interaction_is_gone_and_its_file_is_not(emulator: RunningEmulator):
    ended, key = done(emulator, "A kite", inline())
    one = f"{url(emulator)}/{ended['id']}"
    assert emulator.client.delete(one).json() == {}
    assert get(emulator, ended["id"]).status_code == 404
    assert emulator.client.delete(one).status_code == 404
    assert emulator.client.post(one + "/cancel").status_code == 404
    assert told(emulator, key)["deleted"] is True
    assert len(content(emulator, key)) > 1000


def test_deleting_does_not_stop_what_is_paid_for(emulator: RunningEmulator):
    answer, key = begin(emulator, "A kite [emulator:slow=0.3]")
    emulator.client.delete(f"{url(emulator)}/{answer.json()['id']}").raise_for_status()
    while not told(emulator, key)["done"]:
        assert get(emulator, answer.json()["id"]).status_code == 404
    assert (emulator.bought(key), emulator.billed(key)) == (1, 1)
    assert len(content(emulator, key)) > 1000


def test_a_cancelled_interaction_makes_nothing(emulator: RunningEmulator):
    answer, key = begin(emulator, "A kite [emulator:slow=30]")
    one = f"{url(emulator)}/{answer.json()['id']}"
    assert emulator.client.post(one + "/cancel").json()["status"] == "cancelled"
    assert get(emulator, answer.json()["id"]).json()["status"] == "cancelled"
    assert emulator.listed(BUCKET, key) == []
    assert (emulator.bought(key), emulator.billed(key)) == (1, 0)
    assert told(emulator, key)["cancelled"] is True


def test_cancelling_what_is_done_changes_nothing(emulator: RunningEmulator):
    ended, key = done(emulator, "A kite")
    answer = emulator.client.post(f"{url(emulator)}/{ended['id']}/cancel").json()
    assert answer["status"] == "completed"
    assert told(emulator, key)["cancelled"] is False


@pytest.mark.parametrize("location", ["us-central1", "us", "europe-west4"])
def test_there_is_no_other_location_than_global(emulator: RunningEmulator, location: str):
    path = f"projects/shop/locations/{location}/interactions"
    key = uuid.uuid4().hex
    answers = [
        emulator.client.post(url(emulator, path), json=body("A kite", key)),
        emulator.client.get(url(emulator, path) + "/some-id"),
        emulator.client.delete(url(emulator, path) + "/some-id"),
    ]
    assert [each.status_code for each in answers] == [404] * 3
    assert {each.json()["error"]["status"] for each in answers} == {"NOT_FOUND"}
    assert emulator.bought(key) == 0


def test_there_is_no_list_and_no_other_version(emulator: RunningEmulator):
    assert emulator.client.get(url(emulator)).status_code == 404
    other = f"{emulator.url}/v1/{PATH}"
    assert emulator.client.post(other, json=body("A kite", "x")).status_code == 404


def test_unknown_interactions_are_not_found(emulator: RunningEmulator):
    answer = get(emulator, "no-such-id")
    assert answer.status_code == 404
    assert answer.json()["error"]["status"] == "NOT_FOUND"


def test_an_operation_of_veo_is_no_interaction(emulator: RunningEmulator):
    name = emulator.submit("A kite").json()["name"]
    assert get(emulator, name.rpartition("/")[2]).status_code == 404


@pytest.mark.parametrize("method", ["post", "get", "delete"])
def test_a_bearer_token_is_required(
    emulator: RunningEmulator, anonymous: httpx.Client, method: str
):
    where = url(emulator) + ("" if method == "post" else "/some-id")
    assert anonymous.request(method, where).status_code == 401


@pytest.mark.parametrize("model", ["veo-3.1-generate-001", "gemini-omni-9", f"x/{OMNI}"])
def test_models_of_another_api_and_unknown_ones_are_not_found(
    emulator: RunningEmulator, model: str
):
    key = uuid.uuid4().hex
    answer = emulator.client.post(url(emulator), json=body("A kite", key) | {"model": model})
    assert answer.status_code == 404
    assert "was not found or your project does not have access" in answer.text
    assert emulator.stats()["rejected_by_label"]["generation"][key] == 1


def with_task(task: str) -> dict[str, Any]:
    return {"generation_config": {"video_config": {"task": task}}}


def with_content(*pieces: Any) -> dict[str, Any]:
    return {"input": [{"type": "user_input", "content": list(pieces)}]}


TEXT = {"type": "text", "text": "A kite"}
IMAGE = {"type": "image"} | inline()
ABSENT = {"type": "image", "uri": f"gs://{BUCKET}/no/such.png", "mime_type": "image/png"}
FORMAT: dict[str, Any] = {"type": "video", "delivery": "uri", "gcs_uri": f"gs://{BUCKET}/x/"}
WRONG: list[tuple[str, dict[str, Any]]] = [
    *(
        (f"duration {word}", {"response_format": [FORMAT | {"duration": word}]})
        for word in ("2s", "16s", "1\u0663s", "8", "8.5s", "08s", "s", "", "-8s", 8)
    ),
    (
        "11 s with two frames",
        with_content(TEXT, IMAGE, IMAGE) | {"response_format": [FORMAT | {"duration": "11s"}]},
    ),
    ("no place", {"response_format": [{"type": "video", "delivery": "uri"}]}),
    ("no slash", {"response_format": [FORMAT | {"gcs_uri": f"gs://{BUCKET}/x"}]}),
    ("bare bucket", {"response_format": [FORMAT | {"gcs_uri": f"gs://{BUCKET}"}]}),
    ("no address", {"response_format": [FORMAT | {"gcs_uri": "s3://bucket/x/"}]}),
    ("inline with a place", {"response_format": [FORMAT | {"delivery": "inline"}]}),
    ("place without delivery", {"response_format": [{"type": "video", "gcs_uri": "gs://buck/"}]}),
    ("delivery", {"response_format": [FORMAT | {"delivery": "mail"}]}),
    ("ratio", {"response_format": [FORMAT | {"aspect_ratio": "1:1"}]}),
    ("resolution", {"response_format": [FORMAT | {"resolution": "480p"}]}),
    ("format of an image", {"response_format": [FORMAT | {"type": "image"}]}),
    ("unknown format", {"response_format": [FORMAT | {"generate_audio": False}]}),
    ("two formats", {"response_format": [FORMAT, FORMAT]}),
    ("no format", {"response_format": None}),
    ("unknown field", {"negative_prompt": "rain"}),
    ("foreground", {"background": False}),
    ("no background", {"background": None}),
    ("not stored", {"store": False}),
    ("store text", {"store": "true"}),
    ("seed", {"generation_config": {"seed": -1}}),
    ("large seed", {"generation_config": {"seed": 2**31}}),
    (
        "seed before 1.2",
        {"generation_config": {"seed": 1}, "model": "gemini-omni-1.1-flash-preview"},
    ),
    ("unknown config", {"generation_config": {"negative_prompt": "rain"}}),
    ("text with a frame", with_content(TEXT, IMAGE) | with_task("text_to_video")),
    ("frames without one", with_task("image_to_video")),
    ("three frames", with_content(TEXT, *[IMAGE] * 3) | with_task("image_to_video")),
    ("no references", with_task("reference_to_video")),
    ("seven references", with_content(TEXT, *[IMAGE] * 7)),
    ("later task", with_content(TEXT, IMAGE) | with_task("extend")),
    ("unknown task", with_task("make")),
    ("no text", with_content(IMAGE)),
    ("blank text", with_content(TEXT | {"text": " "})),
    ("input text", {"input": "A kite"}),
    ("two steps", {"input": [{"type": "user_input", "content": [TEXT]}] * 2}),
    ("another step", {"input": [{"type": "model_output", "content": [TEXT]}]}),
    ("a video", with_content(TEXT, {"type": "video", "uri": "gs://bucket/a.mp4"})),
    ("no object", with_content("A kite")),
    ("missing object", with_content(TEXT, ABSENT)),
    ("web address", with_content(TEXT, ABSENT | {"uri": "https://example.com/a.png"})),
    ("data and uri", with_content(TEXT, ABSENT | IMAGE)),
    ("no mime type", with_content(TEXT, {"type": "image", "data": IMAGE["data"]})),
    ("not what it says", with_content(TEXT, IMAGE | {"mime_type": "image/jpeg"})),
    ("webp", with_content(TEXT, IMAGE | {"mime_type": "image/webp"})),
    ("no base64", with_content(TEXT, IMAGE | {"data": "!"})),
    ("Veo's names", with_content(TEXT, {"type": "image", "gcsUri": "gs://bucket/a.png"})),
    ("label", {"labels": {"generation": "Not Allowed"}}),
    ("misspelled marker", with_content(TEXT | {"text": "A kite [emulator:unlistet]"})),
    ("long prompt", with_content(TEXT | {"text": "k" * 4001})),
    ("no model", {"model": None}),
]


@pytest.mark.parametrize("change", [change for _, change in WRONG], ids=[name for name, _ in WRONG])
def test_wrong_requests_are_invalid_and_buy_nothing(
    emulator: RunningEmulator, change: dict[str, Any]
):
    key = uuid.uuid4().hex
    payload = body("A kite", key) | change
    before = emulator.stats()["operations"]
    answer = emulator.client.post(url(emulator), json=payload)
    assert answer.status_code == 400
    assert answer.json()["error"]["status"] == "INVALID_ARGUMENT"
    assert emulator.stats()["operations"] == before


@pytest.mark.parametrize("raw", [b"", b"[]", b"{", b'"x"', b"null", b"1e999"])
def test_bodies_that_are_no_request_are_invalid(emulator: RunningEmulator, raw: bytes):
    assert emulator.client.post(url(emulator), content=raw).status_code == 400


@pytest.mark.parametrize(
    ("images", "task", "duration"),
    [(0, "text_to_video", "15s"), (1, "image_to_video", "15s"), (2, "image_to_video", "10s"),
     (1, "reference_to_video", "3s"), (3, "reference_to_video", "15s"), (6, "", "8s")],
)  # fmt: skip
def test_tasks_that_fit_the_images_are_taken(
    emulator: RunningEmulator, images: int, task: str, duration: str
):
    key = uuid.uuid4().hex
    payload = body("A kite [emulator:never]", key, *[inline()] * images, duration=duration)
    payload |= with_task(task) if task else {}
    assert emulator.client.post(url(emulator), json=payload).status_code == 200
    assert told(emulator, key)["duration"] == int(duration[:-1])
