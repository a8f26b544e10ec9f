"""Reads typed fields out of a parsed JSON object, refusing what Google's JSON parser refuses."""

from __future__ import annotations

import base64
import binascii
import io
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from PIL import Image, UnidentifiedImageError

from dev.emulator.errors import invalid
from dev.emulator.scenarios import Scenario, UnknownScenarioError, parse

PROMPT_MAX = 4000  # characters; the real limit is 1,024 tokens
IMAGE_BYTES_MAX = 20 * 1024 * 1024  # Veo's page: JPEG or PNG of at most 20 MB
IMAGE_PIXELS_MAX = 50_000_000
IMAGE_FORMATS = {"image/jpeg": "JPEG", "image/png": "PNG"}
GCS_URI = re.compile(r"gs://([a-z0-9][a-z0-9._-]{1,61}[a-z0-9])(?:/([^\r\n]*))?")
LABEL_KEY = re.compile(r"[a-z][a-z0-9_-]{0,62}")
LABEL_VALUE = re.compile(r"[a-z0-9_-]{0,63}")
LABELS_MAX = 64
URL_SAFE = str.maketrans("-_", "+/")


@dataclass(frozen=True, slots=True)
class ImageField:
    """An image given inline (``data``) or by its ``gs://`` address."""

    data: bytes | None
    uri: str


def an_object(value: Any, where: str, known: Iterable[str]) -> dict[str, Any]:
    """``value`` as an object with only ``known`` keys; null fields are as if absent."""
    if not isinstance(value, dict):
        raise invalid(f"Invalid value at '{where}': expected an object.")
    for key in value:
        if key not in known:
            raise invalid(f"Invalid JSON payload received. Unknown name {key!r} at '{where}'.")
    return {key: each for key, each in value.items() if each is not None}


def a_list(value: Any, where: str) -> list[Any]:
    if not isinstance(value, list):
        raise invalid(f"Invalid value at '{where}': expected a list.")
    return value


def text(source: dict[str, Any], name: str, default: str = "") -> str:
    value = source.get(name, default)
    if not isinstance(value, str):
        raise invalid(f"Invalid value at '{name}': expected a string.")
    return value


def boolean(source: dict[str, Any], name: str, default: bool) -> bool:
    """A true or false field."""
    value = source.get(name, default)
    if not isinstance(value, bool):
        raise invalid(f"Invalid value at '{name}': expected a boolean.")
    return value


def integer(source: dict[str, Any], name: str, default: int, allowed: Iterable[int]) -> int:
    """A whole number out of ``allowed`` (a float without a fraction counts, as in JSON)."""
    value = source.get(name, default)
    number = isinstance(value, int | float) and not isinstance(value, bool)
    good = number and value % 1 == 0
    if not good or int(value) not in allowed:
        shown = f"{allowed.start} to {allowed.stop - 1}" if isinstance(allowed, range) else allowed
        raise invalid(f"The value of '{name}' is not supported: {value!r}. Supported: {shown}.")
    return int(value)


def seed(source: dict[str, Any], limit: int) -> int | None:
    """A seed below ``limit``, None where there is none."""
    return integer(source, "seed", 0, range(limit)) if "seed" in source else None


def choice(source: dict[str, Any], name: str, default: str, allowed: Iterable[str]) -> str:
    """One of ``allowed``, whatever its case (the SDK upper-cases what the documents do not)."""
    value = text(source, name, default)
    for each in allowed:
        if each.lower() == value.lower():
            return each
    listed = ", ".join(allowed)
    raise invalid(f"The value of '{name}' is not supported: {value!r}. Supported: {listed}.")


def prompt(value: str) -> tuple[str, Scenario, str]:
    """The prompt as it came, the scenario of its markers, and the caption without them."""
    if len(value) > PROMPT_MAX:
        raise invalid("The prompt is too long.")
    try:
        scenario, caption = parse(value)
    except UnknownScenarioError as error:
        raise invalid(str(error)) from None
    return value, scenario, caption


def gcs_uri(value: str, name: str) -> tuple[str, str]:
    """Bucket and object name (or prefix) of a ``gs://`` address."""
    match = GCS_URI.fullmatch(value)
    if match is None:
        raise invalid(f"'{name}' must be a Cloud Storage address (gs://bucket/path): {value!r}.")
    return match[1], match[2] or ""


def labels(body: dict[str, Any]) -> dict[str, str]:
    """The request's labels, held to Google Cloud's rules for them."""
    value = body.get("labels", {})
    if not isinstance(value, dict) or len(value) > LABELS_MAX:
        raise invalid("Invalid value at 'labels'.")
    for key, word in value.items():
        if not LABEL_KEY.fullmatch(key) or not isinstance(word, str):
            raise invalid(f"Invalid label {key!r}.")
        if not LABEL_VALUE.fullmatch(word):
            raise invalid(f"Invalid value of the label {key!r}: {word!r}.")
    return dict(value)


def image(value: Any, where: str) -> ImageField:
    """An image of a video request: ``{"bytesBase64Encoded" | "gcsUri", "mimeType"}``."""
    names = ("bytesBase64Encoded", "gcsUri", "mimeType")
    return one_image(an_object(value, where, names), where, names)


def one_image(source: dict[str, Any], where: str, names: tuple[str, str, str]) -> ImageField:
    """An image out of ``source``, whose fields for bytes, address and type are ``names``."""
    encoded, uri = text(source, names[0]), text(source, names[1])
    if bool(encoded) == bool(uri):
        raise invalid(f"'{where}' needs exactly one of {names[0]} and {names[1]}.")
    mime_type = text(source, names[2]).lower()
    if mime_type not in IMAGE_FORMATS:
        raise invalid(
            f"Unsupported {names[2]} of '{where}': {mime_type!r}. Use image/jpeg, image/png."
        )
    if uri:
        gcs_uri(uri, where)
        return ImageField(None, uri)
    data = decoded(encoded, where)
    check_image(data, mime_type, where)
    return ImageField(data, "")


def decoded(encoded: str, where: str) -> bytes:
    """Base64 as bytes, in either of the alphabets that protobuf's JSON allows."""
    try:
        return base64.b64decode(encoded.translate(URL_SAFE), validate=True)
    except (binascii.Error, ValueError):
        raise invalid(f"Invalid value at '{where}': Base64 decoding failed.") from None


def check_image(data: bytes, mime_type: str, where: str) -> None:
    """Refuse what is too large or does not decode as what it claims to be."""
    if len(data) > IMAGE_BYTES_MAX:
        raise invalid(f"The image at '{where}' is larger than 20 MB.")
    try:
        with Image.open(io.BytesIO(data), formats=[IMAGE_FORMATS[mime_type]]) as picture:
            too_many = picture.width * picture.height > IMAGE_PIXELS_MAX
            if not too_many:
                picture.load()
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        raise invalid(f"The image at '{where}' cannot be decoded as {mime_type}.") from None
    if too_many:
        raise invalid(f"The image at '{where}' has too many pixels.")
