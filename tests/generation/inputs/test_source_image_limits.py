"""What customers read about source images is what the code does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from common import fetchable, safe_fetch
from generation.api import document
from generation.api.requests import VideoRequestSerializer
from generation.inputs import image_child, source_images

ROOT = Path(__file__).resolve().parent.parent.parent.parent
PLACES = {
    "docs/api-contract.md": (ROOT / "docs/api-contract.md").read_text(),
    "the API's page and schema": str(
        VideoRequestSerializer().fields["source_image_urls"].help_text
    ),
}


@pytest.mark.parametrize("text", PLACES.values(), ids=PLACES)
def test_the_documented_limits_are_those_of_the_code(text: str) -> None:
    text = " ".join(text.split())
    formats = re.search(r"Taken are (\w+), (\w+) and (\w+), not animated", text)
    assert formats is not None
    assert tuple(name.upper() for name in formats.groups()) == image_child.FORMATS
    words = {"three": 3}
    for pattern, value in (
        (r"at most (\d+) MB", image_child.MAX_BYTES / 1_000_000),
        (r"MB, (\d+) megapixels", image_child.MAX_PIXELS / 1_000_000),
        (r"and (\d+) pixels a side", image_child.MAX_SIDE),
        (r"at most (\w+) redirects", safe_fetch.MAX_REDIRECTS),
        (r"within (\d+) seconds", source_images.FETCH_SECONDS),
    ):
        found = re.search(pattern, text)
        assert found is not None, pattern
        assert float(words.get(found[1], found[1])) == value
    ports = re.search(r"from ports (\d+) and (\d+) of public addresses", text)
    assert ports is not None
    assert {int(port) for port in ports.groups()} == fetchable.PORTS


@pytest.mark.parametrize("port", [1, 22, 79, 80, 81, 443, 444, 8000, 8080, 8443, 65535])
def test_the_schema_knows_the_ports(port: int) -> None:
    for scheme in ("http", "https"):
        url = f"{scheme}://a.example:{port}/x.png"
        matches = re.match(document.URL, url) is not None
        assert matches is (port in fetchable.PORTS) is (fetchable.check_url(url) is None)
