from __future__ import annotations

import base64
import uuid
from typing import Any

import httpx
import pytest

from tests.dev.emulator.conftest import FAST, RunningEmulator
from tests.dev.emulator.pictures import RED, color_at, image_field, plain_image, probe


def test_a_video_is_written_under_the_storage_uri(emulator: RunningEmulator):
    label = f"g-{uuid.uuid4()}"
    parameters = {"storageUri": "gs://shop-outputs/one/", "aspectRatio": "9:16"}
    answer = emulator.submit("A kite", parameters=parameters, labels={"generation": label})
    assert answer.status_code == 200
    name = answer.json()["name"]
    assert name.startswith(f"projects/shop/locations/us-central1/publishers/google/models/{FAST}")
    assert "done" not in answer.json()
    done = emulator.finish(name)
    assert done["response"]["raiMediaFilteredCount"] == 0
    (video,) = done["response"]["videos"]
    assert video["mimeType"] == "video/mp4"
    (item,) = emulator.listed("shop-outputs", "one/")
    assert video["gcsUri"] == f"gs://shop-outputs/{item['name']}"
    assert item["name"].endswith("/sample_0.mp4")
    content = emulator.client.get(item["mediaLink"]).content
    assert len(content) == int(item["size"])
    assert probe(content)["size"] == (180, 320)
    assert emulator.bought(label) == 1
    found = emulator.client.get(f"{emulator.url}/emulator/operations/{label}").json()["operations"]
    assert [(each["name"], each["done"]) for each in found] == [(name, True)]


def test_without_storage_uri_the_bytes_come_inline(emulator: RunningEmulator):
    instance = {"image": image_field(plain_image(RED, "JPEG"), "image/jpeg")}
    parameters = {"durationSeconds": 4, "sampleCount": 2, "seed": 5}
    name = emulator.submit("A kite", instance=instance, parameters=parameters).json()["name"]
    videos = emulator.finish(name)["response"]["videos"]
    assert len(videos) == 2
    found = probe(base64.b64decode(videos[0]["bytesBase64Encoded"]))
    assert found["seconds"] == pytest.approx(4, abs=0.05)
    assert color_at(found["first"], 0.5, 0.9) == pytest.approx(RED, abs=14)


def test_running_operations_have_no_done(emulator: RunningEmulator):
    name = emulator.submit("A kite [emulator:slow=30]").json()["name"]
    assert emulator.poll(name).json() == {"name": name}


def test_an_operation_cannot_be_read_with_get(emulator: RunningEmulator):
    name = emulator.submit("A kite").json()["name"]
    assert emulator.client.get(f"{emulator.url}/v1/{name}").status_code == 404


def test_unknown_operations_are_not_found(emulator: RunningEmulator):
    path = f"projects/shop/locations/us-central1/publishers/google/models/{FAST}"
    answer = emulator.poll(f"{path}/operations/{uuid.uuid4()}")
    assert answer.status_code == 404
    assert answer.json()["error"]["status"] == "NOT_FOUND"


def test_an_operation_of_another_model_is_invalid(emulator: RunningEmulator):
    name = emulator.submit("A kite").json()["name"]
    assert emulator.poll(name, model="veo-3.1-generate-001").status_code == 400


@pytest.mark.parametrize("token", [None, "Basic abc", "Bearer", "Bearer expired-1"])
def test_a_bearer_token_is_required(
    emulator: RunningEmulator, anonymous: httpx.Client, token: str | None
):
    headers = {"Authorization": token} if token else {}
    url = emulator.model_url(FAST, "predictLongRunning")
    body = {"instances": [{"prompt": "A kite"}]}
    answer = anonymous.post(url, json=body, headers=headers)
    assert answer.status_code == 401
    assert answer.json()["error"]["status"] == "UNAUTHENTICATED"


@pytest.mark.parametrize("model", ["veo-3.0-generate-001", "veo-2.0-generate-001", "veo-9"])
def test_retired_and_unknown_models_are_not_found(emulator: RunningEmulator, model: str):
    answer = emulator.submit("A kite", model=model)
    assert answer.status_code == 404
    assert "was not found or your project does not have access" in answer.text


LITE = "veo-3.1-lite-generate-001"
REFERENCE = {"image": image_field(plain_image(RED)), "referenceType": "ASSET"}
WRONG: list[tuple[str, dict[str, Any]]] = [
    ("ratio", {"parameters": {"aspectRatio": "4:3"}}),
    ("duration", {"parameters": {"durationSeconds": 5}}),
    ("duration text", {"parameters": {"durationSeconds": "8"}}),
    ("samples", {"parameters": {"sampleCount": 5}}),
    ("samples bool", {"parameters": {"sampleCount": True}}),
    ("resolution", {"parameters": {"resolution": "480p"}}),
    ("people", {"parameters": {"personGeneration": "anyone"}}),
    ("audio", {"parameters": {"generateAudio": "yes"}}),
    ("seed", {"parameters": {"seed": -1}}),
    ("fps", {"parameters": {"fps": 30}}),
    ("storage", {"parameters": {"storageUri": "s3://bucket/x"}}),
    ("unknown parameter", {"parameters": {"aspect_ratio": "16:9"}}),
    ("unknown field", {"label": {}}),
    ("label value", {"labels": {"generation": "Not Allowed"}}),
    ("label key", {"labels": {"Generation": "x"}}),
    ("image type", {"instance": {"image": image_field(plain_image(RED), "image/webp")}}),
    ("not what it says", {"instance": {"image": image_field(plain_image(RED), "image/jpeg")}}),
    ("no image", {"instance": {"image": image_field(b"not an image")}}),
    ("cut image", {"instance": {"image": image_field(plain_image(RED)[:60])}}),
    ("no base64", {"instance": {"image": {"bytesBase64Encoded": "!", "mimeType": "image/png"}}}),
    ("empty image", {"instance": {"image": {"mimeType": "image/png"}}}),
    ("last alone", {"instance": {"lastFrame": image_field(plain_image(RED))}}),
    ("four references", {"instance": {"referenceImages": [REFERENCE] * 4}}),
    ("image too large", {"instance": {"image": image_field(bytes(21 * 1024 * 1024))}}),
    (
        "references are 8 s",
        {"instance": {"referenceImages": [REFERENCE]}, "parameters": {"durationSeconds": 4}},
    ),
    ("4 s at 1080p", {"parameters": {"resolution": "1080p", "durationSeconds": 4}}),
    ("6 s at 4k", {"parameters": {"resolution": "4k", "durationSeconds": 6}}),
    ("lite at 4k", {"model": LITE, "parameters": {"resolution": "4k"}}),
    ("lite with references", {"model": LITE, "instance": {"referenceImages": [REFERENCE]}}),
    ("negative prompt", {"parameters": {"negativePrompt": ["rain"]}}),
    ("large seed", {"parameters": {"seed": 2**32}}),
    ("misspelled marker", {"instance": {"prompt": "A kite [emulator:bussy]"}}),
    ("empty prompt", {"instance": {"prompt": " "}}),
]


@pytest.mark.parametrize("body", [body for _, body in WRONG], ids=[name for name, _ in WRONG])
def test_wrong_requests_are_invalid_and_buy_nothing(
    emulator: RunningEmulator, body: dict[str, Any]
):
    before = emulator.stats()["operations"]
    answer = emulator.submit("A kite", **dict(body))
    assert answer.status_code == 400
    assert answer.json()["error"]["status"] == "INVALID_ARGUMENT"
    assert emulator.stats()["operations"] == before


@pytest.mark.parametrize(
    ("model", "parameters"),
    [
        (FAST, {"resolution": "1080p"}),
        (FAST, {"resolution": "4k", "durationSeconds": 8}),
        (LITE, {"resolution": "1080p"}),
        (LITE, {"resolution": "720p", "durationSeconds": 4}),
    ],
)
def test_what_the_models_sell_is_taken(
    emulator: RunningEmulator, model: str, parameters: dict[str, Any]
):
    answer = emulator.submit("A kite [emulator:never]", model=model, parameters=parameters)
    assert answer.status_code == 200


def test_what_was_asked_for_can_be_looked_up(emulator: RunningEmulator):
    label = uuid.uuid4().hex
    given = {"seed": 2**32 - 1, "negativePrompt": "rain", "generateAudio": False}
    prompt = "A kite [emulator:never]"
    labels = {"generation": label, "token": f"{label}-1"}
    name = emulator.submit(prompt, parameters=given, labels=labels).json()["name"]
    expected = given | {
        "name": name,
        "api": "predictLongRunning",
        "location": "us-central1",
        "model": FAST,
        "prompt": prompt,
        "duration": 8,
        "resolution": "720p",
        "images": 0,
    }
    for what in (label, f"{label}-1", name.rpartition("/")[2]):
        answer = emulator.client.get(f"{emulator.url}/emulator/operations/{what}").json()
        (found,) = answer["operations"]
        assert {each: found[each] for each in expected} == expected


def test_without_them_nothing_is_told(emulator: RunningEmulator):
    name = emulator.submit("A kite [emulator:never]").json()["name"]
    url = f"{emulator.url}/emulator/operations/{name.rpartition('/')[2]}"
    (found,) = emulator.client.get(url).json()["operations"]
    assert (found["seed"], found["negativePrompt"], found["generateAudio"]) == (None, None, True)


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'"x"', b'{"instances": [{}, {}]}', b"1e999"])
def test_bodies_that_are_no_request_are_invalid(emulator: RunningEmulator, body: bytes):
    answer = emulator.client.post(emulator.model_url(FAST, "predictLongRunning"), content=body)
    assert answer.status_code == 400


def test_enums_are_read_in_any_case_and_null_means_absent(emulator: RunningEmulator):
    parameters = {"personGeneration": "ALLOW_ADULT", "resizeMode": "pad", "seed": None, "fps": 24}
    instance = {"referenceImages": [REFERENCE] * 3}
    answer = emulator.submit("A kite", instance=instance, parameters=parameters)
    assert answer.status_code == 200
    assert "videos" in emulator.finish(answer.json()["name"])["response"]


def test_a_missing_bucket_ends_the_operation_with_an_error(emulator: RunningEmulator):
    parameters = {"storageUri": "gs://missing-bucket/x/"}
    name = emulator.submit("A kite", parameters=parameters).json()["name"]
    assert emulator.finish(name)["error"]["code"] == 7


def test_a_post_to_the_root_explains_the_clients_trap(emulator: RunningEmulator):
    answer = emulator.client.post(emulator.url + "/", json={})
    assert answer.status_code == 404
    assert "project= and location=" in answer.json()["error"]["message"]


def test_the_home_page_says_what_this_is(emulator: RunningEmulator):
    assert "emulator" in emulator.client.get(emulator.url).text
    answer = emulator.client.get(emulator.url, headers={"Accept": "application/json"}).json()
    assert answer["emulator"] is True
    types = [
        emulator.client.get(emulator.url + path).headers["content-type"]
        for path in answer["sample_images"][:2]
    ]
    assert types == ["image/png", "image/jpeg"]
    assert emulator.client.get(emulator.url + "/sample-images/none.png").status_code == 404
