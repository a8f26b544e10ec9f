"""Google's own client libraries, unmodified, against the emulator."""

from __future__ import annotations

import io
import time
import uuid

import pytest
from google import genai
from google.api_core import exceptions
from google.api_core.client_options import ClientOptions
from google.cloud import storage
from google.genai import errors, types
from google.oauth2 import credentials, service_account

from tests.dev.emulator.conftest import FAST, RunningEmulator
from tests.dev.emulator.interactions import body, get
from tests.dev.emulator.pictures import RED, plain_image, probe

SCOPES = ["https://www.googleapis.com/auth/cloud-platform"]


@pytest.fixture(scope="module")
def client(emulator: RunningEmulator) -> genai.Client:
    account = service_account.Credentials.from_service_account_file(
        str(emulator.credentials), scopes=SCOPES
    )
    options = types.HttpOptions(base_url=emulator.url, timeout=20_000)
    return genai.Client(
        vertexai=True,
        project="shop",
        location="us-central1",
        credentials=account,
        http_options=options,
    )


def test_genai_makes_a_video_from_two_images(client: genai.Client):
    operation = client.models.generate_videos(
        model=FAST,
        source=types.GenerateVideosSource(
            prompt="A kite",
            image=types.Image(image_bytes=plain_image(RED), mime_type="image/png"),
        ),
        config=types.GenerateVideosConfig(
            number_of_videos=1,
            duration_seconds=8,
            aspect_ratio="9:16",
            person_generation="allow_adult",
            generate_audio=True,
            last_frame=types.Image(image_bytes=plain_image(RED), mime_type="image/png"),
            labels={"generation": "from-sdk"},
        ),
    )
    while not operation.done:
        time.sleep(0.02)
        stored = types.GenerateVideosOperation.model_validate({"name": operation.name})
        operation = client.operations.get(stored)
    assert operation.result is not None
    assert operation.result.generated_videos is not None
    video = operation.result.generated_videos[0].video
    assert video is not None
    assert video.video_bytes is not None
    assert probe(video.video_bytes)["size"] == (180, 320)


@pytest.mark.parametrize(
    ("marker", "status", "steps"),
    [
        ("", "completed", ["user_input", "thought", "model_output"]),
        ("[emulator:unlisted]", "completed", ["user_input", "thought"]),
        ("[emulator:filtered]", "failed", ["user_input", "thought", "model_output"]),
        ("[emulator:error=8]", "failed", ["user_input", "thought"]),
    ],
)
def test_genai_reads_interactions(
    emulator: RunningEmulator, marker: str, status: str, steps: list[str]
):
    # Only these options keep 2.x from sending a submission again.
    retry = types.HttpRetryOptions(attempts=1, http_status_codes=[599])
    client = genai.Client(
        vertexai=True,
        project="shop",
        location="global",
        credentials=credentials.Credentials(token="emulator"),
        http_options=types.HttpOptions(base_url=emulator.url, retry_options=retry),
    )
    payload = body(f"A kite {marker}", uuid.uuid4().hex)
    found = client.interactions.create(**payload)
    while found.status == "in_progress":
        time.sleep(0.02)
        found = client.interactions.get(found.id)
    assert found.status == status
    assert [each.type for each in found.steps] == steps
    client.interactions.delete(found.id)
    client.close()
    assert get(emulator, found.id).status_code == 404


def test_genai_takes_reference_images(client: genai.Client):
    image = types.Image(image_bytes=plain_image(RED, "JPEG"), mime_type="image/jpeg")
    reference = types.VideoGenerationReferenceImage(
        image=image, reference_type=types.VideoGenerationReferenceType.ASSET
    )
    operation = client.models.generate_videos(
        model="veo-3.1-generate-001",
        source=types.GenerateVideosSource(prompt="A kite [emulator:filtered]"),
        config=types.GenerateVideosConfig(
            duration_seconds=8, reference_images=[reference] * 3, output_gcs_uri="gs://sdk/x/"
        ),
    )
    while not operation.done:
        time.sleep(0.02)
        operation = client.operations.get(operation)
    assert operation.result is not None
    assert operation.result.generated_videos is None
    assert operation.result.rai_media_filtered_count == 1


def test_genai_sees_googles_errors(client: genai.Client):
    plain = types.GenerateVideosSource(prompt="A kite")
    broken = types.GenerateVideosSource(prompt="A kite [emulator:html502]")
    with pytest.raises(errors.ClientError) as caught:
        client.models.generate_videos(model="veo-3.0-generate-001", source=plain)
    assert (caught.value.code, caught.value.status) == (404, "NOT_FOUND")
    with pytest.raises(errors.ServerError):
        client.models.generate_videos(model=FAST, source=broken)


def test_genai_makes_a_picture(client: genai.Client):
    answer = client.models.generate_content(
        model="gemini-3-pro-image",
        contents="A cup of tea",
        config=types.GenerateContentConfig(
            response_modalities=["IMAGE"],
            image_config=types.ImageConfig(aspect_ratio="2:3"),
            labels={"generation": "picture-from-sdk"},
        ),
    )
    assert answer.candidates is not None
    content = answer.candidates[0].content
    assert content is not None
    blobs = [part.inline_data for part in content.parts or [] if part.inline_data]
    assert [blob.mime_type for blob in blobs] == ["image/png"]


@pytest.fixture(scope="module")
def bucket(emulator: RunningEmulator) -> storage.Bucket:
    gcs = storage.Client(
        project="shop",
        credentials=credentials.Credentials(token="a-token"),
        client_options=ClientOptions(api_endpoint=emulator.url),
    )
    return gcs.bucket(f"files-{uuid.uuid4().hex[:8]}")


@pytest.mark.parametrize(
    "name", ["plain.txt", "a/b c/ü 100% +&?#.txt", "a//b", "x" * 500, "50%2Foff.txt"]
)
def test_gcs_uploads_reads_and_deletes(bucket: storage.Bucket, name: str):
    blob = bucket.blob(name)
    blob.metadata = {"kind": "test"}
    blob.upload_from_string(b"0123456789", content_type="text/plain")
    again = bucket.get_blob(name)
    assert (again.name, again.size, again.content_type) == (name, 10, "text/plain")
    assert again.metadata == {"kind": "test"}
    assert again.md5_hash == blob.md5_hash
    assert again.download_as_bytes() == b"0123456789"
    assert again.download_as_bytes(start=2, end=4) == b"234"
    with bucket.blob(name).open("rb") as file:
        assert file.read() == b"0123456789"
    blob.delete()
    assert bucket.get_blob(name) is None


def test_gcs_uploads_in_pieces(bucket: storage.Bucket):
    content = bytes(range(256)) * 4096
    blob = bucket.blob("large.bin", chunk_size=256 * 1024)
    blob.upload_from_file(io.BytesIO(content), content_type="application/octet-stream")
    assert bucket.get_blob("large.bin").size == len(content)
    assert bucket.blob("large.bin").download_as_bytes() == content
    with bucket.blob("written.bin").open("wb", chunk_size=256 * 1024) as file:
        file.write(content[:300_000])
    assert bucket.blob("written.bin").download_as_bytes() == content[:300_000]


def test_gcs_lists_with_prefix_delimiter_and_pages(bucket: storage.Bucket):
    for name in ("l/1", "l/2", "l/sub/3", "l/sub/4", "other"):
        bucket.blob(name).upload_from_string(b"x")
    names = [blob.name for blob in bucket.client.list_blobs(bucket, prefix="l/")]
    assert names == ["l/1", "l/2", "l/sub/3", "l/sub/4"]
    for size in (1, 2, 3, None):
        listed = bucket.client.list_blobs(bucket, prefix="l/", delimiter="/", page_size=size)
        assert [blob.name for blob in listed] == ["l/1", "l/2"]
        assert listed.prefixes == {"l/sub/"}


def test_gcs_preconditions_and_missing_things(bucket: storage.Bucket):
    bucket.blob("once").upload_from_string(b"x", if_generation_match=0)
    with pytest.raises(exceptions.PreconditionFailed):
        bucket.blob("once").upload_from_string(b"y", if_generation_match=0)
    with pytest.raises(exceptions.NotFound):
        bucket.blob("never-there").download_as_bytes()
    with pytest.raises(exceptions.NotFound):
        bucket.client.get_bucket("missing-bucket")
    assert bucket.exists()


def test_gcs_works_through_its_environment_variable(
    emulator: RunningEmulator, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", emulator.url)
    gcs = storage.Client(project="shop")
    gcs.bucket("by-env").blob("a").upload_from_string(b"x")
    assert [blob.name for blob in gcs.list_blobs("by-env")] == ["a"]
    assert emulator.stats()["requests"]["storage_without_token"] > 0
