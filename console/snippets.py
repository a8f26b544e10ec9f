"""Orders and look-ups as code that runs as it stands: in bash, Python and Node.

The key comes from the environment variable API_KEY, so no page and no file has it. Values are
literals of the snippet's language. For curl the body is a here-document with a quoted end word, so
nothing in it means anything to the shell.
"""

from __future__ import annotations

import json
import shlex
from dataclasses import dataclass
from typing import Any

from generation.models import CatalogModel

PATHS = {
    CatalogModel.Kind.VIDEO: "/api/v1/generate/video/",
    CatalogModel.Kind.IMAGE: "/api/v1/generate/",
}
KEY = "API_KEY"
END = "ORDER"  # no line of JSON is this word

CURL = """curl {url} \\
  -H "Authorization: Bearer ${key}" \\
  -H "Content-Type: application/json" \\
  --data-binary @- <<'{end}'
{body}
{end}"""

PYTHON = """import json
import os
import urllib.request

order = {order}
request = urllib.request.Request(
    {url},
    data=json.dumps(order).encode(),
    headers={{
        "Authorization": "Bearer " + os.environ["{key}"],
        "Content-Type": "application/json",
    }},
)
with urllib.request.urlopen(request) as answer:
    print(answer.read().decode())"""

NODE = """const order = {order};
fetch({url}, {{
  method: "POST",
  headers: {{
    Authorization: `Bearer ${{process.env.{key}}}`,
    "Content-Type": "application/json",
  }},
  body: JSON.stringify(order),
}})
  .then((answer) => answer.text())
  .then(console.log);"""

FETCH_CURL = """curl --location --fail --output {file} \\
  -H "Authorization: Bearer ${key}" \\
  {url}"""

FETCH_PYTHON = """import os
import urllib.request
from pathlib import Path

request = urllib.request.Request(
    {url},
    headers={{"Authorization": "Bearer " + os.environ["{key}"]}},
)
with urllib.request.urlopen(request) as answer:
    Path({file}).write_bytes(answer.read())"""

FETCH_NODE = """const {{ writeFile }} = require("node:fs/promises");
fetch({url}, {{ headers: {{ Authorization: `Bearer ${{process.env.{key}}}` }} }})
  .then((answer) => answer.arrayBuffer())
  .then((file) => writeFile({file}, Buffer.from(file)));"""


@dataclass(frozen=True, slots=True)
class Snippet:
    """``name`` is for ids, ``language`` for people."""

    name: str
    language: str
    text: str


def of_order(kind: str, body: dict[str, Any], base_url: str) -> list[Snippet]:
    """The create of these fields, in each language."""
    url = f"{base_url}{PATHS[CatalogModel.Kind(kind)]}"
    as_json = json.dumps(body, indent=2, ensure_ascii=False)
    curl = CURL.format(url=shlex.quote(url), key=KEY, end=END, body=as_json)
    python = PYTHON.format(url=_of_python(url), key=KEY, order=_order_of_python(body))
    node = NODE.format(url=json.dumps(url), key=KEY, order=as_json)
    return _in_all(curl, python, node)


def of_download(generation_id: str, file: str, base_url: str) -> list[Snippet]:
    """How a program fetches the output, in each language."""
    url = f"{base_url}/api/v1/generate/{generation_id}/download/"
    curl = FETCH_CURL.format(url=shlex.quote(url), key=KEY, file=shlex.quote(file))
    python = FETCH_PYTHON.format(url=_of_python(url), key=KEY, file=_of_python(file))
    node = FETCH_NODE.format(url=json.dumps(url), key=KEY, file=json.dumps(file))
    return _in_all(curl, python, node)


def _in_all(curl: str, python: str, node: str) -> list[Snippet]:
    return [
        Snippet("curl", "curl", curl),
        Snippet("python", "Python", python),
        Snippet("node", "Node", node),
    ]


def _order_of_python(body: dict[str, Any]) -> str:
    lines = [f"    {_of_python(name)}: {_of_python(value)},\n" for name, value in body.items()]
    return f"{{\n{''.join(lines)}}}"


def _of_python(value: Any) -> str:
    """The value as Python writes it, with double quotes where they need no escape."""
    if isinstance(value, list):
        return f"[{', '.join(map(_of_python, value))}]"
    if isinstance(value, str) and value.isprintable() and not set(value) & set('"\\'):
        return f'"{value}"'
    return repr(value)
