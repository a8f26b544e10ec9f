"""What docs/production.md says about proxies suits what the web does."""

from __future__ import annotations

import re

import pytest

from dev.embedded.paths import CHECKOUT
from dev.embedded.services import WEB_PROCESSES

DOCUMENT = (CHECKOUT / "docs" / "production.md").read_text()
BLOCKS = re.findall(r"```\w*\n(.*?)```", DOCUMENT, re.DOTALL)
SIGNS = {"nginx": "listen 443 ssl;", "Caddy": "request_buffers", "HAProxy": "frontend api"}


def block(name: str) -> str:
    (found,) = [text for text in BLOCKS if SIGNS[name] in text]
    return str(found)


def directives(text: str) -> dict[str, str]:
    """Of nginx: the last value of each."""
    return dict(re.findall(r"^\s*(\w+)\s+([^;{]+);", text, re.MULTILINE))


def test_nginx_buffers_requests_and_answers() -> None:
    """Without its buffers a client that does not read holds a connection to the web."""
    found = directives(block("nginx"))
    assert "off" not in found.values()
    assert not {name for name, value in found.items() if value == "0"}
    assert found["proxy_buffering"] == found["proxy_request_buffering"] == "on"
    assert not [name for name in found if name.startswith("proxy_max_temp_file")]
    assert found["client_header_timeout"] == found["client_body_timeout"] == "10s"


LOCATION = re.compile(
    r"^ *location ([^{]*(?:\{[\d,]+\}[^{]*)*)\{\n(.*?)^ *\}", re.DOTALL | re.MULTILINE
)
OFF = re.compile(r'buffering +off;|buffering: "?off|proxy_max_temp_file_size +0|flush_interval -1')


def test_only_the_streams_are_not_buffered() -> None:
    """Whatever block a reader copies, one that does not read holds no thread by it."""
    pages = [CHECKOUT / "README.md", *(CHECKOUT / "docs").glob("*.md")]
    pages += [path for path in (CHECKOUT / "ops").rglob("*") if path.suffix in (".yaml", ".conf")]
    said = {path.name: len(OFF.findall(path.read_text())) for path in pages}
    assert {name: count for name, count in said.items() if count} == {"production.md": 1}
    locations = [found for text in BLOCKS for found in LOCATION.findall(text)]
    assert len(locations) >= 3
    (where,) = [where.strip() for where, inside in locations if OFF.search(inside)]
    assert where == "~ ^/api/v1/generate/[0-9a-fA-F-]+/events/?$"


@pytest.mark.parametrize(
    ("name", "lines"),
    [
        ("Caddy", ["request_buffers 2MB", "read_header 10s", "read_body 30s", "keepalive 60s"]),
        (
            "HAProxy",
            ["option http-buffer-request", "timeout http-request 10s", "timeout client 30s"],
        ),
    ],
)
def test_the_others_take_requests_whole_and_in_time(name: str, lines: list[str]) -> None:
    for line in lines:
        assert line in block(name)
    assert not re.search(r"flush_interval|no option|buffering off", block(name))


def test_ingress_turns_no_buffering_off() -> None:
    ingress = (CHECKOUT / "ops" / "kubernetes" / "ingress.yaml").read_text()
    assert 'proxy-buffering: "on"' in ingress
    assert not re.search(r"buffering:.*off|max-temp-file-size", ingress)


def test_the_start_is_in_one_place() -> None:
    """Flags win over gunicorn.conf.py: those that everybody needs must not depend on them."""
    command = re.search(r"^CMD \[(.*)\]", (CHECKOUT / "Dockerfile").read_text(), re.MULTILINE)
    assert command is not None
    flags = re.findall(r'"(-[\w-]+)"', command[1])
    assert flags == ["--bind"]
    configuration = (CHECKOUT / "gunicorn.conf.py").read_text()
    assert f"\nworkers = {WEB_PROCESSES}\n" in configuration
    manifests = [CHECKOUT / "docker-compose.yml", *(CHECKOUT / "ops" / "kubernetes").glob("*.yaml")]
    assert not [path.name for path in manifests if "gthread" in path.read_text()]
