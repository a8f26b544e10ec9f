"""Every marker in an interaction, and what was bought then."""

from __future__ import annotations

import base64
import uuid
from typing import Any

import httpx
import pytest

from tests.dev.emulator.conftest import RunningEmulator
from tests.dev.emulator.interactions import BUCKET, begin, body, done, get, output, told, url
from tests.dev.emulator.pictures import probe


def files(emulator: RunningEmulator, key: str) -> list[str]:
    return [each["name"] for each in emulator.listed(BUCKET, f"{key}/")]


def whole_file(emulator: RunningEmulator, key: str) -> bytes:
    """The one file of this place, once the operation is done."""
    while not told(emulator, key)["done"]:
        pass
    (item,) = emulator.listed(BUCKET, f"{key}/")
    return emulator.client.get(item["mediaLink"]).content


@pytest.mark.parametrize(
    ("marker", "text"),
    [
        ("filtered", "Support codes: 15236754"),
        ("filtered=violence", "Support codes: 61493863"),
        ("filtered=audio", "a problem with their audio"),
        ("silent-reason", "a problem with their audio"),
    ],
)
def test_what_is_filtered_fails_with_a_reason(emulator: RunningEmulator, marker: str, text: str):
    answer, key = done(emulator, f"A kite [emulator:{marker}]")
    assert answer["status"] == "failed"
    (step,) = [each for each in answer["steps"] if each["type"] == "model_output"]
    assert step["content"] == []
    assert text in step["error"]["message"]
    assert ("Support codes" in step["error"]["message"]) == ("Support codes" in text)
    assert files(emulator, key) == []
    assert (emulator.bought(key), emulator.billed(key)) == (1, 0)


@pytest.mark.parametrize(
    ("marker", "code"),
    [
        ("filtered=prompt", "invalid_argument"),
        ("error=3", "invalid_argument"),
        ("error=7", "permission_denied"),
        ("error=8", "resource_exhausted"),
        ("error", "internal"),
        ("error=14", "unavailable"),
        ("error=99", "unknown"),
    ],
)
def test_errors_stand_in_a_list(emulator: RunningEmulator, marker: str, code: str):
    answer, key = done(emulator, f"A kite [emulator:{marker}]")
    assert answer["status"] == "failed"
    (error,) = answer["errors"]
    assert error["code"] == code
    assert ("Support codes:" in error["message"]) == (marker == "filtered=prompt")
    assert (emulator.bought(key), emulator.billed(key)) == (1, 0)


def test_a_missing_bucket_is_a_permission_denied(emulator: RunningEmulator):
    answer, _ = done(emulator, "A kite", gcs_uri="gs://missing-bucket/x/")
    assert answer["errors"][0]["code"] == "permission_denied"


def test_partial_is_incomplete(emulator: RunningEmulator):
    answer, key = done(emulator, "A kite [emulator:partial]")
    assert answer["status"] == "incomplete"
    assert files(emulator, key) == []


def test_empty_is_completed_without_output_or_file(emulator: RunningEmulator):
    answer, key = done(emulator, "A kite [emulator:empty]")
    assert answer["status"] == "completed"
    assert output(answer) == []
    assert "usage" not in answer
    assert files(emulator, key) == []
    assert (emulator.bought(key), emulator.billed(key)) == (1, 0)


def test_refused_in_words_is_completed_with_text_only(emulator: RunningEmulator):
    answer, key = done(emulator, "A kite [emulator:refused-in-words]")
    assert answer["status"] == "completed"
    (text,) = output(answer)
    assert text["type"] == "text"
    assert "safety" in text["text"]
    assert files(emulator, key) == []
    assert emulator.billed(key) == 0


def test_unlisted_names_no_output_but_the_file_is_there(emulator: RunningEmulator):
    answer, key = done(emulator, "A kite [emulator:unlisted]")
    assert answer["status"] == "completed"
    assert output(answer) == []
    assert "usage" not in answer
    assert probe(whole_file(emulator, key))["seconds"] == pytest.approx(3, abs=0.05)
    assert told(emulator, key)["files"] == [f"gs://{BUCKET}/{key}/video.mp4"]
    assert (emulator.bought(key), emulator.billed(key)) == (1, 1)


@pytest.mark.parametrize(
    ("marker", "status"),
    [("status", "idle"), ("status=idle", "idle"), ("status=never_heard_of", "never_heard_of")],
)
def test_an_odd_status_is_shown_for_a_while(emulator: RunningEmulator, marker: str, status: str):
    answer, key = begin(emulator, f"A kite [emulator:{marker}]")
    assert answer.json()["status"] == status
    whole_file(emulator, key)  # done, and nobody has asked yet
    seen = [get(emulator, answer.json()["id"]).json() for _ in range(2)]
    assert [each["status"] for each in seen] == [status, "completed"]
    assert output(seen[0]) == []
    assert len(output(seen[1])) == 1


@pytest.mark.parametrize("status", ["failed", "incomplete", "cancelled", "budget_exceeded"])
def test_it_may_end_in_any_status_without_a_reason(emulator: RunningEmulator, status: str):
    answer, key = begin(emulator, f"A kite [emulator:status={status}]")
    assert answer.json()["status"] == "in_progress"
    while not told(emulator, key)["done"]:
        pass
    ended = get(emulator, answer.json()["id"]).json()
    assert ended["status"] == status
    assert output(ended) == []
    assert files(emulator, key) == []
    assert emulator.billed(key) == 0


@pytest.mark.parametrize("status", ["completed", "Not-A-Status", "a" * 41])
def test_statuses_that_cannot_be_played_are_refused(emulator: RunningEmulator, status: str):
    assert begin(emulator, f"A kite [emulator:status={status}]")[0].status_code == 400


def test_hevc_is_tagged_for_every_player(emulator: RunningEmulator):
    _, key = done(emulator, "A kite [emulator:hevc]")
    found = probe(whole_file(emulator, key))
    assert found["codecs"] == ("hevc", "aac")
    assert found["tag"] == "hvc1"
    assert found["seconds"] == pytest.approx(3, abs=0.05)


@pytest.mark.parametrize(
    ("resolution", "size", "tokens"),
    [("360p", (160, 90), 5792), ("1080p", (480, 270), 26064), ("4k", (960, 540), 52128)],
)
def test_files_are_drawn_and_billed_by_resolution(
    emulator: RunningEmulator, resolution: str, size: tuple[int, int], tokens: int
):
    answer, key = done(emulator, "A kite", resolution=resolution)
    assert probe(whole_file(emulator, key))["size"] == size
    assert answer["usage"]["total_output_tokens"] == tokens


@pytest.mark.parametrize(("marker", "count"), [("gone", 1), ("gone=empty", 0)])
def test_gone_is_not_found_once_it_is_done(emulator: RunningEmulator, marker: str, count: int):
    answer, key = begin(emulator, f"A kite [emulator:{marker}]")
    while get(emulator, answer.json()["id"]).status_code != 404:
        pass
    assert len(files(emulator, key)) == count
    assert emulator.billed(key) == count


def test_unavailable_fails_the_first_looks(emulator: RunningEmulator):
    answer, _ = begin(emulator, "A kite [emulator:unavailable=2 retry-after=1]")
    looks = [get(emulator, answer.json()["id"]) for _ in range(3)]
    assert [each.status_code for each in looks] == [503, 503, 200]
    assert looks[0].headers["Retry-After"] == "1"


@pytest.mark.parametrize("marker", ["never", "slow=30"])
def test_it_runs_for_as_long_as_it_is_told(emulator: RunningEmulator, marker: str):
    answer, key = begin(emulator, f"A kite [emulator:{marker}]")
    seen = get(emulator, answer.json()["id"]).json()
    assert (seen["status"], seen["steps"]) == ("in_progress", [])
    assert (emulator.bought(key), emulator.billed(key)) == (1, 0)


@pytest.mark.parametrize(
    ("marker", "status"),
    [
        *(("busy", 429), ("overloaded", 503), ("rejected", 400), ("rejected=hate", 400)),
        *(("retired", 404), ("html502", 502)),
    ],
)
def test_refusals_buy_nothing(emulator: RunningEmulator, marker: str, status: int):
    answer, key = begin(emulator, f"A kite [emulator:{marker} retry-after=7]")
    assert answer.status_code == status
    assert answer.headers.get("Retry-After") == ("7" if status in (429, 503) else None)
    assert answer.headers["content-type"].startswith("text/html") == (marker == "html502")
    assert emulator.bought(key) == 0
    assert emulator.stats()["rejected_by_label"]["generation"][key] == 1


def test_busy_turns_the_first_submissions_away(emulator: RunningEmulator):
    prompt = f"A kite {uuid.uuid4()} [emulator:busy=2]"
    assert [begin(emulator, prompt)[0].status_code for _ in range(3)] == [429, 429, 200]


@pytest.mark.parametrize("marker", ["accepted-then-reset", "accepted-then-no-answer"])
def test_a_lost_answer_was_bought_once(emulator: RunningEmulator, marker: str):
    key = uuid.uuid4().hex
    payload = body(f"A kite [emulator:{marker}]", key)
    lost = (httpx.ReadError, httpx.RemoteProtocolError, httpx.ReadTimeout)
    with pytest.raises(lost):
        emulator.client.post(url(emulator), json=payload, timeout=1)
    assert len(whole_file(emulator, key)) > 1000
    assert (emulator.bought(key), emulator.billed(key)) == (1, 1)


def test_accepted_then_502_makes_the_file(emulator: RunningEmulator):
    answer, key = begin(emulator, "A kite [emulator:accepted-then-502]")
    assert answer.status_code == 502
    assert len(whole_file(emulator, key)) > 1000


def test_truncated_serves_less_than_the_metadata_says(emulator: RunningEmulator):
    _, key = done(emulator, "A kite [emulator:truncated]")
    (item,) = emulator.listed(BUCKET, f"{key}/")
    assert len(whole_file(emulator, key)) == int(item["size"]) // 2


def test_truncated_connection_breaks_off(emulator: RunningEmulator):
    _, key = done(emulator, "A kite [emulator:truncated=connection]")
    with pytest.raises(httpx.RemoteProtocolError):
        whole_file(emulator, key)


def test_truncated_file_is_no_whole_mp4(emulator: RunningEmulator):
    _, key = done(emulator, "A kite [emulator:truncated=file]")
    content = whole_file(emulator, key)
    start = content.index(b"mdat") - 4
    assert start + int.from_bytes(content[start : start + 4]) > len(content)


def test_inline_output_may_be_cut(emulator: RunningEmulator):
    payload: dict[str, Any] = body("A kite [emulator:truncated]", uuid.uuid4().hex)
    payload["response_format"] = {"type": "video", "duration": "3s"}
    identity = emulator.client.post(url(emulator), json=payload).json()["id"]
    while not (seen := output(get(emulator, identity).json())):
        pass
    content = base64.b64decode(seen[0]["data"])
    start = content.index(b"mdat") - 4
    assert start + int.from_bytes(content[start : start + 4]) > len(content)
