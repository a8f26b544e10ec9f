from __future__ import annotations

import base64
import hashlib
import uuid
from typing import Any

import httpx
import pytest

from tests.dev.emulator.conftest import RunningEmulator
from tests.dev.emulator.pictures import probe


def submit(emulator: RunningEmulator, marker: str, **more: Any) -> tuple[httpx.Response, str]:
    """A request with the marker, a label and a prefix of its own, both named ``key``."""
    key = uuid.uuid4().hex
    parameters = {"storageUri": f"gs://scenes/{key}/", "durationSeconds": 4}
    prompt = f"A kite [emulator:{marker}]"
    labels = {"generation": key}
    return emulator.submit(prompt, parameters=parameters, labels=labels, **more), key


def done(emulator: RunningEmulator, marker: str) -> tuple[dict[str, Any], str]:
    answer, key = submit(emulator, marker)
    assert answer.status_code == 200, answer.text
    return emulator.finish(answer.json()["name"]), key


@pytest.mark.parametrize(
    ("marker", "code"),
    [
        ("filtered", "15236754"),
        ("filtered=violence", "61493863"),
        ("filtered=62263041", "62263041"),
    ],
)
def test_filtered_is_done_without_videos(emulator: RunningEmulator, marker: str, code: str):
    answer, key = done(emulator, marker)
    assert answer["response"]["raiMediaFilteredCount"] == 1
    assert answer["response"]["raiMediaFilteredReasons"][0].endswith(f"Support codes: {code}")
    assert "videos" not in answer["response"]
    assert emulator.listed("scenes", key) == []
    assert (emulator.bought(key), emulator.billed(key)) == (1, 0)


def test_filtered_prompt_is_an_error_with_a_support_code(emulator: RunningEmulator):
    answer, _ = done(emulator, "filtered=prompt")
    assert answer["error"]["code"] == 3
    assert "Support codes:" in answer["error"]["message"]


@pytest.mark.parametrize(("marker", "code"), [("error", 13), ("error=3", 3), ("error=8", 8)])
def test_error_ends_the_operation_with_an_rpc_code(
    emulator: RunningEmulator, marker: str, code: int
):
    answer, _ = done(emulator, marker)
    assert answer["error"]["code"] == code
    assert "response" not in answer


def test_empty_is_done_without_videos_and_reasons(emulator: RunningEmulator):
    answer, _ = done(emulator, "empty")
    assert answer["response"].keys() == {"@type", "raiMediaFilteredCount"}


@pytest.mark.parametrize("marker", ["silent-reason", "filtered=audio"])
def test_a_reason_about_the_sound_has_no_code(emulator: RunningEmulator, marker: str):
    answer, key = done(emulator, marker)
    (reason,) = answer["response"]["raiMediaFilteredReasons"]
    assert "audio" in reason
    assert "code" not in reason.lower()
    assert "videos" not in answer["response"]
    assert (emulator.bought(key), emulator.billed(key)) == (1, 0)


def test_unlisted_names_no_video_but_the_file_is_there(emulator: RunningEmulator):
    answer, key = done(emulator, "unlisted")
    assert answer["response"].keys() == {"@type", "raiMediaFilteredCount"}
    assert len(emulator.listed("scenes", key)) == 1
    assert (emulator.bought(key), emulator.billed(key)) == (1, 1)


def test_hevc_is_tagged_for_every_player(emulator: RunningEmulator):
    found = probe(emulator.client.get(stored(emulator, "hevc")["mediaLink"]).content)
    assert found["codecs"] == ("hevc", "aac")
    assert found["tag"] == "hvc1"
    assert found["seconds"] == pytest.approx(4, abs=0.05)


def test_partial_leaves_out_one_video(emulator: RunningEmulator):
    prompt = "A kite [emulator:partial]"
    parameters = {"sampleCount": 2, "durationSeconds": 4}
    name = emulator.submit(prompt, parameters=parameters).json()["name"]
    response = emulator.finish(name)["response"]
    assert len(response["videos"]) == 1
    assert response["raiMediaFilteredCount"] == 1


@pytest.mark.parametrize(
    ("word", "code", "status"),
    [("busy", 429, "RESOURCE_EXHAUSTED"), ("overloaded", 503, "UNAVAILABLE")],
)
def test_busy_and_overloaded_turn_the_first_submissions_away(
    emulator: RunningEmulator, word: str, code: int, status: str
):
    marker = f"{word}=2 retry-after=7] {uuid.uuid4()} [emulator:"
    for _ in range(2):
        answer, key = submit(emulator, marker)
        assert answer.status_code == code
        error = answer.json()["error"]
        assert (error["code"], error["status"]) == (code, status)
        assert answer.headers["Retry-After"] == "7"
        assert emulator.bought(key) == 0
        assert emulator.stats()["rejected_by_label"]["generation"][key] == 1
    assert submit(emulator, marker)[0].status_code == 200


@pytest.mark.parametrize(
    ("marker", "status"),
    [
        *(("busy", 429), ("overloaded", 503), ("rejected", 400), ("rejected=hate", 400)),
        *(("retired", 404), ("html502", 502)),
    ],
)
def test_refusals_buy_nothing(emulator: RunningEmulator, marker: str, status: int):
    answer, key = submit(emulator, marker)
    assert answer.status_code == status
    assert ("Support codes: 57734940" in answer.text) == (marker == "rejected=hate")
    assert answer.headers["content-type"].startswith("text/html") == (marker == "html502")
    assert emulator.bought(key) == 0


def wait_for_file(emulator: RunningEmulator, key: str) -> None:
    name = emulator.client.get(f"{emulator.url}/emulator/operations/{key}").json()
    emulator.finish(name["operations"][0]["name"])
    assert len(emulator.listed("scenes", key)) == 1
    assert (emulator.bought(key), emulator.billed(key)) == (1, 1)


def test_accepted_then_reset_makes_the_file(emulator: RunningEmulator):
    key = uuid.uuid4().hex
    parameters = {"storageUri": f"gs://scenes/{key}/", "durationSeconds": 4}
    with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
        emulator.submit(
            "A kite [emulator:accepted-then-reset]",
            parameters=parameters,
            labels={"generation": key},
        )
    wait_for_file(emulator, key)


def test_accepted_then_no_answer_makes_the_file(emulator: RunningEmulator):
    key = uuid.uuid4().hex
    prompt = "A kite [emulator:accepted-then-no-answer]"
    parameters = {"storageUri": f"gs://scenes/{key}/", "durationSeconds": 4}
    payload = {"instances": [{"prompt": prompt}], "parameters": parameters}
    url = emulator.model_url("veo-3.1-fast-generate-001", "predictLongRunning")
    with pytest.raises(httpx.ReadTimeout):
        emulator.client.post(url, json=payload | {"labels": {"generation": key}}, timeout=1)
    wait_for_file(emulator, key)


def test_accepted_then_502_makes_the_file(emulator: RunningEmulator):
    answer, key = submit(emulator, "accepted-then-502")
    assert answer.status_code == 502
    wait_for_file(emulator, key)


def stored(emulator: RunningEmulator, marker: str) -> dict[str, Any]:
    _, key = done(emulator, marker)
    (item,) = emulator.listed("scenes", key)
    return item


def test_truncated_serves_less_than_the_metadata_says(emulator: RunningEmulator):
    item = stored(emulator, "truncated")
    answer = emulator.client.get(item["mediaLink"])
    assert len(answer.content) == int(item["size"]) // 2
    md5 = base64.b64encode(hashlib.md5(answer.content, usedforsecurity=False).digest()).decode()
    assert md5 != item["md5Hash"]
    assert f"md5={item['md5Hash']}" in answer.headers["x-goog-hash"]


def test_truncated_connection_breaks_off(emulator: RunningEmulator):
    item = stored(emulator, "truncated=connection")
    with pytest.raises(httpx.RemoteProtocolError):
        emulator.client.get(item["mediaLink"])


def test_truncated_file_agrees_with_its_metadata_and_is_no_whole_mp4(emulator: RunningEmulator):
    item = stored(emulator, "truncated=file")
    content = emulator.client.get(item["mediaLink"]).content
    assert len(content) == int(item["size"])
    start = content.index(b"mdat") - 4
    assert start + int.from_bytes(content[start : start + 4]) > len(content)


def test_unavailable_fails_the_first_polls(emulator: RunningEmulator):
    name = submit(emulator, "unavailable=2 retry-after=1")[0].json()["name"]
    answers = [emulator.poll(name) for _ in range(3)]
    assert [each.status_code for each in answers] == [503, 503, 200]
    assert answers[0].headers["Retry-After"] == "1"


@pytest.mark.parametrize(("marker", "files"), [("gone", 1), ("gone=empty", 0)])
def test_gone_forgets_the_operation(emulator: RunningEmulator, marker: str, files: int):
    answer, key = submit(emulator, marker)
    name = answer.json()["name"]
    statuses = []
    while 404 not in statuses:
        statuses.append(emulator.poll(name).status_code)
    assert len(emulator.listed("scenes", key)) == files


def test_never_is_never_done(emulator: RunningEmulator):
    answer, key = submit(emulator, "never")
    found = emulator.client.get(f"{emulator.url}/emulator/operations/{key}").json()["operations"]
    assert found[0]["name"] == answer.json()["name"]
    assert not emulator.poll(answer.json()["name"]).json().get("done")
