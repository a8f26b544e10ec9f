"""The documentation page, and the document as it is served."""

from __future__ import annotations

import re
from collections.abc import Callable

import httpx

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
