"""The documentation page, and the document as it is served."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable

import httpx

from tests.support.packages import ROOT

Api = Callable[..., httpx.Client]


def test_the_page_asks_nobody_else_and_runs_no_inline_code(api: Api):
    page = api().get("/api/docs/", headers={"Accept": "text/html"})
    assert page.status_code == 200
    assert not re.search(r"<style|<script>|\son\w+=|style=|//", page.text.partition("<head>")[2])
    for script in re.findall(r"<script(.*?)</script>", page.text, re.DOTALL):
        assert script.startswith(" src=")
        assert script.endswith(">")
    local = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert len(local) == 5
    for path in local:
        answer = api().get(path.replace("&amp;", "&"))
        assert answer.status_code == 200, path
        if path.startswith("/api/docs"):
            assert '"validatorUrl": null' in answer.text
            assert "https:" not in answer.text
        if path.endswith(".css"):
            assert not re.search(r"@import|url\((?![\"']?data:)", answer.text)


def test_the_document_is_served_in_both_spellings(api: Api):
    for accept in ("application/json", "application/vnd.oai.openapi+json"):
        answer = api().get("/api/schema/", headers={"Accept": accept})
        assert "/api/v1/generate/video/" in answer.json()["paths"]
    assert api().get("/api/schema/").text.startswith("openapi: 3.1")


def test_the_page_about_webhooks_is_served_as_it_stands_and_linked(api: Api):
    page = api().get("/api/docs/webhooks/", headers={"Accept": "text/html"})
    assert page.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert page.content == (ROOT / "docs" / "webhooks.md").read_bytes()
    said = api().get("/api/schema/", headers={"Accept": "application/json"}).json()["info"]
    assert "](/api/docs/webhooks/)" in said["description"]
    refused = api().post("/api/docs/webhooks/")
    assert (refused.status_code, refused.json()["code"]) == (405, "method_not_allowed")


PAGES_AT_ONCE = """
import concurrent.futures, django
django.setup()
from django.test import Client
def answer(number):
    return Client(raise_request_exception=False).get("/api/schema/").status_code
with concurrent.futures.ThreadPoolExecutor(8) as pool:
    print(set(pool.map(answer, range(8))))
"""


def test_the_first_requests_of_a_process_may_come_all_at_once():
    """Each of the threads finds drf-spectacular not loaded yet."""
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "config.settings"}
    done = subprocess.run(
        [sys.executable, "-c", PAGES_AT_ONCE], env=environment, capture_output=True, text=True
    )
    assert done.stdout.strip() == "{200}", done.stderr[-2000:]


def test_to_send_it_again_costs_next_to_nothing(api: Api):
    client = api()
    client.get("/api/schema/")
    began = time.thread_time()
    for _ in range(20):
        with_texts = client.get("/api/schema/", params={"lang": "de" * 500, "version": "9" * 500})
        assert with_texts.status_code == 200
    assert time.thread_time() - began < 20 * 0.03  # making it takes 0.065 s
