"""The programs of docs/webhooks.md that verify a webhook, taken out of the page, and libraries."""

from __future__ import annotations

import json
import os
import re
import runpy
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from openai import InvalidWebhookSignatureError, OpenAI
from standardwebhooks import Webhook, WebhookVerificationError

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "webhooks.md").read_text()
# A secret, the headers with names in lower case, and the bytes: whether it is taken for ours.
Verifier = Callable[[str, Mapping[str, str], bytes], bool]
NODE = """
import { readFileSync } from "node:fs";
const [secret, headers] = JSON.parse(process.env.ASKED);
let thrown;
try { verify(secret, headers, readFileSync(process.argv[1])); } catch (error) { thrown = error; }
if (thrown && thrown.constructor !== Error) throw thrown;
process.exit(thrown ? 1 : 0);
"""
BASH = 'verify "$ID" "$TIMESTAMP" "$SIGNATURE" "$1"'


def snippet(language: str, holds: str) -> str:
    """The one program of the page in that language with these words in it."""
    found = re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    (program,) = [each for each in found if holds in each]
    return str(program)


def python(secret: str, headers: Mapping[str, str], body: bytes) -> bool:
    """In this process, since it has nothing but the standard library anyway."""
    with tempfile.NamedTemporaryFile("w", suffix=".py") as file:
        file.write(snippet("python", "def verify"))
        file.flush()
        verify = runpy.run_path(file.name)["verify"]
    try:
        verify(secret, headers, body)
    except ValueError:
        return False
    return True


def node(secret: str, headers: Mapping[str, str], body: bytes) -> bool:
    """Under Node; another error than its own is a failure of the test."""
    if shutil.which("node") is None:
        pytest.skip("node is not installed")
    source = snippet("js", "function verify") + NODE
    asked = {"ASKED": json.dumps([secret, dict(headers)])}
    return _run([*("node", "--input-type=module", "-e", source, "--"), "BODY"], body, asked)


def bash(secret: str, headers: Mapping[str, str], body: bytes) -> bool:
    source = snippet("bash", "verify()") + BASH
    asked = {
        "WEBHOOK_SECRET": secret,
        "ID": headers.get("webhook-id", ""),
        "TIMESTAMP": headers.get("webhook-timestamp", ""),
        "SIGNATURE": headers.get("webhook-signature", ""),
    }
    return _run(["bash", "-uc", source, "bash", "BODY"], body, asked)


def standard(secret: str, headers: Mapping[str, str], body: bytes) -> bool:
    """The standard's own library."""
    try:
        Webhook(secret).verify(body, dict(headers))
    except (WebhookVerificationError, ValueError, RuntimeError):
        return False
    return True


def unwrapped(secret: str, headers: Mapping[str, str], body: bytes) -> bool:
    """OpenAI's client, which their customers have already."""
    client = OpenAI(api_key="none", webhook_secret=secret)
    try:
        client.webhooks.unwrap(body, dict(headers))
    except (InvalidWebhookSignatureError, ValueError):
        return False
    return True


OF_THE_PAGE: dict[str, Verifier] = {"python": python, "node": node, "bash": bash}
LIBRARIES: dict[str, Verifier] = {"standardwebhooks": standard, "openai": unwrapped}


def _run(argv: list[str], body: bytes, asked: dict[str, str]) -> bool:
    """Whether it ended with 0; it may end with 1 and must print nothing."""
    with tempfile.NamedTemporaryFile() as file:
        file.write(body)
        file.flush()
        argv = [file.name if word == "BODY" else word for word in argv]
        done = subprocess.run(
            argv, env=os.environ | asked, capture_output=True, text=True, check=False, timeout=30
        )
    assert done.returncode in (0, 1), done.stderr
    assert done.stderr == ""
    return done.returncode == 0
